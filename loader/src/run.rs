//! One invocation: placed, run, checked.

use abi::entry::INPUT_ALIGNMENT;
use abi::heap::HeapHeader;
use abi::imports::Import;
use abi::input::{AccountHeader, RepeatEntry, rent_epoch_offset};
use abi::status::SUCCESS;
use abi::{ProgramError, Pubkey};
use polkavm::{InterruptKind, RawInstance, Reg};

use crate::account::{Account, AccountEntry};
use crate::diagnosis;
use crate::error::InvocationError;
use crate::failure::Failure;
use crate::guest_memory;
use crate::imports::{Context, Host};
use crate::input;
use crate::invocation::Invocation;
use crate::outcome::{HeapUse, Outcome};
use crate::pool::Instance;
use crate::program::Linked;
use crate::write_back;

/// Where everything stands in guest memory.
struct Placement {
    heap_base: u32,
    heap_size: u32,
    input_address: u32,
    input_length: u32,
    /// Guest address of each account's entry, in order.
    entries: Vec<u32>,
}

/// How a program ended.
enum End {
    /// It returned this status.
    Returned(u64),
    /// It did not return.
    Failed(Failure),
}

/// Somebody who watches a program run. Does nothing to it, and costs nothing if it is nobody.
pub(crate) trait Observer {
    /// An instruction is about to run: the one at the program counter. Only in a module that is compiled for that.
    fn step(&mut self, _instance: &mut RawInstance, _context: &Context<'_>) {}

    /// An import has been called, and what it did has cost this much gas besides its instruction.
    fn import(&mut self, _import: Import, _price: u64) {}

    /// The instruction that was about to run cannot be paid.
    fn unpaid(&mut self) {}

    /// The program has ended.
    fn ended(&mut self, _instance: &mut RawInstance, _context: &Context<'_>) {}
}

/// Nobody.
impl Observer for () {}

pub(crate) fn invoke(
    program: &Linked,
    invocation: &Invocation,
    observer: &mut impl Observer,
) -> Result<Outcome, InvocationError> {
    invocation.validate(&program.limits)?;
    // An error of the VM, or a panic, drops the instance; everything else leaves one that can be cleaned.
    let mut instance = program.instances.take(&program.module)?;
    let outcome = invoke_in(&mut instance, program, invocation, observer)?;
    program.instances.give_back(instance);
    Ok(outcome)
}

fn invoke_in(
    instance: &mut Instance,
    program: &Linked,
    invocation: &Invocation,
    observer: &mut impl Observer,
) -> Result<Outcome, InvocationError> {
    let placement = place(program, invocation, instance)?;
    let instance = &mut instance.vm;
    // `validate` has seen that it fits.
    let gas_limit = i64::try_from(invocation.gas).unwrap_or(i64::MAX);
    instance.set_gas(gas_limit);
    instance.prepare_call_untyped(
        program.entry,
        &[
            placement.input_address.into(),
            placement.input_length.into(),
            placement.heap_base.into(),
            placement.heap_size.into(),
        ],
    );

    let mut host = Host::default();
    let heap_use = |instance: &mut RawInstance| heap_use(program, &placement, instance);
    let context = Context {
        limits: &program.limits,
        program_id: &invocation.program_id,
        blob: &program.blob,
        gas_limit: invocation.gas,
        heap: &heap_use,
    };
    let end = run(program, instance, &mut host, &context, observer)?;
    observer.ended(instance, &context);
    let gas_used = match end {
        End::Failed(Failure::OutOfGas { .. }) => invocation.gas,
        _ => (gas_limit - instance.gas().max(0)) as u64,
    };
    let heap = heap_use(instance);

    let (status, checked) = match end {
        End::Returned(status) => (
            Some(status),
            conclude(invocation, &placement, status, instance),
        ),
        End::Failed(failure) => (None, Err(failure)),
    };
    let (failure, accounts, return_data) = match checked {
        Ok(accounts) => (None, accounts, host.return_data),
        Err(failure) => (Some(failure), accounts_before(invocation), Vec::new()),
    };
    Ok(Outcome {
        status,
        failure,
        gas_used,
        heap,
        logs: host.logs,
        return_data,
        accounts,
        engine: program.engine,
    })
}

/// Maps heap and input, and writes the input. The heap starts right above the program's data, the input
/// on the next page above the heap.
fn place(
    program: &Linked,
    invocation: &Invocation,
    instance: &mut Instance,
) -> Result<Placement, InvocationError> {
    let length = input::serialized_length(invocation);
    let does_not_fit = InvocationError::DoesNotFit {
        heap: invocation.heap_size,
        input: length,
    };
    let heap_base = program.module.memory_map().heap_base();
    let heap_size = invocation.heap_size;
    let input_address = input_address(heap_base, heap_size);
    let mapped = input_address + length as u64 - u64::from(heap_base);
    let (Ok(input_address), Ok(mapped)) = (u32::try_from(input_address), u32::try_from(mapped))
    else {
        return Err(does_not_fit);
    };
    instance.holds(program.fixed_bytes() + u64::from(mapped));
    let vm = &mut instance.vm;
    if vm.sbrk(mapped).map_err(InvocationError::vm)?.is_none() {
        return Err(does_not_fit);
    }

    let serialized = input::serialize(invocation, input_address);
    for (address, bytes) in serialized.pieces() {
        vm.write_memory(address, bytes)
            .map_err(InvocationError::vm)?;
    }
    Ok(Placement {
        heap_base,
        heap_size: invocation.announced_heap.unwrap_or(heap_size),
        input_address,
        input_length: length as u32,
        entries: serialized.entries,
    })
}

/// Where the input starts above a heap.
pub(crate) fn input_address(heap_base: u32, heap_size: u32) -> u64 {
    let heap_end = u64::from(heap_base) + u64::from(heap_size);
    heap_end.next_multiple_of(INPUT_ALIGNMENT.into())
}

/// Runs the program until it ends.
fn run(
    program: &Linked,
    instance: &mut RawInstance,
    host: &mut Host,
    context: &Context<'_>,
    observer: &mut impl Observer,
) -> Result<End, InvocationError> {
    loop {
        let interrupt = instance.run().map_err(InvocationError::vm)?;
        match interrupt {
            InterruptKind::Finished => return Ok(End::Returned(instance.reg(Reg::A0))),
            InterruptKind::NotEnoughGas => {
                observer.unpaid();
                let failure = diagnosis::out_of_gas(&program.blob, instance, context.gas_limit);
                return Ok(End::Failed(failure));
            }
            InterruptKind::Ecalli(number) => {
                let Some(import) = program.imports.get(number as usize) else {
                    return Ok(End::Failed(trapped(program, instance)));
                };
                let before = instance.gas();
                let answer = host.call(*import, instance, context);
                // An import takes gas and never gives any.
                observer.import(*import, before.abs_diff(instance.gas()));
                if let Err(failure) = answer {
                    return Ok(End::Failed(failure));
                }
            }
            // Only where the module is compiled for it.
            InterruptKind::Step => observer.step(instance, context),
            // Without dynamic paging the last does not happen.
            InterruptKind::Trap | InterruptKind::Segfault(_) => {
                return Ok(End::Failed(trapped(program, instance)));
            }
        }
    }
}

fn trapped(program: &Linked, instance: &RawInstance) -> Failure {
    diagnosis::trapped(&program.blob, instance)
}

/// What is kept of the changes of a program that returned.
fn conclude(
    invocation: &Invocation,
    placement: &Placement,
    status: u64,
    instance: &mut RawInstance,
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
                let header: AccountHeader = read_input(instance, *address, 0);
                let length = write_back::check_length(index, before, &header)?;
                let data = read_data(instance, *address, length);
                let rent_epoch_offset =
                    rent_epoch_offset(before.account.data.len()).unwrap_or(usize::MAX);
                let rent_epoch = read_input(instance, *address, rent_epoch_offset);
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
                let repeat: RepeatEntry = read_input(instance, *address, 0);
                let key = key_at(invocation, *first);
                write_back::check_repeat(index, *first, key, &repeat)?;
            }
        }
    }
    write_back::check_kelvins(accounts_of(invocation), accounts.iter())?;
    Ok(accounts)
}

/// The address of a first occurrence, which is what stands there in a valid invocation.
fn key_at(invocation: &Invocation, first: usize) -> Pubkey {
    match &invocation.accounts[first] {
        AccountEntry::First(input) => input.account.key,
        AccountEntry::Repeat(_) => Pubkey::default(),
    }
}

/// Reads what the loader itself has mapped and written; a guest has no means to unmap it.
fn read_input<T: bytemuck::Pod>(instance: &mut RawInstance, address: u32, offset: usize) -> T {
    guest_memory::read_pod(instance, u64::from(address) + offset as u64)
        .expect("the input stays mapped")
}

fn read_data(instance: &mut RawInstance, address: u32, length: usize) -> Vec<u8> {
    let address = u64::from(address) + AccountHeader::DATA as u64;
    guest_memory::read(instance, address, length as u64).expect("the input stays mapped")
}

fn heap_use(program: &Linked, placement: &Placement, instance: &mut RawInstance) -> HeapUse {
    let limit = placement.heap_size;
    let unknown = HeapUse {
        limit,
        used: None,
        peak: None,
    };
    if !program.has_bump_heap {
        return unknown;
    }
    let header = guest_memory::read_pod::<HeapHeader>(instance, placement.heap_base.into());
    match header {
        Ok(header) if header.peak_use() <= limit => HeapUse {
            limit,
            used: Some(header.used),
            peak: Some(header.peak_use()),
        },
        _ => unknown,
    }
}

fn accounts_of(invocation: &Invocation) -> impl Iterator<Item = &Account> {
    invocation.accounts.iter().filter_map(|entry| match entry {
        AccountEntry::First(input) => Some(&input.account),
        AccountEntry::Repeat(_) => None,
    })
}

fn accounts_before(invocation: &Invocation) -> Vec<Account> {
    accounts_of(invocation).cloned().collect()
}
