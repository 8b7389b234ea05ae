//! Log lines.

use abi::Pubkey;
use abi::call::Slice;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::call::Call;
use super::{Returned, Syscalls};
use crate::error::Failure;
use crate::invoke::guest::GuestMemory;
use crate::log_style::LogStyle;
use crate::transaction_use::TransactionUse;

/// The start of an event's line, as the runtime writes it.
const DATA_PREFIX: &str = "Program data: ";

/// The start of any other line of a program, as the runtime writes it.
const TEXT_PREFIX: &str = "Program log: ";

/// The line of the runtime for the first line that did not fit.
const TRUNCATED: &str = "Log truncated";

/// The lines that the programs of an invocation have logged.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub lines: Vec<String>,
    /// The bytes that count for the limit.
    bytes: usize,
    /// Whether a line was left out, in the style of the runtime.
    is_truncated: bool,
}

impl Log {
    /// No lines yet, after those of the earlier instructions of a transaction.
    pub(super) fn after(earlier: &TransactionUse) -> Self {
        Self {
            lines: Vec::new(),
            bytes: earlier.log_bytes,
            is_truncated: earlier.is_log_truncated,
        }
    }

    /// What the lines have used of the limit.
    pub(super) fn transaction_use(&self) -> TransactionUse {
        TransactionUse {
            log_bytes: self.bytes,
            is_log_truncated: self.is_truncated,
            ..TransactionUse::default()
        }
    }
}

/// Logs a text.
pub(super) fn text<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let (address, length) = (call.argument(0), call.argument(1));
    // Checked before the text is read, which may be as long as memory.
    call.syscalls.check_log_length(length)?;
    let text = call.read(address, length)?;
    match (call.syscalls.log_style(), String::from_utf8(text)) {
        (LogStyle::Plain, Ok(text)) => call.syscalls.log(text),
        (LogStyle::Plain, Err(error)) => {
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            call.syscalls.log(text)
        }
        (LogStyle::Runtime, Ok(text)) => call.syscalls.log(format!("{TEXT_PREFIX}{text}")),
        (LogStyle::Runtime, Err(error)) => Err(Failure::SyscallFailed {
            symbol: call.syscall.symbol().to_owned(),
            reason: format!("the text is not UTF-8: {}", error.utf8_error()),
        }),
    }
}

/// Logs five numbers in hexadecimal.
pub(super) fn numbers<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let numbers: Vec<String> = (0..5)
        .map(|index| format!("{:#x}", call.argument(index)))
        .collect();
    call.syscalls.log_text(numbers.join(", "))
}

/// Logs a key in base58.
pub(super) fn pubkey<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let key = call.read(call.argument(0), 32)?;
    let key: [u8; 32] = bytemuck::pod_read_unaligned(&key);
    call.syscalls.log_text(Pubkey::new(key).to_string())
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
    call.syscalls.log(match call.syscalls.log_style() {
        LogStyle::Plain => format!("gas remaining: {remaining}"),
        LogStyle::Runtime => format!("Program consumption: {remaining} units remaining"),
    })
}

impl Syscalls {
    fn check_log_length(&self, length: u64) -> Result<(), Failure> {
        let limit = self.settings.limits.logs;
        let is_too_long = length > limit.saturating_sub(self.log.bytes) as u64;
        match self.log_style() {
            LogStyle::Plain if is_too_long => Err(Failure::LogsTooLong { limit }),
            LogStyle::Plain | LogStyle::Runtime => Ok(()),
        }
    }

    /// Adds a line of the current program, with the prefix of such lines.
    fn log_text(&mut self, line: String) -> Returned {
        self.log(match self.log_style() {
            LogStyle::Plain => line,
            LogStyle::Runtime => format!("{TEXT_PREFIX}{line}"),
        })
    }

    /// Adds a line. In the plain style, an empty line counts one byte, because it uses the loader's
    /// memory too.
    pub(crate) fn log(&mut self, line: String) -> Returned {
        if self.log_style() == LogStyle::Runtime {
            self.log_line(line);
            return Ok(None);
        }
        let limit = self.settings.limits.logs;
        self.log.bytes += line.len() + 1;
        if self.log.bytes > limit {
            return Err(Failure::LogsTooLong { limit });
        }
        self.log.lines.push(line);
        Ok(None)
    }

    /// Adds a line as the runtime does: a line that does not fit is left out, and a shorter one
    /// after it may fit.
    pub(crate) fn log_line(&mut self, line: String) {
        let bytes = self.log.bytes.saturating_add(line.len());
        if bytes < self.settings.limits.logs {
            self.log.bytes = bytes;
            self.log.lines.push(line);
        } else if !self.log.is_truncated {
            self.log.is_truncated = true;
            self.log.lines.push(TRUNCATED.to_owned());
        }
    }
}
