//! Mollusk and LiteSVM, each with the two token programs that LiteSVM ships.

use litesvm::LiteSVM;
use mollusk_svm::Mollusk;
use mollusk_svm::program::loader_keys;
use mollusk_svm::result::InstructionResult;
use solana_account::Account;
use solana_address::{Address, address};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::{CHUNK, Runner, TOKENS};

const TOKEN: Address = address!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// The feature of Solana that replaces its first token program by `p_token`.
const P_TOKEN_FEATURE: Address = address!("ptokFjwyJtrwCa9Kgo9xoDS59V4QccBGEaRFnRPnSdP");

/// The length of a holding's data in bytes.
const HOLDING: usize = 165;

const MINT: Address = Address::new_from_array([1; 32]);
const FROM: Address = Address::new_from_array([2; 32]);
const TO: Address = Address::new_from_array([3; 32]);

/// Mollusk and LiteSVM, with `spl_token` and with `p_token`.
pub fn runners() -> Vec<Box<dyn Runner>> {
    // Without checks of signatures and without a history, because a ledger checks no signatures
    // and no hashes.
    let svm = || {
        LiteSVM::new()
            .with_sigverify(false)
            .with_transaction_history(0)
    };
    let p_token = svm();
    let spl_token = {
        let mut features = LiteSVM::mainnet_feature_set();
        features.deactivate(&P_TOKEN_FEATURE);
        svm()
            .with_feature_set(features)
            .with_builtins()
            .with_default_programs()
    };
    vec![
        Box::new(InMollusk::new("mollusk-spl_token", &file(&spl_token))),
        Box::new(InMollusk::new("mollusk-p_token", &file(&p_token))),
        Box::new(InLiteSvm::new("litesvm-spl_token", spl_token)),
        Box::new(InLiteSvm::new("litesvm-p_token", p_token)),
    ]
}

/// The file of the token program in LiteSVM, so that Mollusk runs the same bytes.
fn file(svm: &LiteSVM) -> Vec<u8> {
    let program = svm.get_account(&TOKEN).expect("LiteSVM ships it");
    if program.owner == loader_keys::LOADER_V2 {
        return program.data;
    }
    // The account of an upgradeable program has a tag of 4 bytes, and the address of the account
    // with the file. That one has a header of 45 bytes.
    let address = Address::try_from(&program.data[4..36]).unwrap();
    svm.get_account(&address).unwrap().data[45..].to_vec()
}

/// A holding with [`TOKENS`].
fn holding(owner: &Address) -> Account {
    let mut data = vec![0; HOLDING];
    data[..32].copy_from_slice(MINT.as_ref());
    data[32..64].copy_from_slice(owner.as_ref());
    data[64..72].copy_from_slice(&TOKENS.to_le_bytes());
    // An account that is initialized.
    data[108] = 1;
    Account {
        lamports: 10_000_000,
        data,
        owner: TOKEN,
        ..Account::default()
    }
}

fn tokens(account: &Account) -> u64 {
    u64::from_le_bytes(account.data[64..72].try_into().unwrap())
}

fn instruction(owner: Address, amount: u64) -> Instruction {
    Instruction {
        program_id: TOKEN,
        accounts: vec![
            AccountMeta::new(FROM, false),
            AccountMeta::new(TO, false),
            AccountMeta::new_readonly(owner, true),
        ],
        data: [&[3][..], &amount.to_le_bytes()].concat(),
    }
}

/// Each transfer begins with the same accounts.
struct InMollusk {
    name: &'static str,
    mollusk: Mollusk,
    owner: Address,
    accounts: Vec<(Address, Account)>,
}

impl InMollusk {
    fn new(name: &'static str, file: &[u8]) -> Self {
        let mut mollusk = Mollusk::default();
        mollusk.add_program_with_loader_and_elf(&TOKEN, &loader_keys::LOADER_V2, file);
        let owner = Address::new_from_array([4; 32]);
        let payer = Account {
            lamports: 1_000_000_000_000,
            ..Account::default()
        };
        let accounts = vec![
            (FROM, holding(&owner)),
            (TO, holding(&owner)),
            (owner, payer),
        ];
        Self {
            name,
            mollusk,
            owner,
            accounts,
        }
    }

    fn transfer(&self, instruction: &Instruction) -> InstructionResult {
        let result = self
            .mollusk
            .process_instruction(instruction, &self.accounts);
        assert!(result.raw_result.is_ok(), "{result:?}");
        result
    }
}

impl Runner for InMollusk {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&mut self, time: &mut dyn FnMut(&mut dyn FnMut())) {
        let transfers: Vec<Instruction> = (1..=CHUNK)
            .map(|amount| instruction(self.owner, amount))
            .collect();
        time(&mut || {
            for transfer in &transfers {
                self.transfer(transfer);
            }
        });
    }

    fn check(&mut self) -> u64 {
        let result = self.transfer(&instruction(self.owner, 7));
        assert_eq!(tokens(result.get_account(&FROM).unwrap()), TOKENS - 7);
        assert_eq!(tokens(result.get_account(&TO).unwrap()), TOKENS + 7);
        result.compute_units_consumed
    }
}

/// Each transfer begins with what the one before has left.
struct InLiteSvm {
    name: &'static str,
    svm: LiteSVM,
    owner: Keypair,
}

impl InLiteSvm {
    fn new(name: &'static str, mut svm: LiteSVM) -> Self {
        let owner = Keypair::new();
        svm.airdrop(&owner.pubkey(), 1_000_000_000_000).unwrap();
        for key in [FROM, TO] {
            svm.set_account(key, holding(&owner.pubkey())).unwrap();
        }
        Self { name, svm, owner }
    }

    fn transfer(&self, amount: u64) -> Transaction {
        let payer = self.owner.pubkey();
        let blockhash = self.svm.latest_blockhash();
        let instruction = instruction(payer, amount);
        let message = Message::new_with_blockhash(&[instruction], Some(&payer), &blockhash);
        Transaction::new(&[&self.owner], message, blockhash)
    }

    fn tokens(&self, key: &Address) -> u64 {
        tokens(&self.svm.get_account(key).unwrap())
    }
}

impl Runner for InLiteSvm {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&mut self, time: &mut dyn FnMut(&mut dyn FnMut())) {
        let transfers: Vec<_> = (1..=CHUNK).map(|amount| self.transfer(amount)).collect();
        let mut transfers = Some(transfers);
        time(&mut || {
            for transfer in transfers.take().into_iter().flatten() {
                let outcome = self.svm.send_transaction(transfer);
                assert!(outcome.is_ok(), "{outcome:?}");
            }
        });
    }

    fn check(&mut self) -> u64 {
        let before = [FROM, TO].map(|key| self.tokens(&key));
        let outcome = self.svm.send_transaction(self.transfer(7)).unwrap();
        let after = [FROM, TO].map(|key| self.tokens(&key));
        assert_eq!(after, [before[0] - 7, before[1] + 7]);
        outcome.compute_units_consumed
    }
}
