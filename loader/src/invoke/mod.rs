//! One invocation, written once for every backend: validate, map, enter, read back, judge.

pub(crate) mod guest;
pub(crate) mod heap;
pub(crate) mod input;
pub(crate) mod syscalls;
mod write_back;

use std::sync::Arc;

use abi::status::SUCCESS;
use abi::{ProgramError, Pubkey};

use crate::account::{Account, AccountEntry};
use crate::backend::{Backend, End, Instance, MemoryRequest};
use crate::engine::Engine;
use crate::error::{Failure, InvocationError};
use crate::host::Host;
use crate::invocation::Invocation;
use crate::outcome::Outcome;
use crate::settings::Settings;
use guest::GuestMemory;
use input::{read_back, write};
use syscalls::Syscalls;
use write_back::{AccountChange, RepeatChange, SumChange};

/// Runs a program once, in an instance that the backend lends.
///
/// # Errors
///
/// [`InvocationError`] if the program was not called.
pub(crate) fn invoke<B: Backend>(
    backend: &B,
    program: &B::Program,
    settings: &Settings,
    host: &Arc<dyn Host>,
    invocation: &Invocation,
) -> Result<Outcome, InvocationError> {
    invocation.validate(&settings.limits)?;
    backend.with_instance(program, &settings.limits, |instance| {
        run(backend.engine(), settings, host, invocation, instance)
    })
}

/// Runs a valid invocation in an instance.
pub(crate) fn run(
    engine: Engine,
    settings: &Settings,
    host: &Arc<dyn Host>,
    invocation: &Invocation,
    instance: &mut impl Instance,
) -> Result<Outcome, InvocationError> {
    let request = MemoryRequest::new(
        invocation.heap_size,
        invocation.announced_heap(),
        write::serialized_length(invocation),
    );
    let mapping = instance.map(&request)?;
    let entries = write::write(instance.guest(), invocation, mapping.input)?;
    instance.guest().set_gas(invocation.gas);
    let mut syscalls = Syscalls::new(
        host,
        settings,
        invocation.program_id,
        invocation.gas,
        mapping.heap,
    );
    let end = instance.enter(&mapping, &mut syscalls)?;

    let guest = instance.guest();
    let gas_used = match end {
        End::Failed(Failure::OutOfGas { .. }) => invocation.gas,
        _ => invocation.gas.saturating_sub(guest.gas()),
    };
    let heap = mapping.heap.read_use(guest);
    let (status, result) = match end {
        End::Returned(status) => (Some(status), judge(invocation, &entries, status, guest)),
        End::Failed(failure) => (None, Err(failure)),
    };
    let (logs, return_data) = syscalls.into_results();
    let (failure, accounts, return_data) = match result {
        Ok(accounts) => (None, accounts, return_data),
        Err(failure) => (
            Some(failure),
            invocation.first_accounts().cloned().collect(),
            Vec::new(),
        ),
    };
    Ok(Outcome {
        status,
        failure,
        gas_used,
        heap,
        logs,
        return_data,
        accounts,
        engine,
    })
}

/// The accounts after a program that returned, if its status and all its changes are good.
fn judge(
    invocation: &Invocation,
    entries: &[u64],
    status: u64,
    guest: &mut impl GuestMemory,
) -> Result<Vec<Account>, Failure> {
    if status != SUCCESS {
        // Every other status is an error.
        let error = ProgramError::from_status(status).unwrap_or(ProgramError::Custom(0));
        return Err(Failure::ProgramError { error });
    }
    let mut accounts = Vec::with_capacity(invocation.accounts.len());
    for (index, (entry, address)) in invocation.accounts.iter().zip(entries).enumerate() {
        match entry {
            AccountEntry::First(before) => {
                let after = read_back::account(guest, *address, &before.account)?;
                AccountChange::new(index, &invocation.program_id, before, &after).check()?;
                accounts.push(after.into_account());
            }
            AccountEntry::Repeat(first) => {
                let change = RepeatChange {
                    index,
                    key: key_at(invocation, *first),
                    before: *first,
                    after: read_back::repeat(guest, *address)?,
                };
                change.check()?;
            }
        }
    }
    SumChange::new(invocation.first_accounts(), accounts.iter()).check()?;
    Ok(accounts)
}

/// The key of a first occurrence, which is what a repeat refers to in a valid invocation.
fn key_at(invocation: &Invocation, first: usize) -> Pubkey {
    match &invocation.accounts[first] {
        AccountEntry::First(input) => input.account.key,
        AccountEntry::Repeat(_) => Pubkey::default(),
    }
}
