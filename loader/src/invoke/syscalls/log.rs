//! Log lines.

use abi::Pubkey;
use abi::call::Slice;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::call::Call;
use super::{Returned, Syscalls};
use crate::error::Failure;
use crate::invoke::guest::GuestMemory;

/// The start of an event's line, as the runtime writes it.
const DATA_PREFIX: &str = "Program data: ";

/// Logs a text.
pub(super) fn text<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let (address, length) = (call.argument(0), call.argument(1));
    // Checked before the text is read, which may be as long as memory.
    call.syscalls.check_log_length(length)?;
    let text = call.read(address, length)?;
    call.syscalls
        .log(String::from_utf8_lossy(&text).into_owned())
}

/// Logs five numbers in hexadecimal.
pub(super) fn numbers<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let numbers: Vec<String> = (0..5)
        .map(|index| format!("{:#x}", call.argument(index)))
        .collect();
    call.syscalls.log(numbers.join(", "))
}

/// Logs a key in base58.
pub(super) fn pubkey<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let key = call.read(call.argument(0), 32)?;
    let key: [u8; 32] = bytemuck::pod_read_unaligned(&key);
    call.syscalls.log(Pubkey::new(key).to_string())
}

/// Logs slices of bytes as one event: each in base64.
pub(super) fn data<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let slices: Vec<Slice> = call.read_list(call.argument(0), call.argument(1))?;
    // Checked before the bytes are read, which may be as long as memory, once for each slice.
    let texts = slices
        .iter()
        .map(|slice| slice.length.div_ceil(3).saturating_mul(4));
    let length = texts.fold(DATA_PREFIX.len() as u64, |sum, text| {
        sum.saturating_add(text).saturating_add(1)
    });
    call.syscalls.check_log_length(length - 1)?;
    let mut line = DATA_PREFIX.to_owned();
    for (index, slice) in slices.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        BASE64_STANDARD.encode_string(call.read(slice.address, slice.length)?, &mut line);
    }
    call.syscalls.log(line)
}

/// Logs the gas that remains.
pub(super) fn remaining_gas<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let remaining = call.guest.gas();
    call.syscalls.log(format!("gas remaining: {remaining}"))
}

impl Syscalls {
    fn check_log_length(&self, length: u64) -> Result<(), Failure> {
        let limit = self.settings.limits.logs;
        if length > limit.saturating_sub(self.logged_bytes) as u64 {
            return Err(Failure::LogsTooLong { limit });
        }
        Ok(())
    }

    /// Adds a line. An empty line counts one byte, because it uses the loader's memory too.
    pub(crate) fn log(&mut self, line: String) -> Returned {
        let limit = self.settings.limits.logs;
        self.logged_bytes += line.len() + 1;
        if self.logged_bytes > limit {
            return Err(Failure::LogsTooLong { limit });
        }
        self.logs.push(line);
        Ok(None)
    }
}
