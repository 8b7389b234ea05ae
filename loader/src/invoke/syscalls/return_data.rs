//! The return data.

use super::call::Call;
use super::{Returned, Syscalls};
use crate::error::{Access, Failure};
use crate::invoke::guest::{GuestMemory, Inaccessible};

/// Replaces the return data.
pub(super) fn set<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let length = call.argument(1);
    call.syscalls.check_return_data_length(length)?;
    let data = call.read(call.argument(0), length)?;
    call.syscalls.set_return_data(data)?;
    Ok(None)
}

/// Copies the start of the return data and the program's id; returns the length of all of it.
pub(super) fn get<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let whole = call.syscalls.return_data.len() as u64;
    let copied = call.argument(1).min(whole);
    if copied > 0 {
        call.pay_for(copied)?;
        call.pay_for(32)?;
        let address = call.argument(0);
        let data = &call.syscalls.return_data[..copied as usize];
        let written = call.guest.write(address, data);
        written.map_err(|Inaccessible| call.invalid(address, copied, Access::Write))?;
        let program_id = call.syscalls.returning_program;
        call.write(call.argument(2), program_id.as_bytes())?;
    }
    Ok(Some(whole))
}

impl Syscalls {
    fn check_return_data_length(&self, length: u64) -> Result<(), Failure> {
        let limit = self.settings.limits.return_data;
        if length > limit as u64 {
            return Err(Failure::ReturnDataTooLong { length, limit });
        }
        Ok(())
    }

    /// Replaces the return data with that of the current program.
    pub(crate) fn set_return_data(&mut self, data: Vec<u8>) -> Result<(), Failure> {
        self.check_return_data_length(data.len() as u64)?;
        self.return_data = data;
        self.returning_program = self.program_id;
        Ok(())
    }
}
