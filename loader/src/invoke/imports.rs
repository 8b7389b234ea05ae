//! What the loader does when a program calls it.

use abi::Pubkey;
use abi::imports::{Import, MAX_ARGUMENTS, gas_for_bytes};

use crate::backend::polkavm::diagnose;
use crate::backend::{Context, Inaccessible, Machine};
use crate::error::{Access, Failure};

/// What a program has said so far.
#[derive(Default)]
pub(crate) struct Host {
    pub logs: Vec<String>,
    logged_bytes: usize,
    pub return_data: Vec<u8>,
}

/// What an import is called with, as numbers of 64 bits; what it does not take is anything.
pub(crate) type Arguments = [u64; MAX_ARGUMENTS];

/// One call, while it is answered.
struct Call<'a, M> {
    import: Import,
    arguments: Arguments,
    machine: &'a mut M,
    context: &'a Context,
}

impl Host {
    /// Answers one call, with a number if the import has one to answer. A failure ends the program.
    pub(crate) fn call(
        &mut self,
        import: Import,
        arguments: Arguments,
        machine: &mut impl Machine,
        context: &Context,
    ) -> Result<Option<u64>, Failure> {
        let mut call = Call {
            import,
            arguments,
            machine,
            context,
        };
        let mut answer = None;
        match import {
            Import::Log => {
                // Asked before the text is read, which may be as long as memory.
                self.check_log_length(call.argument(1), context)?;
                let text = call.read(call.argument(0), call.argument(1))?;
                self.log(String::from_utf8_lossy(&text).into_owned(), context)?;
            }
            Import::Log64 => {
                let numbers: Vec<String> = (0..5)
                    .map(|index| format!("{:#x}", call.argument(index)))
                    .collect();
                self.log(numbers.join(", "), context)?;
            }
            Import::LogPubkey => {
                let key = call.read(call.argument(0), 32)?;
                let key: [u8; 32] = bytemuck::pod_read_unaligned(&key);
                self.log(Pubkey::new(key).to_string(), context)?;
            }
            Import::LogComputeUnits => {
                let remaining = call.machine.gas();
                self.log(format!("gas remaining: {remaining}"), context)?;
            }
            Import::RemainingComputeUnits => answer = Some(call.machine.gas()),
            Import::SetReturnData => {
                let length = call.argument(1);
                let limit = context.limits.return_data;
                if length > limit as u64 {
                    return Err(Failure::ReturnDataTooLong { length, limit });
                }
                self.return_data = call.read(call.argument(0), length)?;
            }
            Import::GetReturnData => {
                let whole = self.return_data.len() as u64;
                let copied = call.argument(1).min(whole);
                if copied > 0 {
                    call.pay_for(copied)?;
                    call.pay_for(32)?;
                    call.write(call.argument(0), &self.return_data[..copied as usize])?;
                    call.write(call.argument(2), context.program_id.as_bytes())?;
                }
                answer = Some(whole);
            }
            Import::Abort => {
                let (report, magic) = (call.argument(0), call.argument(1));
                return Err(diagnose::aborted(call.machine, report, magic, context));
            }
            Import::Memcpy | Import::Memmove => {
                let bytes = call.read(call.argument(1), call.argument(2))?;
                call.write(call.argument(0), &bytes)?;
            }
            Import::Memset => {
                let length = call.argument(2);
                let value = call.argument(1) as u8;
                call.pay_for(length)?;
                // Paid for, so no longer than the gas allows; accessible, so no longer than memory.
                call.check_writable(call.argument(0), length)?;
                call.write(call.argument(0), &vec![value; length as usize])?;
            }
            Import::Memcmp => {
                let left = call.read(call.argument(0), call.argument(2))?;
                let right = call.read(call.argument(1), call.argument(2))?;
                let difference = left
                    .iter()
                    .zip(&right)
                    .map(|(left, right)| i32::from(*left) - i32::from(*right))
                    .find(|difference| *difference != 0)
                    .unwrap_or(0);
                call.pay_for(4)?;
                call.write(call.argument(3), &difference.to_le_bytes())?;
            }
        }
        Ok(answer)
    }

    fn check_log_length(&self, length: u64, context: &Context) -> Result<(), Failure> {
        let limit = context.limits.logs;
        if length > limit.saturating_sub(self.logged_bytes) as u64 {
            return Err(Failure::LogsTooLong { limit });
        }
        Ok(())
    }

    fn log(&mut self, line: String, context: &Context) -> Result<(), Failure> {
        // A line without text takes memory of the host's too.
        self.logged_bytes += line.len() + 1;
        if self.logged_bytes > context.limits.logs {
            return Err(Failure::LogsTooLong {
                limit: context.limits.logs,
            });
        }
        self.logs.push(line);
        Ok(())
    }
}

impl<M: Machine> Call<'_, M> {
    fn argument(&self, index: usize) -> u64 {
        self.arguments[index]
    }

    /// Takes the price of touching `length` bytes off the gas.
    fn pay_for(&mut self, length: u64) -> Result<(), Failure> {
        match self.machine.gas().checked_sub(gas_for_bytes(length)) {
            Some(rest) => {
                self.machine.set_gas(rest);
                Ok(())
            }
            None => Err(self.machine.out_of_gas(self.context.gas_limit)),
        }
    }

    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Failure> {
        self.pay_for(length)?;
        self.machine
            .read(address, length)
            .map_err(|Inaccessible| self.invalid(address, length, Access::Read))
    }

    /// Writes bytes that have been paid for by reading them, or that are few.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Failure> {
        self.machine
            .write(address, bytes)
            .map_err(|Inaccessible| self.invalid(address, bytes.len() as u64, Access::Write))
    }

    fn check_writable(&mut self, address: u64, length: u64) -> Result<(), Failure> {
        if self.machine.is_writable(address, length) {
            Ok(())
        } else {
            Err(self.invalid(address, length, Access::Write))
        }
    }

    fn invalid(&self, address: u64, length: u64, access: Access) -> Failure {
        Failure::InvalidPointer {
            import: self.import,
            address,
            length,
            access,
        }
    }
}
