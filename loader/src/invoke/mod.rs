//! One invocation: placed, run, checked.

pub(crate) mod imports;
pub(crate) mod input;
pub(crate) mod write_back;

use abi::input::{AccountHeader, RepeatEntry, rent_epoch_offset};
use abi::status::SUCCESS;
use abi::{ProgramError, Pubkey};

use crate::account::{Account, AccountEntry};
use crate::backend::{Context, End, Inaccessible, Instance, Machine, Placement};
use crate::engine::Engine;
use crate::error::Failure;
use crate::error::InvocationError;
use crate::invocation::Invocation;
use crate::invoke::imports::Host;
use crate::limits::Limits;
use crate::outcome::Outcome;

/// Runs a valid invocation in fresh memory.
pub(crate) fn invoke(
    engine: Engine,
    limits: &Limits,
    invocation: &Invocation,
    instance: &mut impl Instance,
) -> Result<Outcome, InvocationError> {
    let placement = instance.place(invocation)?;
    instance.machine().set_gas(invocation.gas);
    let context = Context {
        limits: *limits,
        program_id: invocation.program_id,
        gas_limit: invocation.gas,
        heap: placement.heap,
    };
    let mut host = Host::default();
    let end = instance.enter(&placement, &mut host, &context)?;

    let machine = instance.machine();
    let gas_used = match end {
        End::Failed(Failure::OutOfGas { .. }) => invocation.gas,
        _ => invocation.gas - machine.gas(),
    };
    let heap = placement.heap.read_use(machine);
    let (status, result) = match end {
        End::Returned(status) => (
            Some(status),
            conclude(invocation, &placement, status, machine),
        ),
        End::Failed(failure) => (None, Err(failure)),
    };
    let (failure, accounts, return_data) = match result {
        Ok(accounts) => (None, accounts, host.return_data),
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
        logs: host.logs,
        return_data,
        accounts,
        engine,
    })
}

/// What is kept of the changes of a program that returned.
fn conclude(
    invocation: &Invocation,
    placement: &Placement,
    status: u64,
    machine: &mut impl Machine,
) -> Result<Vec<Account>, Failure> {
    if status != SUCCESS {
        // Every other status stands for an error.
        let error = ProgramError::from_status(status).unwrap_or(ProgramError::Custom(0));
        return Err(Failure::ProgramError { error });
    }
    let mut accounts = Vec::with_capacity(invocation.accounts.len());
    for (index, (entry, address)) in invocation
        .accounts
        .iter()
        .zip(&placement.entries)
        .enumerate()
    {
        match entry {
            AccountEntry::First(before) => {
                let header: AccountHeader = read_input(machine, *address, 0)?;
                let length = write_back::check_length(index, before, &header)?;
                let data = read_data(machine, *address, length)?;
                let rent_epoch_offset =
                    rent_epoch_offset(before.account.data.len()).unwrap_or(usize::MAX);
                let rent_epoch = read_input(machine, *address, rent_epoch_offset)?;
                accounts.push(write_back::check_account(
                    index,
                    &invocation.program_id,
                    before,
                    &header,
                    data,
                    rent_epoch,
                )?);
            }
            AccountEntry::Repeat(first) => {
                let repeat: RepeatEntry = read_input(machine, *address, 0)?;
                let key = key_at(invocation, *first);
                write_back::check_repeat(index, *first, key, &repeat)?;
            }
        }
    }
    write_back::check_kelvins(invocation.first_accounts(), accounts.iter())?;
    Ok(accounts)
}

/// The address of a first occurrence, which is what stands there in a valid invocation.
fn key_at(invocation: &Invocation, first: usize) -> Pubkey {
    match &invocation.accounts[first] {
        AccountEntry::First(input) => input.account.key,
        AccountEntry::Repeat(_) => Pubkey::default(),
    }
}

/// Reads what the loader itself has provided and written.
fn read_input<T: bytemuck::Pod>(
    machine: &mut impl Machine,
    address: u64,
    offset: usize,
) -> Result<T, Failure> {
    machine
        .read_pod(address + offset as u64)
        .map_err(|Inaccessible| input_is_gone())
}

fn read_data(machine: &mut impl Machine, address: u64, length: usize) -> Result<Vec<u8>, Failure> {
    machine
        .read(address + AccountHeader::DATA as u64, length as u64)
        .map_err(|Inaccessible| input_is_gone())
}

/// Only a program that nothing holds back, on the author's own machine, can do that.
fn input_is_gone() -> Failure {
    Failure::trapped_because("the memory of the input is gone")
}
