//! The lines that the Rialo runtime logs around each program.

use std::cell::RefCell;
use std::fmt::{Arguments, Write as _};

use abi::Pubkey;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::Finished;
use super::reason::{NOT_ENTERED, note, reason};
use super::syscalls::Syscalls;
use crate::error::Failure;
use crate::log_style::LogStyle;

thread_local! {
    /// The id that this thread has logged last, and its text. A program logs several lines with its
    /// id, and is often called again.
    static LAST_ID: RefCell<(Pubkey, String)> = const { RefCell::new((Pubkey::new([0; 32]), String::new())) };
}

impl Syscalls {
    /// Logs that the current program begins.
    pub(crate) fn log_begin(&mut self) {
        if self.log_style() == LogStyle::Runtime {
            let depth = self.depth();
            self.log_of_program(format_args!("invoke [{depth}]"));
        }
    }

    /// Logs that the current program was not entered, because its loader rejects the invocation.
    pub(crate) fn log_not_entered(&mut self) {
        if self.log_style() == LogStyle::Runtime {
            self.log_of_program(format_args!("failed: {NOT_ENTERED}"));
        }
    }

    /// Logs that the current program has ended. `gas` is what it began with; a program of the
    /// host's has `None`.
    pub(crate) fn log_end(&mut self, finished: &Finished, gas: Option<u64>) {
        if self.log_style() != LogStyle::Runtime {
            return;
        }
        if let Err(Failure::InvalidCall(error)) = &finished.result
            && let Some(note) = note(error)
        {
            self.log_line(note);
        }
        if let Some(gas) = gas {
            let used = gas - finished.gas;
            self.log_of_program(format_args!("consumed {used} of {gas} compute units"));
            if !self.return_data().is_empty() {
                let data = BASE64_STANDARD.encode(self.return_data());
                let program_id = self.program_id();
                self.log_line(format!("Program return: {program_id} {data}"));
            }
        }
        match &finished.result {
            Ok(_) => self.log_of_program(format_args!("success")),
            Err(failure) => {
                let reason = reason(failure, self.broken_rule());
                self.log_of_program(format_args!("failed: {reason}"));
            }
        }
    }

    /// Logs what the current program does.
    fn log_of_program(&mut self, event: Arguments<'_>) {
        let program_id = self.program_id();
        let mut line = LAST_ID.with_borrow_mut(|(id, text)| {
            if *id != program_id || text.is_empty() {
                (*id, *text) = (program_id, program_id.to_string());
            }
            // Most events fit, so the line is allocated once.
            let mut line = String::with_capacity(text.len() + 64);
            line.push_str("Program ");
            line.push_str(text);
            line.push(' ');
            line
        });
        line.write_fmt(event).expect("a string takes all text");
        self.log_line(line);
    }
}
