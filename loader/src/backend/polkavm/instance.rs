//! One invocation on PolkaVM.

use std::mem::swap;
use std::ops::ControlFlow;

use abi::Pubkey;
use abi::entry::INPUT_ALIGNMENT;
use polkavm::{InterruptKind, Reg};

use super::PAGE_SIZE;
use super::guest::Guest;
use super::paged::{self, Pages};
use super::pool::{self, Known};
use crate::backend::{End, GuestMemory, Heap, Instance, Mapping, MemoryRequest, Syscalls};
use crate::error::{Failure, InvocationError};
use crate::profile::GasProfile;

/// Receives the events of a program that runs.
pub(crate) trait Observer {
    /// The instruction at the program counter is about to run. Only in a module that is compiled
    /// for step tracing. The observer can break the run off: then its result means nothing.
    fn step(&mut self, _guest: &mut Guest<'_>, _heap: &Heap) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The program has called the syscall with this number in its imports, which cost this much
    /// gas besides its instruction.
    fn syscall(&mut self, _number: u32, _price: u64) {}

    /// The syscall with this number has run another program, which used this much gas. If that was
    /// profiled, its profile has the same gas.
    fn called(
        &mut self,
        _number: u32,
        _program_id: Pubkey,
        _gas: u64,
        _profile: Option<GasProfile>,
    ) {
    }

    /// The gas does not suffice for the instruction that was about to run.
    fn unpaid(&mut self) {}

    /// The program has ended.
    fn ended(&mut self, _guest: &mut Guest<'_>, _heap: &Heap) {}
}

/// Without an observer it ignores the events.
impl<O: Observer> Observer for Option<O> {
    fn step(&mut self, guest: &mut Guest<'_>, heap: &Heap) -> ControlFlow<()> {
        match self {
            Some(observer) => observer.step(guest, heap),
            None => ControlFlow::Continue(()),
        }
    }

    fn syscall(&mut self, number: u32, price: u64) {
        if let Some(observer) = self {
            observer.syscall(number, price);
        }
    }

    fn called(&mut self, number: u32, program_id: Pubkey, gas: u64, profile: Option<GasProfile>) {
        if let Some(observer) = self {
            observer.called(number, program_id, gas, profile);
        }
    }

    fn unpaid(&mut self) {
        if let Some(observer) = self {
            observer.unpaid();
        }
    }

    fn ended(&mut self, guest: &mut Guest<'_>, heap: &Heap) {
        if let Some(observer) = self {
            observer.ended(guest, heap);
        }
    }
}

/// A program in one of the VM's instances, for one invocation, and its observer.
pub(crate) struct Observed<'a, O> {
    pub(super) guest: Guest<'a>,
    /// Whether a long input may be in memory of pages.
    pub(super) may_page: bool,
    /// The instance that the guest had before it got one with memory of pages.
    pub(super) other: Option<Box<pool::Instance>>,
    pub(super) known: &'a mut Known,
    /// The address of the input's account table, or 0.
    pub(super) account_table: u64,
    pub(super) observer: &'a mut O,
}

impl<'a, O: Observer> Instance for Observed<'a, O> {
    type Guest = Guest<'a>;

    fn guest(&mut self) -> &mut Guest<'a> {
        &mut self.guest
    }

    /// Maps the input above the program's data, and the heap above the input: see [`Layout`].
    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError> {
        let program = self.guest.program;
        let data_end = program.module.memory_map().heap_base();
        let layout = Layout::new(data_end, request.input_length as u64);
        let end = layout.heap_base + u64::from(request.heap_size);
        let Ok(mapped) = u32::try_from(end - u64::from(data_end)) else {
            return Err(request.does_not_fit());
        };
        let table = request.account_table;
        self.account_table = table.map_or(0, |offset| layout.input + offset as u64);
        let is_long = self.may_page && request.lent_length >= paged::MIN_LENT;
        let bytes = program.fixed_bytes() + u64::from(mapped);
        let own_bytes = program.own_memory() + u64::from(request.heap_size);
        if is_long && let Some(mut paged) = program.paged.take(&program.blob)? {
            let map = program.module.memory_map();
            if mapped > map.max_heap_size() {
                program.paged.give_back(paged);
                return Err(request.does_not_fit());
            }
            swap(self.guest.vm, &mut paged.vm);
            swap(self.known, &mut paged.known);
            self.other = Some(paged);
            // It may get every page.
            self.known.holds(bytes, own_bytes);
            self.guest.pages = Some(Box::new(Pages::new(&program.blob, map, mapped)));
        } else {
            let data = program.blob.rw_data();
            let instances = &program.instances;
            let mapping = instances.map(self.guest.vm, self.known, data, mapped);
            self.known.holds(bytes, own_bytes);
            if mapping.map_err(InvocationError::engine)?.is_none() {
                return Err(request.does_not_fit());
            }
        }
        Ok(Mapping {
            heap: Heap {
                base: layout.heap_base,
                size: request.announced_heap,
                has_header: program.has_heap_header,
            },
            input: layout.input,
            // It is mapped below 4 GiB.
            input_length: request.input_length as u32,
        })
    }

    fn enter(
        &mut self,
        mapping: &Mapping,
        syscalls: &mut Syscalls,
    ) -> Result<End, InvocationError> {
        self.guest.vm.prepare_call_untyped(
            self.guest.program.entry,
            &[
                mapping.input,
                mapping.input_length.into(),
                mapping.heap.base,
                mapping.heap.size.into(),
                self.account_table,
            ],
        );
        self.guest
            .program
            .instances
            .prepare(self.guest.vm, self.known);
        if let Some(pieces) = &mut self.guest.pieces {
            pieces
                .begin(self.guest.vm)
                .map_err(InvocationError::engine)?;
        }
        let end = self.run(syscalls)?;
        if let Some(pieces) = &mut self.guest.pieces {
            pieces.end();
        }
        self.observer.ended(&mut self.guest, &mapping.heap);
        Ok(end)
    }
}

impl<O: Observer> Observed<'_, O> {
    fn run(&mut self, syscalls: &mut Syscalls) -> Result<End, InvocationError> {
        let Self {
            guest, observer, ..
        } = self;
        loop {
            match guest.vm.run().map_err(InvocationError::engine)? {
                InterruptKind::Finished => return Ok(End::Returned(guest.vm.reg(Reg::A0))),
                InterruptKind::NotEnoughGas => {
                    observer.unpaid();
                    return Ok(End::Failed(guest.out_of_gas(syscalls.gas_limit())));
                }
                InterruptKind::Ecalli(number) => {
                    let program = guest.program;
                    let Some(syscall) = program.syscalls.get(number as usize) else {
                        return Ok(End::Failed(guest.trapped()));
                    };
                    let (before, calls) = (guest.gas(), syscalls.call_count());
                    let returned = syscalls.call(syscall, guest.arguments(), guest);
                    // A syscall takes off gas, and never adds any.
                    let used = before - guest.gas();
                    let profile = syscalls.take_profile();
                    match syscalls.call_since(calls) {
                        None => observer.syscall(number, used),
                        Some(called) => {
                            let gas = called.gas_used.min(used);
                            observer.syscall(number, used - gas);
                            observer.called(number, called.program_id, gas, profile);
                        }
                    }
                    match returned {
                        Ok(Some(value)) => guest.vm.set_reg(Reg::A0, value),
                        Ok(None) => {}
                        Err(failure) => return Ok(End::Failed(failure)),
                    }
                }
                // Only in a module that is compiled for it.
                InterruptKind::Step => {
                    if observer.step(guest, syscalls.heap()).is_break() {
                        return Ok(End::Failed(Failure::Aborted));
                    }
                }
                // Only in memory of pages.
                InterruptKind::Segfault(segfault) => {
                    let (page, is_write) = (segfault.page_address, segfault.is_write_protected);
                    let Guest { vm, pages, .. } = &mut *guest;
                    let pages = pages.as_mut();
                    if !pages.is_some_and(|pages| pages.page_in(vm, page, is_write)) {
                        return Ok(End::Failed(guest.trapped()));
                    }
                }
                InterruptKind::Trap => return Ok(End::Failed(guest.trapped())),
            }
        }
    }
}

/// Where input and heap are.
///
/// The heap is above the input, because the interpreter clears its memory up to the highest address
/// that is written: most programs write little of their heap.
pub(crate) struct Layout {
    pub input: u64,
    pub heap_base: u64,
}

impl Layout {
    /// The layout above a program's data.
    pub fn new(data_end: u32, input_length: u64) -> Self {
        let data_end = u64::from(data_end);
        let input = data_end.next_multiple_of(INPUT_ALIGNMENT.into());
        // Whole pages above the end of the data: then the alignment gaps on the heap depend on the
        // program and not on the input.
        let below = (input + input_length - data_end).next_multiple_of(PAGE_SIZE.into());
        Self {
            input,
            heap_base: data_end + below,
        }
    }
}
