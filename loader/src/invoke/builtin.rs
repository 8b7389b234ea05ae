//! A call of a program that is part of the host.

use abi::input::MAX_PERMITTED_DATA_LENGTH;
use abi::status::SUCCESS;

use super::Finished;
use super::syscalls::Syscalls;
use super::write_back::{AccountAfter, AccountChange, SumChange};
use crate::account::{Account, AccountEntry, AccountInput};
use crate::builtin::{Builtin, BuiltinCall};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::outcome::HeapUse;

/// Runs the program once.
pub(crate) fn run(
    builtin: &dyn Builtin,
    syscalls: &mut Syscalls,
    invocation: &Invocation,
) -> Finished {
    let mut call = BuiltinCall::new(invocation, syscalls);
    let ended = builtin.call(&mut call);
    let (accounts, gas) = call.into_parts();
    let (status, result) = match ended {
        Ok(()) => {
            let mut words = None;
            let judged = judge(invocation, accounts, syscalls.depth(), &mut words);
            syscalls.set_broken_rule(words);
            (Some(SUCCESS), judged)
        }
        Err(Failure::ProgramError { error }) => {
            (Some(error.status()), Err(Failure::ProgramError { error }))
        }
        Err(failure) => (None, Err(failure)),
    };
    let gas = match &result {
        Err(Failure::OutOfGas { .. }) => 0,
        _ => gas,
    };
    Finished {
        status,
        result,
        gas,
        heap: HeapUse::default(),
    }
}

/// The accounts after a program that succeeded, if all its changes are good.
///
/// Data may grow by as much as there is room for in the caller's input. A program that the host
/// called has no caller, so the length of an account is its only limit.
fn judge(
    invocation: &Invocation,
    after: Vec<AccountInput>,
    depth: u64,
    words: &mut Option<&'static str>,
) -> Result<Vec<Account>, Failure> {
    let before = invocation.accounts.iter().enumerate();
    let before = before.filter_map(|(index, entry)| match entry {
        AccountEntry::First(input) => Some((index, input)),
        AccountEntry::Repeat(_) => None,
    });
    let mut accounts = Vec::with_capacity(after.len());
    let mut sum = SumChange::default();
    for ((index, before), after) in before.zip(after) {
        let sent_length = match depth {
            1 => MAX_PERMITTED_DATA_LENGTH,
            _ => before.account.data.len(),
        };
        let after = AccountAfter::of(after);
        AccountChange::new(index, &invocation.program_id, before, sent_length, &after)
            .check(words)?;
        sum.add(before.account.kelvins, after.kelvins);
        accounts.push(after.into_account());
    }
    sum.check(words)?;
    Ok(accounts)
}
