//! The lines that the Rialo runtime logs around each program.

use std::cell::RefCell;

use abi::Pubkey;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use itoa::Buffer;

use super::Finished;
use super::reason::{NOT_ENTERED, note, reason};
use super::syscalls::Syscalls;
use crate::error::Failure;
use crate::log_style::LogStyle;

/// The start of these lines.
const PROGRAM: &str = "Program ";

thread_local! {
    /// The id that this thread has logged last, and its text. A program logs several lines with its
    /// id, and is often called again.
    static LAST_ID: RefCell<(Pubkey, String)> = const {
        RefCell::new((Pubkey::new([0; 32]), String::new()))
    };
}

impl Syscalls {
    /// Logs that the current program begins.
    pub(crate) fn log_begin(&mut self) {
        if self.log_style() == LogStyle::Runtime {
            let depth = self.depth();
            self.log_of_program(&["invoke [", Buffer::new().format(depth), "]"]);
        }
    }

    /// Logs that the current program was not entered, because its loader rejects the invocation.
    pub(crate) fn log_not_entered(&mut self) {
        if self.log_style() == LogStyle::Runtime {
            self.log_of_program(&["failed: ", NOT_ENTERED]);
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
            let [mut first, mut second] = [Buffer::new(); 2];
            let (used, gas) = (first.format(used), second.format(gas));
            self.log_of_program(&["consumed ", used, " of ", gas, " compute units"]);
            if !self.return_data().is_empty() {
                let data = BASE64_STANDARD.encode(self.return_data());
                let program_id = self.program_id();
                self.log_line(format!("Program return: {program_id} {data}"));
            }
        }
        match &finished.result {
            Ok(_) => self.log_of_program(&["success"]),
            Err(failure) => {
                let reason = reason(failure, self.broken_rule());
                self.log_of_program(&["failed: ", &reason]);
            }
        }
    }

    /// Logs what the current program does: the parts of the event, after its id.
    fn log_of_program(&mut self, event: &[&str]) {
        let program_id = self.program_id();
        let line = LAST_ID.with_borrow_mut(|(id, text)| {
            if *id != program_id || text.is_empty() {
                (*id, *text) = (program_id, program_id.to_string());
            }
            let length: usize = event.iter().map(|part| part.len()).sum();
            let mut line = String::with_capacity(PROGRAM.len() + text.len() + 1 + length);
            line.push_str(PROGRAM);
            line.push_str(text);
            line.push(' ');
            event.iter().for_each(|part| line.push_str(part));
            line
        });
        self.log_line(line);
    }
}
