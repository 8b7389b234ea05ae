//! What the loader does when a program calls it.

use abi::Pubkey;
use abi::imports::{Import, gas_for_bytes};
use polkavm::{ProgramBlob, RawInstance, Reg, RegValue};

use crate::diagnosis;
use crate::failure::{Access, Failure};
use crate::guest_memory::{self, Inaccessible};
use crate::limits::Limits;
use crate::outcome::HeapUse;

/// What a program has said so far.
#[derive(Default)]
pub(crate) struct Host {
    pub logs: Vec<String>,
    logged_bytes: usize,
    pub return_data: Vec<u8>,
}

/// What the host needs to know of the invocation.
pub(crate) struct Context<'a> {
    pub limits: &'a Limits,
    pub program_id: &'a Pubkey,
    /// For its debug information.
    pub blob: &'a ProgramBlob,
    pub gas_limit: u64,
    /// How the heap is used at the moment of the call.
    pub heap: &'a dyn Fn(&mut RawInstance) -> HeapUse,
}

/// One call, while it is answered.
struct Call<'a> {
    import: Import,
    instance: &'a mut RawInstance,
    context: &'a Context<'a>,
}

impl Host {
    /// Answers one call. A failure ends the program.
    pub(crate) fn call(
        &mut self,
        import: Import,
        instance: &mut RawInstance,
        context: &Context<'_>,
    ) -> Result<(), Failure> {
        let mut call = Call {
            import,
            instance,
            context,
        };
        match import {
            Import::Log => {
                // Asked before the text is read, which may be as long as memory.
                self.check_log_length(call.argument(1), context)?;
                let text = call.read(call.argument(0), call.argument(1))?;
                self.log(String::from_utf8_lossy(&text).into_owned(), context)
            }
            Import::Log64 => {
                let numbers: Vec<String> = (0..5)
                    .map(|index| format!("{:#x}", call.argument(index)))
                    .collect();
                self.log(numbers.join(", "), context)
            }
            Import::LogPubkey => {
                let key = call.read(call.argument(0), 32)?;
                let key: [u8; 32] = bytemuck::pod_read_unaligned(&key);
                self.log(Pubkey::new(key).to_string(), context)
            }
            Import::LogComputeUnits => {
                let remaining = call.instance.gas();
                self.log(format!("gas remaining: {remaining}"), context)
            }
            Import::RemainingComputeUnits => {
                // Never negative: the call has been paid for.
                let remaining = call.instance.gas() as u64;
                call.answer(remaining);
                Ok(())
            }
            Import::SetReturnData => {
                let length = call.argument(1);
                let limit = context.limits.return_data;
                if length > limit as u64 {
                    return Err(Failure::ReturnDataTooLong { length, limit });
                }
                self.return_data = call.read(call.argument(0), length)?;
                Ok(())
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
                call.answer(whole);
                Ok(())
            }
            Import::Abort => Err(diagnosis::aborted(
                call.instance,
                call.argument(0),
                call.argument(1),
                context,
            )),
            Import::Memcpy | Import::Memmove => {
                let bytes = call.read(call.argument(1), call.argument(2))?;
                call.write(call.argument(0), &bytes)
            }
            Import::Memset => {
                let length = call.argument(2);
                let value = call.argument(1) as u8;
                call.pay_for(length)?;
                // Paid for, so no longer than the gas allows; accessible, so no longer than memory.
                call.check_writable(call.argument(0), length)?;
                call.write(call.argument(0), &vec![value; length as usize])
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
                call.write(call.argument(3), &difference.to_le_bytes())
            }
        }
    }

    fn check_log_length(&self, length: u64, context: &Context<'_>) -> Result<(), Failure> {
        let limit = context.limits.logs;
        if length > limit.saturating_sub(self.logged_bytes) as u64 {
            return Err(Failure::LogsTooLong { limit });
        }
        Ok(())
    }

    fn log(&mut self, line: String, context: &Context<'_>) -> Result<(), Failure> {
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

impl Call<'_> {
    fn argument(&self, index: usize) -> RegValue {
        self.instance.reg(Reg::ARG_REGS[index])
    }

    fn answer(&mut self, value: RegValue) {
        self.instance.set_reg(Reg::A0, value);
    }

    /// Takes the price of touching `length` bytes off the gas.
    fn pay_for(&mut self, length: u64) -> Result<(), Failure> {
        let price = i64::try_from(gas_for_bytes(length)).unwrap_or(i64::MAX);
        let rest = self.instance.gas() - price;
        if rest < 0 {
            return Err(diagnosis::out_of_gas(
                self.context.blob,
                self.instance,
                self.context.gas_limit,
            ));
        }
        self.instance.set_gas(rest);
        Ok(())
    }

    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Failure> {
        self.pay_for(length)?;
        guest_memory::read(self.instance, address, length)
            .map_err(|Inaccessible| self.invalid(address, length, Access::Read))
    }

    /// Writes bytes that have been paid for by reading them, or that are few.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Failure> {
        guest_memory::write(self.instance, address, bytes)
            .map_err(|Inaccessible| self.invalid(address, bytes.len() as u64, Access::Write))
    }

    fn check_writable(&self, address: u64, length: u64) -> Result<(), Failure> {
        let invalid = || self.invalid(address, length, Access::Write);
        let start = u32::try_from(address).map_err(|_| invalid())?;
        let size = u32::try_from(length).map_err(|_| invalid())?;
        if self
            .instance
            .is_memory_accessible(start, size, polkavm::MemoryProtection::ReadWrite)
        {
            Ok(())
        } else {
            Err(invalid())
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
