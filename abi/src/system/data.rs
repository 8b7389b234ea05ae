//! The instruction data of the system program, written. Programs and hosts write the same bytes.
//!
//! ```
//! use abi::system::data;
//!
//! assert_eq!(data::transfer(30).as_bytes(), [2, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0]);
//! ```

use super::Instruction;
use crate::call::MAX_SEED_LENGTH;
use crate::{ProgramError, Pubkey};

/// Instruction data of the system program, at most `LENGTH` bytes, without an allocation.
///
/// The functions of [the module](self) make them, for each instruction. The methods write the fields
/// one by one.
#[derive(Clone, Copy, Debug)]
pub struct Data<const LENGTH: usize> {
    bytes: [u8; LENGTH],
    length: usize,
}

impl<const LENGTH: usize> Data<LENGTH> {
    /// The bytes.
    #[inline(always)]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The number of an instruction, without its fields.
    ///
    /// # Panics
    ///
    /// If `LENGTH` is less than 4.
    #[inline(always)]
    #[must_use]
    pub fn new(instruction: Instruction) -> Self {
        let empty = Self {
            bytes: [0; LENGTH],
            length: 0,
        };
        empty.append(&(instruction as u32).to_le_bytes())
    }

    /// Appends a number of 8 bytes.
    ///
    /// # Panics
    ///
    /// If `LENGTH` is too small.
    #[inline(always)]
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.append(&number.to_le_bytes())
    }

    /// Appends a key.
    ///
    /// # Panics
    ///
    /// If `LENGTH` is too small.
    #[inline(always)]
    #[must_use]
    pub fn key(self, key: &Pubkey) -> Self {
        self.append(key.as_bytes())
    }

    /// Appends the text of a seed, behind its length.
    ///
    /// # Errors
    ///
    /// [`ProgramError::MaxSeedLengthExceeded`] if it has more than 32 bytes.
    ///
    /// # Panics
    ///
    /// If `LENGTH` is too small.
    pub fn seed(self, seed: &str) -> Result<Self, ProgramError> {
        if seed.len() > MAX_SEED_LENGTH {
            return Err(ProgramError::MaxSeedLengthExceeded);
        }
        Ok(self.number(seed.len() as u64).append(seed.as_bytes()))
    }

    /// Appends bytes.
    #[inline(always)]
    fn append(mut self, bytes: &[u8]) -> Self {
        let end = self.length + bytes.len();
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
        self
    }
}

/// Data of `CreateAccount`. `space` is the length of the account's data in bytes.
#[inline(always)]
#[must_use]
pub fn create_account(kelvins: u64, space: u64, owner: &Pubkey) -> Data<52> {
    Data::new(Instruction::CreateAccount)
        .number(kelvins)
        .number(space)
        .key(owner)
}

/// Data of `Assign`.
#[inline(always)]
#[must_use]
pub fn assign(owner: &Pubkey) -> Data<36> {
    Data::new(Instruction::Assign).key(owner)
}

/// Data of `Transfer`.
#[inline(always)]
#[must_use]
pub fn transfer(kelvins: u64) -> Data<12> {
    Data::new(Instruction::Transfer).number(kelvins)
}

/// Data of `CreateAccountWithSeed`.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline(always)]
pub fn create_account_with_seed(
    base: &Pubkey,
    seed: &str,
    kelvins: u64,
    space: u64,
    owner: &Pubkey,
) -> Result<Data<{ 92 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(Data::new(Instruction::CreateAccountWithSeed)
        .key(base)
        .seed(seed)?
        .number(kelvins)
        .number(space)
        .key(owner))
}

/// Data of `Allocate`. `space` is the length of the account's data in bytes.
#[inline(always)]
#[must_use]
pub fn allocate(space: u64) -> Data<12> {
    Data::new(Instruction::Allocate).number(space)
}

/// Data of `AllocateWithSeed`.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline(always)]
pub fn allocate_with_seed(
    base: &Pubkey,
    seed: &str,
    space: u64,
    owner: &Pubkey,
) -> Result<Data<{ 84 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(Data::new(Instruction::AllocateWithSeed)
        .key(base)
        .seed(seed)?
        .number(space)
        .key(owner))
}

/// Data of `AssignWithSeed`.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline(always)]
pub fn assign_with_seed(
    base: &Pubkey,
    seed: &str,
    owner: &Pubkey,
) -> Result<Data<{ 76 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(Data::new(Instruction::AssignWithSeed)
        .key(base)
        .seed(seed)?
        .key(owner))
}

/// Data of `TransferWithSeed`. `payer_owner` is the owner from which the payer's address derives.
///
/// # Errors
///
/// [`ProgramError::MaxSeedLengthExceeded`] if the seed has more than 32 bytes.
#[inline(always)]
pub fn transfer_with_seed(
    kelvins: u64,
    seed: &str,
    payer_owner: &Pubkey,
) -> Result<Data<{ 52 + MAX_SEED_LENGTH }>, ProgramError> {
    Ok(Data::new(Instruction::TransferWithSeed)
        .number(kelvins)
        .seed(seed)?
        .key(payer_owner))
}
