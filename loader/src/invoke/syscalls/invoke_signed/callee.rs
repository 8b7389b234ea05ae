//! The called program: found, run, and its result.

use std::mem;

use abi::Pubkey;
use abi::call::MAX_CALL_DEPTH;

use super::super::Syscalls;
use super::super::call::Call;
use super::accounts::{Inherited, List};
use super::request::Request;
use crate::account::{Account, AccountEntry, AccountInput};
use crate::contract;
use crate::error::{Failure, InvalidCall, InvocationError};
use crate::host::Callee;
use crate::invocation::Invocation;
use crate::invoke::guest::GuestMemory;
use crate::invoke::input::write::written_length;
use crate::invoke::run_builtin;
use crate::outcome::CallRecord;
use crate::profile;
use crate::transaction_use::TransactionUse;

/// How much memory of the callee's instance the base of a call pays for: more than a program with a
/// usual stack and heap has.
const MEMORY_OF_BASE: u64 = 256 << 10;

/// Finds the program of a call, and checks that the current program may call it now.
pub(super) fn find(syscalls: &Syscalls, program_id: &Pubkey) -> Result<Callee, InvalidCall> {
    let program_id = *program_id;
    if program_id != syscalls.program_id && syscalls.callers.contains(&program_id) {
        return Err(InvalidCall::Reentered { program_id });
    }
    if syscalls.depth() >= MAX_CALL_DEPTH {
        return Err(InvalidCall::CallTooDeep { program_id });
    }
    let limit = syscalls.settings.limits.calls;
    if syscalls.calls_before.saturating_add(syscalls.calls.len()) >= limit {
        return Err(InvalidCall::TooManyCalls { limit });
    }
    let callee = syscalls.host.find_program(&program_id);
    callee.ok_or(InvalidCall::UnknownProgram { program_id })
}

/// The invocation of the callee, with all the gas that remains. The caller pays for its input.
pub(super) fn invocation<G: GuestMemory>(
    call: &mut Call<'_, G>,
    callee: &Callee,
    request: Request,
    list: &List,
    as_now: Vec<Account>,
) -> Result<Invocation, Failure> {
    let Inherited {
        heap_size,
        announced_heap,
        account_table,
    } = call.syscalls.caller.inherited;
    let mut accounts: Vec<AccountEntry> = Vec::with_capacity(list.places.len());
    let mut as_now = as_now.into_iter();
    // The position in the callee's list of each account.
    let mut first = Vec::with_capacity(list.accounts.len());
    for (position, place) in list.places.iter().enumerate() {
        let entry = match first.get(*place) {
            Some(first) => AccountEntry::Repeat(*first),
            None => {
                first.push(position);
                let listed = &list.accounts[*place];
                AccountEntry::First(AccountInput {
                    // There is one for each account of the list, in the same order.
                    account: as_now.next().unwrap_or_default(),
                    is_signer: listed.is_signer,
                    is_writable: listed.is_writable,
                })
            }
        };
        accounts.push(entry);
    }
    let mut invocation = Invocation {
        program_id: request.program_id,
        accounts,
        data: request.data,
        heap_size,
        gas: 0,
        account_table,
        // The calls of an invocation take part in what it uses.
        transaction_use: TransactionUse::default(),
        announced_heap,
        // A transaction gives all its programs the same heap.
        has_given_heap: true,
    };
    pay_for_memory(call, callee, heap_size)?;
    call.pay_for_layout(written_length(&invocation))?;
    let accounts = list.accounts.len() as u64;
    call.pay(call.syscalls.prices().call_account.saturating_mul(accounts))?;
    invocation.gas = call.guest.gas();
    Ok(invocation)
}

/// Takes the price of the memory of the callee's instance off the gas, as far as the base does not
/// pay for it.
fn pay_for_memory<G: GuestMemory>(
    call: &mut Call<'_, G>,
    callee: &Callee,
    heap_size: u32,
) -> Result<(), Failure> {
    let Callee::Program(program) = callee else {
        return Ok(());
    };
    let bytes = program.own_memory().saturating_add(heap_size.into());
    let unpaid = bytes.saturating_sub(MEMORY_OF_BASE);
    call.pay(call.syscalls.prices().call_memory.for_bytes(unpaid))
}

/// Runs the callee. Returns its accounts, each at its first occurrence.
pub(super) fn run<G: GuestMemory>(
    call: &mut Call<'_, G>,
    callee: &Callee,
    invocation: &Invocation,
) -> Result<Vec<Account>, Failure> {
    let program_id = invocation.program_id;
    let mut inner = call.syscalls.enter(invocation);
    let depth = inner.depth();
    inner.log_begin();
    let (finished, gas) = match callee {
        Callee::Program(program) => {
            let finished = contract::check_heap(program.contract(), invocation)
                .and_then(|()| profile::call(program, &mut inner, invocation));
            (finished, Some(invocation.gas))
        }
        Callee::Builtin(builtin) => {
            let finished = run_builtin(&**builtin, &mut inner, invocation);
            (Ok(finished), None)
        }
    };
    match &finished {
        Ok(finished) => inner.log_end(finished, gas),
        Err(_) => inner.log_not_entered(),
    }
    let record = call.syscalls.leave(inner);
    match finished {
        Ok(finished) => {
            call.syscalls.calls[record].gas_used = invocation.gas - finished.gas;
            call.guest.set_gas(finished.gas);
            let result = finished.result;
            result.map_err(|failure| failure.of_called(program_id, depth))
        }
        // Nothing that a program does makes an engine fail, so there is no outcome.
        Err(error @ InvocationError::Engine { .. }) => {
            call.syscalls.engine_error = Some(error);
            Err(Failure::Aborted)
        }
        Err(error) => Err(InvalidCall::NotCalled { program_id, error }.into()),
    }
}

impl Syscalls {
    /// The syscalls of a program that the current one calls. They take what all programs of an
    /// invocation share with them, until [`leave`](Self::leave) takes it back.
    fn enter(&mut self, invocation: &Invocation) -> Self {
        let mut callers = mem::take(&mut self.callers);
        callers.push(self.program_id);
        let mut calls = mem::take(&mut self.calls);
        calls.push(CallRecord {
            program_id: invocation.program_id,
            depth: callers.len() as u64 + 1,
            gas_used: 0,
        });
        Self {
            // Failures name the limit of the whole invocation.
            gas_limit: self.gas_limit,
            callers,
            siblings: mem::take(&mut self.processed),
            calls,
            calls_before: self.calls_before,
            log: mem::take(&mut self.log),
            profiler: self.profiler.take(),
            ..Self::new(&self.host, &self.settings, invocation)
        }
    }

    /// Takes back what the called program's syscalls share. Returns the place of its record.
    fn leave(&mut self, mut inner: Self) -> usize {
        let depth = inner.depth();
        self.callers = inner.callers;
        self.callers.pop();
        self.processed = inner.siblings;
        self.calls = inner.calls;
        self.log = inner.log;
        self.broken_rule = inner.broken_rule;
        self.profiler = inner.profiler;
        self.return_data = inner.return_data;
        self.returning_program = inner.returning_program;
        inner.caller.end();
        // Those after it are deeper.
        let place = self.calls.iter().rposition(|call| call.depth == depth);
        place.unwrap_or_default()
    }
}
