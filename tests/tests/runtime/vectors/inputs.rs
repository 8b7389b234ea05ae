//! Serialized inputs: the loader writes the runtime's bytes.

use std::sync::{Arc, Mutex};

use loader::{AccountEntry, AccountInput, Invocation, Pubkey, Runtime};
use tests::scripted;

use super::cases::inputs::{COUNT, Input, case};
use super::cases::{accounts, hash, text};
use super::compare;

/// The cases whose bytes are in the vectors.
const IN_FULL: usize = 60;

/// An account of a case.
pub fn input(account: &accounts::Account) -> AccountInput {
    let mut input = AccountInput::new(Pubkey::new(account.key))
        .owner(Pubkey::new(account.owner))
        .kelvins(account.kelvins)
        .data(account.data.clone());
    input.account.executable = account.executable;
    input.account.rent_epoch = account.rent_epoch;
    input.is_signer = account.is_signer;
    input.is_writable = account.is_writable;
    input
}

fn invocation(case: &Input) -> Invocation {
    let program_id = Pubkey::new(case.program_id);
    let mut invocation = Invocation::as_on(Runtime::Rialo, program_id).data(case.data.clone());
    for (index, position) in case.list.iter().enumerate() {
        let first = case.list.iter().position(|other| other == position);
        invocation.accounts.push(match first {
            Some(first) if first < index => AccountEntry::Repeat(first),
            _ => AccountEntry::First(input(&case.accounts[*position])),
        });
    }
    invocation
}

#[test]
fn inputs_have_the_runtimes_bytes() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&written);
    let loader = scripted::loader(move |memory| {
        copy.lock().expect("one thread").clone_from(memory);
        0
    });
    let program = loader.as_on(Runtime::Rialo).load(b"").expect("a program");
    compare("inputs.txt", COUNT, |number| {
        let outcome = program
            .invoke(&invocation(&case(number)))
            .expect("an outcome");
        assert_eq!(outcome.failure, None, "case {number}");
        let bytes = written.lock().expect("one thread");
        match number {
            0..IN_FULL => text(&bytes),
            _ => hash(&bytes),
        }
    });
}
