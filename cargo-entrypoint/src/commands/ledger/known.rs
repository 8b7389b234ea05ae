//! What people call the things in a ledger.

use std::collections::HashMap;

use ledger::{Describe, Ledger, Names, Pubkey, TransactionOutcome};
use loader::ids::SYSTEM_PROGRAM;
use program_build::custom_errors::CustomErrors;
use serde_json::{Value, json};

/// The names of keys and of the errors of programs.
#[derive(Default)]
pub struct Known {
    names: Names,
    errors: HashMap<Pubkey, CustomErrors>,
}

impl Known {
    /// What the ledger knows about the programs of a transaction.
    pub fn of(ledger: &Ledger, outcome: &TransactionOutcome) -> Self {
        let mut known = Self::default();
        if let Some((program_id, _)) = outcome.failed_program() {
            let errors = match ledger.program_file(&program_id) {
                _ if program_id == SYSTEM_PROGRAM => CustomErrors::of_system_program(),
                Some(file) => CustomErrors::of(&file),
                None => CustomErrors::default(),
            };
            known.errors.insert(program_id, errors);
        }
        known
    }
}

impl Describe for Known {
    fn names(&self) -> &Names {
        &self.names
    }

    fn custom_error(&self, program_id: &Pubkey, code: u32) -> Option<String> {
        self.errors.get(program_id)?.describe(code)
    }
}

/// A key in JSON: in base58, with its name if it has one.
pub fn key_json(key: &Pubkey) -> Value {
    json!({ "key": key.to_string(), "name": ledger::name_of(key) })
}

/// A key for people: its name, if it has one, and base58.
pub fn key_text(key: &Pubkey) -> String {
    match ledger::name_of(key) {
        Some(name) => format!("{name} ({key})"),
        None => key.to_string(),
    }
}
