//! Serialized inputs: the bytes of some, and hashes of the others.

use rialo_s_account_042::{Account, AccountSharedData, ExecutableAccount, StoredAccount};
use rialo_s_bpf_loader_program::serialization::serialize_parameters;
use rialo_s_pubkey_042::Pubkey;
use rialo_s_rent_042::Rent;
use rialo_s_transaction_context_042::{IndexOfAccount, InstructionAccount, TransactionContext};

use crate::cases::inputs::{COUNT, Input, case};
use crate::cases::{hash, text};

/// The cases whose bytes are in the vectors.
const IN_FULL: usize = 60;

pub fn lines() -> Vec<String> {
    let line = |number| {
        let bytes = serialize(&case(number));
        match number {
            0..IN_FULL => text(&bytes),
            _ => hash(&bytes),
        }
    };
    (0..COUNT).map(line).collect()
}

fn serialize(input: &Input) -> Vec<u8> {
    let mut accounts: Vec<(Pubkey, StoredAccount)> = Vec::new();
    for account in &input.accounts {
        let (data, owner) = (account.data.clone(), Pubkey::from(account.owner));
        let (kelvins, rent_epoch) = (account.kelvins, account.rent_epoch);
        let stored = if account.executable {
            StoredAccount::Executable(ExecutableAccount::new(kelvins, data, &owner, rent_epoch))
        } else {
            StoredAccount::Data(AccountSharedData::from(Account {
                kelvins,
                data,
                owner,
                rent_epoch,
            }))
        };
        accounts.push((Pubkey::from(account.key), stored));
    }
    let program = accounts.len() as IndexOfAccount;
    // The owner only must not be the loader with another format.
    let stored = AccountSharedData::new(1, 0, &Pubkey::from([5; 32]));
    accounts.push((Pubkey::from(input.program_id), StoredAccount::Data(stored)));
    let mut list: Vec<InstructionAccount> = Vec::new();
    for (index, position) in input.list.iter().enumerate() {
        let first = input.list.iter().position(|other| other == position);
        list.push(InstructionAccount {
            index_in_transaction: *position as IndexOfAccount,
            index_in_caller: *position as IndexOfAccount,
            index_in_callee: first.unwrap_or(index) as IndexOfAccount,
            is_signer: input.accounts[*position].is_signer,
            is_writable: input.accounts[*position].is_writable,
        });
    }
    let mut transaction = TransactionContext::new(accounts, Rent::default(), 5, 64);
    let next = transaction.get_next_instruction_context();
    next.expect("a context")
        .configure(&[program], &list, &input.data);
    transaction.push().expect("an instruction");
    let instruction = transaction
        .get_current_instruction_context()
        .expect("an instruction");
    let serialized = serialize_parameters(&transaction, instruction, true);
    let (bytes, ..) = serialized.expect("an input");
    bytes.as_slice().to_vec()
}
