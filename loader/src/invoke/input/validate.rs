//! Which invocations the input can encode, and which the limits allow.

use std::collections::BTreeMap;

use abi::Pubkey;
use abi::heap::MIN_HEAP_LENGTH;
use abi::input::{FIRST_OCCURRENCE, MAX_DISTINCT_ACCOUNTS, MAX_PERMITTED_DATA_LENGTH};

use super::write::serialized_length;
use crate::account::AccountEntry;
use crate::error::InvocationError;
use crate::invocation::Invocation;
use crate::limits::{Limits, MAX_COUNTED_GAS};

impl Invocation {
    /// Checks everything that does not need a program.
    ///
    /// [`Program::invoke`](crate::Program::invoke) calls this itself. Call it earlier if loading
    /// the program takes long.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] if the input cannot encode the invocation, or if it exceeds a limit.
    pub fn validate(&self, limits: &Limits) -> Result<(), InvocationError> {
        let (gas, limit) = (self.gas, limits.gas.min(MAX_COUNTED_GAS));
        if gas > limit {
            return Err(InvocationError::GasTooLarge { gas, limit });
        }
        self.validate_called(limits)
    }

    /// Checks the same, but the gas: that of a called program is what its caller has left, and the
    /// limit is that of the outermost program's loader.
    pub(crate) fn validate_called(&self, limits: &Limits) -> Result<(), InvocationError> {
        let size = self.heap_size;
        if size < MIN_HEAP_LENGTH {
            return Err(InvocationError::HeapTooSmall {
                size,
                min: MIN_HEAP_LENGTH,
            });
        }
        if size > limits.heap {
            return Err(InvocationError::HeapTooLarge {
                size,
                limit: limits.heap,
            });
        }
        let (count, limit) = (self.accounts.len(), limits.accounts);
        if count > limit {
            return Err(InvocationError::TooManyEntries { count, limit });
        }
        validate(self)?;
        let (length, limit) = (serialized_length(self), limits.input);
        if length > limit {
            return Err(InvocationError::InputTooLong { length, limit });
        }
        Ok(())
    }
}

/// Rejects invocations that the input cannot encode.
pub(crate) fn validate(invocation: &Invocation) -> Result<(), InvocationError> {
    let mut positions = Positions::of(invocation);
    let mut distinct = 0;
    for (index, entry) in invocation.accounts.iter().enumerate() {
        match entry {
            AccountEntry::First(input) => {
                let length = input.account.data.len();
                if length > MAX_PERMITTED_DATA_LENGTH {
                    return Err(InvocationError::DataTooLong { index, length });
                }
                let key = &input.account.key;
                distinct += 1;
                if let Some(first) = positions.insert(key, index) {
                    return Err(InvocationError::DuplicateKey {
                        index,
                        first,
                        key: *key,
                    });
                }
            }
            AccountEntry::Repeat(refers_to) => {
                let is_first = invocation.accounts[..index]
                    .get(*refers_to)
                    .is_some_and(|entry| matches!(entry, AccountEntry::First(_)));
                // An index of 255 would read as the marker of a first occurrence.
                if !is_first || *refers_to >= usize::from(FIRST_OCCURRENCE) {
                    return Err(InvocationError::InvalidRepeat {
                        index,
                        refers_to: *refers_to,
                    });
                }
            }
        }
    }
    if distinct > MAX_DISTINCT_ACCOUNTS {
        return Err(InvocationError::TooManyAccounts { count: distinct });
    }
    Ok(())
}

/// The first position of each key. A search is faster for a few accounts, and slow for a thousand.
enum Positions<'a> {
    Few(&'a [AccountEntry]),
    Many(BTreeMap<&'a Pubkey, usize>),
}

impl<'a> Positions<'a> {
    fn of(invocation: &'a Invocation) -> Self {
        match invocation.accounts.len() {
            0..=16 => Self::Few(&invocation.accounts),
            _ => Self::Many(BTreeMap::new()),
        }
    }

    /// Records where a key occurs; returns where it occurred before, if it did.
    fn insert(&mut self, key: &'a Pubkey, index: usize) -> Option<usize> {
        match self {
            Self::Few(entries) => entries[..index].iter().position(|entry| match entry {
                AccountEntry::First(input) => input.account.key == *key,
                AccountEntry::Repeat(_) => false,
            }),
            Self::Many(tree) => tree.insert(key, index),
        }
    }
}
