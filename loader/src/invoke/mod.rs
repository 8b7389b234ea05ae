//! One invocation, written once for every backend: validate, map, enter, read back, judge.

mod builtin;
pub(crate) mod guest;
pub(crate) mod heap;
pub(crate) mod input;
pub(crate) mod reason;
mod runtime_log;
pub(crate) mod syscalls;
mod write_back;

use abi::Pubkey;
use abi::status::SUCCESS;

use crate::account::{Account, AccountEntry, AccountInput};
use crate::backend::{Backend, End, Instance, MemoryRequest};
use crate::engine::Engine;
use crate::error::{Failure, InvocationError};
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::outcome::{HeapUse, Outcome};
use crate::transaction_use::TransactionUse;
use guest::GuestMemory;
use input::read_back::EntriesNow;
use input::write::{self, Lengths, SerializedInput};
use syscalls::Syscalls;
use write_back::{AccountChange, RepeatChange, SumChange};

pub(crate) use builtin::run as run_builtin;

/// How one program ended: the program that the host called, or one that a program called.
pub(crate) struct Finished {
    /// The status that it returned; `None` if it ended without returning.
    pub status: Option<u64>,
    /// Its accounts afterwards, each at its first occurrence, if nothing failed.
    pub result: Result<Vec<Account>, Failure>,
    /// The gas that remains: none, if the program ran out of gas.
    pub gas: u64,
    /// How it used its heap.
    pub heap: HeapUse,
}

/// Runs a program once, in an instance that the backend lends.
///
/// # Errors
///
/// [`InvocationError`] if the program was not called, or if the engine failed.
pub(crate) fn invoke<B: Backend>(
    backend: &B,
    program: &B::Program,
    limits: &Limits,
    syscalls: &mut Syscalls,
    invocation: &Invocation,
) -> Result<Finished, InvocationError> {
    match syscalls.depth() {
        1 => invocation.validate(limits)?,
        _ => invocation.validate_called(limits)?,
    }
    backend.with_instance(program, limits, |instance| {
        run(syscalls, invocation, instance)
    })
}

/// Runs a valid invocation in an instance.
pub(crate) fn run(
    syscalls: &mut Syscalls,
    invocation: &Invocation,
    instance: &mut impl Instance,
) -> Result<Finished, InvocationError> {
    let lengths = Lengths::of(invocation);
    let request = MemoryRequest::new(
        invocation.heap_size,
        invocation.announced_heap(),
        lengths.input,
        lengths.lent,
        lengths.account_table_offset(),
    );
    let mapping = instance.map(&request)?;
    let (input, _) = syscalls.accounts();
    write::write(instance.guest(), invocation, &lengths, mapping.input, input)?;
    // The host pays for the memory of the outermost program, and a program for that of its callee.
    let gas_of_map = match syscalls.depth() {
        1 => 0,
        _ => instance.gas_of_map(),
    };
    let gas_of_heap = syscalls.prices().heap(invocation.heap_size);
    let price = gas_of_map.saturating_add(gas_of_heap);
    let Some(gas) = invocation.gas.checked_sub(price) else {
        return Ok(Finished {
            status: None,
            result: Err(Failure::out_of_gas(syscalls.gas_limit())),
            gas: 0,
            heap: mapping.heap.read_use(instance.guest()),
        });
    };
    instance.guest().set_gas(gas);
    syscalls.begin(mapping.heap);
    let end = instance.enter(&mapping, syscalls)?;
    if let Some(error) = syscalls.take_engine_error() {
        return Err(error);
    }

    let guest = instance.guest();
    let gas = match &end {
        End::Failed(failure) if matches!(failure.cause(), Failure::OutOfGas { .. }) => 0,
        _ => guest.gas().min(invocation.gas),
    };
    let heap = mapping.heap.read_use(guest);
    let (status, result) = match end {
        End::Returned(status) => {
            let (input, known) = syscalls.accounts();
            let mut words = None;
            let judged = judge(invocation, input, known, status, guest, &mut words);
            syscalls.set_broken_rule(words);
            (Some(status), judged)
        }
        End::Failed(failure) => (failure.status_of_called(), Err(failure)),
    };
    Ok(Finished {
        status,
        result,
        gas,
        heap,
    })
}

impl Finished {
    /// Fails if the data of all accounts of the transaction has grown by more bytes than this. If
    /// it has not failed, adds the growth to that of the transaction.
    fn add_growth(&mut self, invocation: &Invocation, limit: u64, all: &mut i64) {
        let Ok(accounts) = &self.result else {
            return;
        };
        // A length has 24 bits, so all of them together fit.
        let length = |account: &Account| account.data.len() as i64;
        let both = invocation.first_accounts().zip(accounts);
        let growth: i64 = both
            .map(|(before, after)| length(after) - length(before))
            .sum();
        let growth = all.saturating_add(growth);
        match u64::try_from(growth) {
            Ok(growth) if growth > limit => {
                self.result = Err(Failure::GrewTooMuch { growth, limit });
            }
            Ok(_) | Err(_) => *all = growth,
        }
    }
}

/// The outcome of an invocation whose program has finished. `gas` is what the program began with; a
/// program of the host's has `None`, as in [`Syscalls::log_end`].
pub(crate) fn outcome(
    engine: Engine,
    syscalls: &mut Syscalls,
    invocation: &Invocation,
    mut finished: Finished,
    gas: Option<u64>,
) -> Outcome {
    let mut growth = invocation.transaction_use.growth;
    finished.add_growth(invocation, syscalls.limits().growth, &mut growth);
    syscalls.log_end(&finished, gas);
    let results = syscalls.take_results();
    let (failure, accounts, return_data) = match finished.result {
        Ok(accounts) => (None, accounts, results.return_data),
        Err(failure) => (
            Some(failure),
            invocation.first_accounts().cloned().collect(),
            Vec::new(),
        ),
    };
    Outcome {
        status: finished.status,
        failure,
        gas_used: invocation.gas - finished.gas,
        heap: finished.heap,
        logs: results.logs,
        return_data,
        accounts,
        calls: results.calls,
        transaction_use: TransactionUse {
            growth,
            ..results.transaction_use
        },
        engine,
    }
}

/// The accounts after a program that returned, if its status and all its changes are good.
///
/// `known` has the accounts as the program's calls have left them, by the position of the entry.
/// `words` gets the runtime's words for the rule that was broken, if it was one.
fn judge(
    invocation: &Invocation,
    input: &mut SerializedInput,
    known: &[Option<AccountInput>],
    status: u64,
    guest: &mut impl GuestMemory,
    words: &mut Option<&'static str>,
) -> Result<Vec<Account>, Failure> {
    if status != SUCCESS {
        return Err(Failure::of_status(status));
    }
    let now = EntriesNow::read(guest, invocation, input)?;
    let mut accounts = Vec::with_capacity(invocation.accounts.len());
    // Each call conserves the sum of what was passed on, so the sum before is that as sent.
    let mut sum = SumChange::default();
    let entries = invocation.accounts.iter().zip(now.sent_entries);
    for (index, (entry, sent)) in entries.enumerate() {
        match entry {
            AccountEntry::First(as_sent) => {
                let known = known.get(index).and_then(Option::as_ref);
                let length = as_sent.account.data.len();
                let kelvins = as_sent.account.kelvins;
                // An account that does not change breaks no rule.
                if known.is_none() && now.is_as_sent(sent, length) {
                    sum.add(kelvins, kelvins);
                    accounts.push(as_sent.account.clone());
                    continue;
                }
                let before = known.unwrap_or(as_sent);
                let after = now.account(guest, sent, length, &before.account.data)?;
                AccountChange::new(index, &invocation.program_id, before, length, &after)
                    .check(words)?;
                sum.add(kelvins, after.kelvins);
                accounts.push(after.into_account());
            }
            AccountEntry::Repeat(first) => {
                let change = RepeatChange {
                    index,
                    key: key_at(invocation, *first),
                    before: *first,
                    after: now.repeat(sent),
                };
                change.check()?;
            }
        }
    }
    sum.check(words)?;
    Ok(accounts)
}

/// The key of a first occurrence, which is what a repeat refers to in a valid invocation.
fn key_at(invocation: &Invocation, first: usize) -> Pubkey {
    match &invocation.accounts[first] {
        AccountEntry::First(input) => input.account.key,
        AccountEntry::Repeat(_) => Pubkey::default(),
    }
}
