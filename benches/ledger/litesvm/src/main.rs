//! Runs token transfers in LiteSVM one by one, and prints the nanoseconds that each takes, for each
//! of the two token programs that LiteSVM ships.
//!
//! Type `cargo bench -p ledger-bench -- --litesvm`: it runs this in turns with the ledger.

use std::time::Instant;

use litesvm::LiteSVM;
use solana_account::Account;
use solana_address::{Address, address};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

const TOKEN_PROGRAM: Address = address!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// The feature of Solana that replaces its first token program.
const P_TOKEN_FEATURE: Address = address!("ptokFjwyJtrwCa9Kgo9xoDS59V4QccBGEaRFnRPnSdP");

/// The length of a holding's data in bytes.
const HOLDING: usize = 165;

fn main() {
    let number = |position| {
        let argument = std::env::args().nth(position);
        argument.and_then(|argument| argument.parse().ok())
    };
    let (Some(transactions), Some(chunk)) = (number(1), number(2)) else {
        panic!("how many transactions, and how many of them are timed together?");
    };
    // Without checks of signatures and without a history, because a ledger checks no signatures
    // and no hashes.
    let svm = || {
        LiteSVM::new()
            .with_sigverify(false)
            .with_transaction_history(0)
    };
    let p_token = measure(svm(), transactions, chunk);
    let without_p_token = {
        let mut features = LiteSVM::mainnet_feature_set();
        features.deactivate(&P_TOKEN_FEATURE);
        svm()
            .with_feature_set(features)
            .with_builtins()
            .with_default_programs()
    };
    let spl_token = measure(without_p_token, transactions, chunk);
    println!("spl_token {spl_token}");
    println!("p_token {p_token}");
}

/// Nanoseconds for each transaction: those of the fastest chunk.
fn measure(mut svm: LiteSVM, transactions: usize, chunk: usize) -> u128 {
    let owner = Keypair::new();
    let [mint, from, to] = [1, 2, 3].map(|byte| Address::new_from_array([byte; 32]));
    svm.airdrop(&owner.pubkey(), 1_000_000_000_000).unwrap();
    for key in [from, to] {
        let mut data = vec![0; HOLDING];
        data[..32].copy_from_slice(mint.as_ref());
        data[32..64].copy_from_slice(owner.pubkey().as_ref());
        data[64..72].copy_from_slice(&1_000_000_000_000_u64.to_le_bytes());
        // An account that is initialized.
        data[108] = 1;
        let account = Account {
            lamports: 10_000_000,
            data,
            owner: TOKEN_PROGRAM,
            ..Account::default()
        };
        svm.set_account(key, account).unwrap();
    }
    let blockhash = svm.latest_blockhash();
    let transactions: Vec<Transaction> = (1..=transactions as u64)
        .map(|amount| {
            let mut data = vec![3];
            data.extend_from_slice(&amount.to_le_bytes());
            let transfer = Instruction {
                program_id: TOKEN_PROGRAM,
                accounts: vec![
                    AccountMeta::new(from, false),
                    AccountMeta::new(to, false),
                    AccountMeta::new_readonly(owner.pubkey(), true),
                ],
                data,
            };
            let message =
                Message::new_with_blockhash(&[transfer], Some(&owner.pubkey()), &blockhash);
            Transaction::new(&[&owner], message, blockhash)
        })
        .collect();
    let mut best = u128::MAX;
    for chunk in transactions.chunks(chunk) {
        let transactions = chunk.to_vec();
        let start = Instant::now();
        for transaction in transactions {
            let outcome = svm.send_transaction(transaction);
            assert!(outcome.is_ok(), "{outcome:?}");
        }
        best = best.min(start.elapsed().as_nanos() / chunk.len() as u128);
    }
    // Each transaction moved its number of tokens.
    let data = svm.get_account(&to).unwrap().data;
    let moved = u64::from_le_bytes(data[64..72].try_into().unwrap()) - 1_000_000_000_000;
    let count = transactions.len() as u64;
    assert_eq!(moved, count * (count + 1) / 2);
    best
}
