//! The lines that the Rialo runtime logs around each program.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::Finished;
use super::reason::{NOT_ENTERED, note, reason};
use super::syscalls::Syscalls;
use crate::error::Failure;
use crate::log_style::LogStyle;

impl Syscalls {
    /// Logs that the current program begins.
    pub(crate) fn log_begin(&mut self) {
        if self.log_style() == LogStyle::Runtime {
            let (program_id, depth) = (self.program_id(), self.depth());
            self.log_line(format!("Program {program_id} invoke [{depth}]"));
        }
    }

    /// Logs that the current program was not entered, because its loader rejects the invocation.
    pub(crate) fn log_not_entered(&mut self) {
        if self.log_style() == LogStyle::Runtime {
            let program_id = self.program_id();
            self.log_line(format!("Program {program_id} failed: {NOT_ENTERED}"));
        }
    }

    /// Logs that the current program has ended. `gas` is what it began with; a program of the
    /// host's has `None`.
    pub(crate) fn log_end(&mut self, finished: &Finished, gas: Option<u64>) {
        if self.log_style() != LogStyle::Runtime {
            return;
        }
        let program_id = self.program_id();
        if let Err(Failure::InvalidCall(error)) = &finished.result
            && let Some(note) = note(error)
        {
            self.log_line(note);
        }
        if let Some(gas) = gas {
            let used = gas - finished.gas;
            self.log_line(format!(
                "Program {program_id} consumed {used} of {gas} compute units"
            ));
            if !self.return_data().is_empty() {
                let data = BASE64_STANDARD.encode(self.return_data());
                self.log_line(format!("Program return: {program_id} {data}"));
            }
        }
        let line = match &finished.result {
            Ok(_) => format!("Program {program_id} success"),
            Err(failure) => {
                let reason = reason(failure, self.broken_rule());
                format!("Program {program_id} failed: {reason}")
            }
        };
        self.log_line(line);
    }
}
