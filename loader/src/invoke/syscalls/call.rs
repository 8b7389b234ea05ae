//! One syscall while it runs: its arguments, and checked access to the program's memory.

use abi::imports::Import;
use bytemuck::Pod;

use super::{Arguments, Syscalls};
use crate::error::{Access, Failure};
use crate::invoke::guest::{GuestMemory, Inaccessible, NotEnoughGas, pay};

/// One syscall while it runs.
pub(super) struct Call<'a, G> {
    pub syscall: Import,
    pub arguments: Arguments,
    pub guest: &'a mut G,
    pub syscalls: &'a mut Syscalls,
}

impl<G: GuestMemory> Call<'_, G> {
    pub fn argument(&self, index: usize) -> u64 {
        self.arguments[index]
    }

    /// Takes a price off the gas.
    pub fn pay(&mut self, price: u64) -> Result<(), Failure> {
        if price == 0 {
            return Ok(());
        }
        pay(self.guest, price)
            .map_err(|NotEnoughGas| self.guest.out_of_gas(self.syscalls.gas_limit))
    }

    /// Takes the syscall's base price off the gas. The loader does that once before each syscall.
    pub fn pay_base(&mut self) -> Result<(), Failure> {
        self.pay(self.syscalls.prices().of(self.syscall).base)
    }

    /// Takes the price of touching a range of `length` bytes off the gas.
    pub fn pay_for(&mut self, length: u64) -> Result<(), Failure> {
        self.pay(self.syscalls.prices().of(self.syscall).for_bytes(length))
    }

    /// Takes the price of touching so many bytes off the gas that are not the program's own data,
    /// but lists and headers around them.
    pub fn pay_for_layout(&mut self, length: usize) -> Result<(), Failure> {
        self.pay(self.syscalls.prices().lists.for_bytes(length as u64))
    }

    /// Pays for bytes and reads them.
    pub fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Failure> {
        self.pay_for(length)?;
        self.read_prepaid(address, length)
    }

    /// Reads bytes that the caller has paid for.
    pub fn read_prepaid(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Failure> {
        self.guest
            .read(address, length)
            .map_err(|Inaccessible| self.invalid(address, length, Access::Read))
    }

    /// Reads bytes that the base price pays for, because they are few.
    pub fn read_array<const N: usize>(&mut self, address: u64) -> Result<[u8; N], Failure> {
        let mut array = [0; N];
        self.guest
            .read_into(address, &mut array)
            .map_err(|Inaccessible| self.invalid(address, N as u64, Access::Read))?;
        Ok(array)
    }

    /// Pays for a list of values and reads it.
    pub fn read_list<T: Pod>(&mut self, address: u64, count: u64) -> Result<Vec<T>, Failure> {
        // So long a list is in no memory.
        let length = count.saturating_mul(size_of::<T>() as u64);
        self.pay(self.syscalls.prices().lists.for_bytes(length))?;
        let bytes = self.read_prepaid(address, length)?;
        let values = bytes.chunks_exact(size_of::<T>());
        Ok(values.map(bytemuck::pod_read_unaligned).collect())
    }

    /// Writes bytes. The caller has paid for them.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Failure> {
        self.guest
            .write(address, bytes)
            .map_err(|Inaccessible| self.invalid(address, bytes.len() as u64, Access::Write))
    }

    /// Fails if the program may not write `length` bytes.
    pub fn check_writable(&mut self, address: u64, length: u64) -> Result<(), Failure> {
        if self.guest.is_writable(address, length) {
            Ok(())
        } else {
            Err(self.invalid(address, length, Access::Write))
        }
    }

    /// The failure of a program that passes this address.
    pub fn invalid(&self, address: u64, length: u64, access: Access) -> Failure {
        Failure::InvalidPointer {
            import: self.syscall,
            address,
            length,
            access,
        }
    }
}
