//! The bytes of a script: numbers of 8 bytes, and bytes behind their length.

use alloc::vec::Vec;

use entrypoint::{AccountInfo, ProgramError, Pubkey};

use crate::Step;

/// A script, to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script(pub Vec<u8>);

/// An account that a call lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The position of the account; beyond the last one for `key`.
    pub position: u64,
    /// The key, if no account is at the position.
    pub key: Pubkey,
    /// The byte of the flag.
    pub is_signer: u8,
    /// The byte of the flag.
    pub is_writable: u8,
}

impl Listed {
    /// The account at a position, read-only and without a signature.
    #[must_use]
    pub fn at(position: u64) -> Self {
        Self {
            position,
            key: Pubkey::default(),
            is_signer: 0,
            is_writable: 0,
        }
    }

    /// An account that is not in the list of the program.
    #[must_use]
    pub fn key(key: Pubkey) -> Self {
        Self {
            key,
            ..Self::at(u64::MAX)
        }
    }

    /// The same, as a signer.
    #[must_use]
    pub fn signer(self) -> Self {
        Self {
            is_signer: 1,
            ..self
        }
    }

    /// The same, to be changed.
    #[must_use]
    pub fn writable(self) -> Self {
        Self {
            is_writable: 1,
            ..self
        }
    }
}

/// A call of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The id of the program.
    pub program_id: Pubkey,
    /// The accounts that it gets.
    pub listed: Vec<Listed>,
    /// The positions of the accounts that the caller passes on.
    pub passed: Vec<u64>,
    /// The seeds of each signer.
    pub signers: Vec<Vec<Vec<u8>>>,
    /// The script of the program, or any bytes.
    pub data: Vec<u8>,
}

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step with some numbers.
    #[must_use]
    pub fn step<const N: usize>(mut self, step: Step, numbers: [u64; N]) -> Self {
        self.0.push(step as u8);
        for number in numbers {
            self.number(number);
        }
        self
    }

    /// Adds a step with bytes behind their length.
    #[must_use]
    pub fn with_bytes(mut self, step: Step, bytes: &[u8]) -> Self {
        self.0.push(step as u8);
        self.bytes(bytes);
        self
    }

    /// Adds a step that logs slices.
    #[must_use]
    pub fn log_data(self, slices: &[Vec<u8>]) -> Self {
        let mut script = self.step(Step::LogData, [slices.len() as u64]);
        slices.iter().for_each(|slice| script.bytes(slice));
        script
    }

    /// Adds a step that gives an account another owner.
    #[must_use]
    pub fn assign(self, position: u64, owner: &Pubkey) -> Self {
        let mut script = self.step(Step::Assign, [position]);
        script.0.extend_from_slice(owner.as_bytes());
        script
    }

    /// Adds a call.
    #[must_use]
    pub fn call(mut self, call: &Call) -> Self {
        self.0.push(Step::Call as u8);
        self.0.extend_from_slice(call.program_id.as_bytes());
        self.number(call.listed.len() as u64);
        for listed in &call.listed {
            self.number(listed.position);
            if listed.position == u64::MAX {
                self.0.extend_from_slice(listed.key.as_bytes());
            }
            self.number(listed.is_signer.into());
            self.number(listed.is_writable.into());
        }
        self.number(call.passed.len() as u64);
        for position in &call.passed {
            self.number(*position);
        }
        self.number(call.signers.len() as u64);
        for seeds in &call.signers {
            self.number(seeds.len() as u64);
            for seed in seeds {
                self.bytes(seed);
            }
        }
        self.bytes(&call.data);
        self
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// A script, to be read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(script: &'a [u8]) -> Self {
        Self(script)
    }

    /// The number of the next step.
    pub fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn number(&mut self) -> Result<u64, ProgramError> {
        let bytes = self.take(8)?;
        let number = bytes
            .iter()
            .rfold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Ok(number)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], ProgramError> {
        let length = self.number()?;
        self.take(length as usize)
    }

    pub fn key(&mut self) -> Result<&'a Pubkey, ProgramError> {
        let bytes = self.take(32)?;
        let key: *const Pubkey = bytes.as_ptr().cast();
        // SAFETY: `key` comes from a slice of 32 bytes that lives for `'a`, and a `Pubkey` is 32
        // bytes of any values with alignment 1.
        Ok(unsafe { &*key })
    }

    pub fn account<'b, 'c>(
        &mut self,
        accounts: &'b [AccountInfo<'c>],
    ) -> Result<&'b AccountInfo<'c>, ProgramError> {
        let position = self.number()?;
        let account = accounts.get(position as usize);
        account.ok_or(ProgramError::NotEnoughAccountKeys)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ProgramError> {
        let split = self.0.split_at_checked(length);
        let (taken, rest) = split.ok_or(ProgramError::InvalidInstructionData)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// The depth of the call.
pub(crate) fn depth() -> u64 {
    entrypoint::stack_height()
}

/// Writes a byte over one of an account's entry, from its key on.
pub(crate) fn overwrite(account: &AccountInfo, offset: usize, byte: u8) {
    let key = core::ptr::from_ref(account.key()).cast::<u8>().cast_mut();
    // SAFETY: none is claimed; the test checks what the loader does.
    let place = unsafe { key.add(offset) };
    // SAFETY: none is claimed; the test checks what the loader does.
    unsafe { place.write_volatile(byte) };
}
