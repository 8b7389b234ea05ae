//! One syscall while it runs: its arguments, and checked access to the program's memory.

use abi::imports::Import;

use super::{Arguments, Syscalls};
use crate::error::{Access, Failure};
use crate::invoke::guest::{GuestMemory, Inaccessible, NotEnoughGas, pay_for};

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

    /// Takes the price of touching `length` bytes off the gas.
    pub fn pay_for(&mut self, length: u64) -> Result<(), Failure> {
        pay_for(self.guest, length)
            .map_err(|NotEnoughGas| self.guest.out_of_gas(self.syscalls.gas_limit))
    }

    /// Pays for bytes and reads them.
    pub fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Failure> {
        self.pay_for(length)?;
        self.guest
            .read(address, length)
            .map_err(|Inaccessible| self.invalid(address, length, Access::Read))
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
