//! Verdicts on changes of accounts.

use std::sync::{Arc, Mutex};

use loader::{Failure, Invocation, Pubkey, Runtime, WriteBackError};
use tests::scripted;

use super::cases::accounts::state;
use super::cases::rules::{After, COUNT, Changes, PROGRAM, case};
use super::inputs::input;
use super::{compare, lines, reason};

/// Writes what the program leaves into its input.
fn write(memory: &mut [u8], changes: &Changes) {
    let mut entry = 8 + 32 + 8;
    for (account, after) in changes.accounts.iter().zip(&changes.after) {
        let bytes = &mut memory[entry..];
        bytes[40..72].copy_from_slice(&after.owner);
        bytes[72..80].copy_from_slice(&after.kelvins.to_le_bytes());
        bytes[80..88].copy_from_slice(&after.length.to_le_bytes());
        bytes[88..88 + after.data.len()].copy_from_slice(&after.data);
        for (offset, value) in &after.ignored {
            bytes[*offset] = *value;
        }
        entry += 88 + (account.data.len() + 10_240).next_multiple_of(8) + 8;
    }
}

/// The verdict, and whether the loader rejects what the runtime ignores.
fn verdict(changes: Changes) -> (String, bool) {
    let program_id = Pubkey::new(PROGRAM);
    let invocation = Invocation::as_on(Runtime::Rialo, program_id);
    let inputs = changes.accounts.iter().map(input);
    let invocation = inputs.fold(invocation, Invocation::account);
    let changes = Arc::new(Mutex::new(changes));
    let loader = scripted::loader(move |memory| {
        write(memory, &changes.lock().expect("one thread"));
        0
    });
    let program = loader.as_on(Runtime::Rialo).load(b"").expect("a program");
    let outcome = program.invoke(&invocation).expect("an outcome");
    let is_stricter = matches!(
        outcome.failure,
        Some(Failure::WriteBack(
            WriteBackError::KeyChanged { .. }
                | WriteBackError::SignerFlagChanged { .. }
                | WriteBackError::WritableFlagChanged { .. }
                | WriteBackError::ExecutableChanged { .. }
        ))
    );
    let verdict = match outcome.failure {
        Some(_) => reason(&outcome.logs),
        None => {
            let accounts = outcome.accounts.iter();
            let state = state(
                accounts
                    .map(|account| (account.owner.to_bytes(), account.kelvins, &account.data[..])),
            );
            format!("ok {state}")
        }
    };
    (verdict, is_stricter)
}

/// The loader has the runtime's verdict on every change that the runtime reads back.
#[test]
fn changes_have_the_runtimes_verdicts() {
    compare("rules.txt", COUNT, |number| {
        let mut changes = case(number);
        changes
            .after
            .iter_mut()
            .for_each(|after| after.ignored.clear());
        verdict(changes).0
    });
}

/// Key and flags: the runtime does not read them back. The loader rejects a change of them, unless
/// another rule is broken before.
#[test]
fn changes_that_the_runtime_ignores_are_rejected() {
    let expected = lines("rules.txt");
    let mut rejected = 0;
    for (number, expected) in expected.iter().enumerate() {
        let changes = case(number);
        let is_other = |(account, after): (&super::cases::accounts::Account, &After)| {
            let sent = |offset: usize| match offset {
                1 => u8::from(account.is_signer),
                2 => u8::from(account.is_writable),
                3 => u8::from(account.executable),
                _ => account.key[offset - 8],
            };
            // The last one written to an offset counts.
            let last = |offset: usize| {
                let mut written = after.ignored.iter().rev();
                written
                    .find(|(other, _)| *other == offset)
                    .map(|(_, value)| *value)
            };
            let mut offsets = after.ignored.iter().map(|(offset, _)| *offset);
            offsets.any(|offset| last(offset) != Some(sent(offset)))
        };
        let is_changed = changes.accounts.iter().zip(&changes.after).any(is_other);
        let (verdict, is_stricter) = verdict(changes);
        if is_changed && expected.starts_with("ok ") {
            assert!(is_stricter, "case {number}: {verdict}");
            rejected += 1;
        }
        assert!(is_changed || !is_stricter, "case {number}: {verdict}");
    }
    assert!(rejected > 100, "{rejected}");
}
