//! The memory and the gas of a program on PolkaVM.

use polkavm::{MemoryProtection, RawInstance, Reg};

use super::paged::Pages;
use super::pieces::Pieces;
use super::{LoadedBlob, PAGE_SIZE, diagnose};
use crate::account::Data;
use crate::backend::{Arguments, GuestMemory, Inaccessible};
use crate::error::Failure;
use crate::invoke::guest::read_and_compare;

/// A program in one of the VM's instances.
pub(crate) struct Guest<'a> {
    pub vm: &'a mut RawInstance,
    pub program: &'a LoadedBlob,
    /// Only on the compiling engine.
    pub(super) pieces: Option<Pieces>,
    /// The memory, if it is one of pages.
    pub(super) pages: Option<Box<Pages>>,
}

impl GuestMemory for Guest<'_> {
    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        let (address, length) = range(address, buffer.len() as u64)?;
        if let Some(pages) = &self.pages {
            if buffer.is_empty() {
                return Ok(());
            }
            if !pages.is_readable(address, length) {
                return Err(Inaccessible);
            }
            return pages.read(self.vm, address, buffer);
        }
        if let Some(bytes) = self.in_piece(address, buffer.len())? {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        self.vm
            .read_memory_into(address, buffer)
            .map(|_| ())
            .map_err(|_| Inaccessible)
    }

    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        let (address, length) = range(address, length)?;
        if length == 0 {
            return Ok(Vec::new());
        }
        if let Some(pages) = &self.pages {
            if !pages.is_readable(address, length) {
                return Err(Inaccessible);
            }
            let mut bytes = vec![0; length as usize];
            pages.read(self.vm, address, &mut bytes)?;
            return Ok(bytes);
        }
        if let Some(bytes) = self.in_piece(address, length as usize)? {
            return Ok(bytes.to_vec());
        }
        // Checked first, because the VM allocates the buffer before it checks the memory. A short
        // one takes less time than the check.
        let protection = MemoryProtection::Read;
        if length > PAGE_SIZE && !self.vm.is_memory_accessible(address, length, protection) {
            return Err(Inaccessible);
        }
        self.vm
            .read_memory(address, length)
            .map_err(|_| Inaccessible)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        let (address, length) = range(address, bytes.len() as u64)?;
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(pages) = &mut self.pages {
            if !pages.is_writable(address, length) {
                return Err(Inaccessible);
            }
            return pages.write(self.vm, address, bytes);
        }
        if let Some(pieces) = &mut self.pieces {
            if pieces.write(self.vm, address, bytes) {
                return Ok(());
            }
            pieces.flush(self.vm).map_err(|_| Inaccessible)?;
        }
        self.vm
            .write_memory(address, bytes)
            .map_err(|_| Inaccessible)
    }

    fn is_writable(&mut self, address: u64, length: u64) -> bool {
        match (u32::try_from(address), u32::try_from(length)) {
            (Ok(address), Ok(length)) => match &self.pages {
                Some(pages) => length == 0 || pages.is_writable(address, length),
                None => self
                    .vm
                    .is_memory_accessible(address, length, MemoryProtection::ReadWrite),
            },
            _ => false,
        }
    }

    fn lend(&mut self, address: u64, data: &Data) -> Result<(), Inaccessible> {
        let (start, length) = range(address, data.len() as u64)?;
        match &mut self.pages {
            Some(pages) if length > 0 => {
                if !pages.is_writable(start, length) {
                    return Err(Inaccessible);
                }
                pages.lend(self.vm, start, data)
            }
            _ => self.write(address, data),
        }
    }

    fn read_data(
        &mut self,
        address: u64,
        length: u64,
        before: &Data,
    ) -> Result<Data, Inaccessible> {
        if let Some(pages) = &self.pages {
            let (start, _) = range(address, length)?;
            if let Some(data) = pages.read_lent(self.vm, start, length, before) {
                return data;
            }
        }
        read_and_compare(self, address, length, before)
    }

    fn gas(&self) -> u64 {
        // It is negative after a block that could not be paid.
        self.vm.gas().max(0) as u64
    }

    fn set_gas(&mut self, gas: u64) {
        // A valid invocation has at most as much as the VM can count.
        self.vm.set_gas(i64::try_from(gas).unwrap_or(i64::MAX));
    }

    fn out_of_gas(&self, limit: u64) -> Failure {
        diagnose::out_of_gas(&self.program.blob, self.vm, limit)
    }
}

impl Guest<'_> {
    /// The arguments of the syscall that the program has called.
    pub fn arguments(&self) -> Arguments {
        std::array::from_fn(|index| self.vm.reg(Reg::ARG_REGS[index]))
    }

    /// The bytes at an address, if they need no access of their own.
    fn in_piece(&mut self, address: u32, length: usize) -> Result<Option<&[u8]>, Inaccessible> {
        let Some(pieces) = &mut self.pieces else {
            return Ok(None);
        };
        pieces.flush(self.vm).map_err(|_| Inaccessible)?;
        Ok(pieces.read(self.vm, address, length))
    }

    /// The failure of a program that has trapped at its current instruction.
    pub fn trapped(&self) -> Failure {
        diagnose::trapped(&self.program.blob, self.vm)
    }
}

/// Checks that a range is below 4 GiB: addresses have 32 bits, and ranges do not wrap around.
fn range(address: u64, length: u64) -> Result<(u32, u32), Inaccessible> {
    let end = address.checked_add(length).ok_or(Inaccessible)?;
    if end > 1 << 32 {
        return Err(Inaccessible);
    }
    let address = u32::try_from(address).map_err(|_| Inaccessible)?;
    let length = u32::try_from(length).map_err(|_| Inaccessible)?;
    Ok((address, length))
}
