//! The system program, for unit tests.

use abi::call::MAX_SEED_LENGTH;
use abi::program_address::create_with_seed;
use abi::system::{Instruction, SystemError};
use abi::{ProgramError, ProgramResult, Pubkey};

use crate::AccountInfo;
use crate::system::ID;

/// The most bytes of data that the program gives to an account here: as much as fits into the
/// entry of a caller. The runtime's own limit is 10 MiB.
const MAX_SPACE: u64 = abi::input::MAX_PERMITTED_DATA_INCREASE as u64;

/// Does what the system program does with the instructions of [`mod@crate::system`].
pub(super) fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo<'_>],
    instruction_data: &[u8],
) -> ProgramResult {
    let mut data = Reader(instruction_data);
    let account = |index: usize| {
        let found = accounts.get(index);
        found.ok_or(ProgramError::NotEnoughAccountKeys)
    };
    let instruction = Instruction::from_u32(u32::from_le_bytes(data.take()?));
    match instruction.ok_or(ProgramError::InvalidInstructionData)? {
        Instruction::CreateAccount => {
            let (kelvins, space, owner) = (data.number()?, data.number()?, data.key()?);
            must_sign(account(1)?)?;
            create(account(0)?, account(1)?, kelvins, space, &owner)
        }
        Instruction::Assign => {
            must_sign(account(0)?)?;
            assign(account(0)?, &data.key()?)
        }
        Instruction::Transfer => {
            must_sign(account(0)?)?;
            transfer(account(0)?, account(1)?, data.number()?)
        }
        Instruction::CreateAccountWithSeed => {
            let (base, seed) = (data.key()?, data.seed()?);
            let (kelvins, space, owner) = (data.number()?, data.number()?, data.key()?);
            check_seed(account(1)?, accounts, &base, seed, &owner)?;
            create(account(0)?, account(1)?, kelvins, space, &owner)
        }
        Instruction::Allocate => {
            must_sign(account(0)?)?;
            allocate(account(0)?, data.number()?)
        }
        Instruction::AllocateWithSeed => {
            let (base, seed) = (data.key()?, data.seed()?);
            let (space, owner) = (data.number()?, data.key()?);
            check_seed(account(0)?, accounts, &base, seed, &owner)?;
            allocate(account(0)?, space)?;
            assign(account(0)?, &owner)
        }
        Instruction::AssignWithSeed => {
            let (base, seed, owner) = (data.key()?, data.seed()?, data.key()?);
            check_seed(account(0)?, accounts, &base, seed, &owner)?;
            assign(account(0)?, &owner)
        }
        Instruction::TransferWithSeed => {
            let (kelvins, seed, owner) = (data.number()?, data.seed()?, data.key()?);
            let base = *account(1)?.key();
            check_seed(account(0)?, accounts, &base, seed, &owner)?;
            transfer(account(0)?, account(2)?, kelvins)
        }
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

fn create(
    payer: &AccountInfo<'_>,
    account: &AccountInfo<'_>,
    kelvins: u64,
    space: u64,
    owner: &Pubkey,
) -> ProgramResult {
    if account.kelvins() > 0 {
        return Err(SystemError::AccountAlreadyInUse.into());
    }
    allocate(account, space)?;
    assign(account, owner)?;
    must_sign(payer)?;
    transfer(payer, account, kelvins)
}

fn allocate(account: &AccountInfo<'_>, space: u64) -> ProgramResult {
    if !account.data_is_empty() || !account.is_owned_by(&ID) {
        return Err(SystemError::AccountAlreadyInUse.into());
    }
    if space > MAX_SPACE {
        return Err(SystemError::InvalidAccountDataLength.into());
    }
    account.resize(space as usize)
}

fn assign(account: &AccountInfo<'_>, owner: &Pubkey) -> ProgramResult {
    if !account.is_owned_by(&ID) && !account.is_owned_by(owner) {
        return Err(ProgramError::InvalidAccountOwner);
    }
    account.assign(owner);
    Ok(())
}

fn transfer(payer: &AccountInfo<'_>, payee: &AccountInfo<'_>, kelvins: u64) -> ProgramResult {
    if !payer.data_is_empty() || !payer.is_owned_by(&ID) {
        return Err(ProgramError::InvalidArgument);
    }
    payer
        .debit(kelvins)
        .map_err(|_| SystemError::ResultWithNegativeKelvins)?;
    payee.credit(kelvins)
}

fn must_sign(account: &AccountInfo<'_>) -> ProgramResult {
    if account.is_signer() {
        Ok(())
    } else {
        Err(ProgramError::MissingRequiredSignature)
    }
}

/// Checks that the base signs, and that the account's address is that of base, seed and owner.
fn check_seed(
    account: &AccountInfo<'_>,
    accounts: &[AccountInfo<'_>],
    base: &Pubkey,
    seed: &str,
    owner: &Pubkey,
) -> ProgramResult {
    let address = create_with_seed(base, seed, owner).map_err(|_| ProgramError::InvalidSeeds)?;
    if *account.key() != address {
        return Err(SystemError::AddressWithSeedMismatch.into());
    }
    let signs = |account: &AccountInfo<'_>| account.key() == base && account.is_signer();
    if accounts.iter().any(signs) {
        Ok(())
    } else {
        Err(ProgramError::MissingRequiredSignature)
    }
}

/// The rest of the instruction data.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ProgramError> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or(ProgramError::InvalidInstructionData)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u64, ProgramError> {
        self.take().map(u64::from_le_bytes)
    }

    fn key(&mut self) -> Result<Pubkey, ProgramError> {
        self.take().map(Pubkey::new)
    }

    fn seed(&mut self) -> Result<&'a str, ProgramError> {
        let length = self.number()?;
        if length > MAX_SEED_LENGTH as u64 {
            return Err(ProgramError::MaxSeedLengthExceeded);
        }
        let (seed, rest) = self
            .0
            .split_at_checked(length as usize)
            .ok_or(ProgramError::InvalidInstructionData)?;
        self.0 = rest;
        core::str::from_utf8(seed).map_err(|_| ProgramError::InvalidInstructionData)
    }
}
