//! Keeps kelvins for an authority.
//!
//! | account | | |
//! |---|---|---|
//! | 0 | vault | writable, owned by the program; its data is the authority's key, 32 bytes |
//! | 1 | authority | signer |
//! | 2 | recipient | writable; to withdraw only |
//!
//! | instruction data | |
//! |---|---|
//! | `00` | open: makes account 1 the authority of an empty vault |
//! | `01`, amount as 8 bytes, little endian | withdraw: moves kelvins from the vault to the recipient |
#![no_std]

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, msg};

entrypoint!(process_instruction);

/// The errors of a vault. The numbers are the program's custom error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
#[repr(u32)]
pub enum VaultError {
    /// The vault belongs to another authority.
    WrongAuthority = 1,
    /// The vault is open already.
    AlreadyOpen = 2,
    /// The vault was never opened.
    NotOpen = 3,
}

/// Opens a vault or withdraws from it.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let [vault, authority, rest @ ..] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    if !vault.is_owned_by(program_id) {
        return Err(ProgramError::InvalidAccountOwner);
    }
    if !authority.is_signer() {
        return Err(ProgramError::MissingRequiredSignature);
    }
    match instruction_data {
        [0] => open(vault, authority),
        [1, amount @ ..] => {
            let amount = amount
                .try_into()
                .map_err(|_| ProgramError::InvalidInstructionData)?;
            let [recipient, ..] = rest else {
                return Err(ProgramError::NotEnoughAccountKeys);
            };
            withdraw(vault, authority, recipient, u64::from_le_bytes(amount))
        }
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

fn open(vault: &AccountInfo, authority: &AccountInfo) -> ProgramResult {
    if !vault.data_is_empty() {
        return Err(VaultError::AlreadyOpen.into());
    }
    vault.resize(32)?;
    vault
        .try_borrow_mut_data()?
        .copy_from_slice(authority.key().as_bytes());
    msg!("opened");
    Ok(())
}

fn withdraw(
    vault: &AccountInfo,
    authority: &AccountInfo,
    recipient: &AccountInfo,
    amount: u64,
) -> ProgramResult {
    if vault.data_is_empty() {
        return Err(VaultError::NotOpen.into());
    }
    if *vault.try_borrow_data()? != *authority.key().as_bytes() {
        return Err(VaultError::WrongAuthority.into());
    }
    vault.debit(amount)?;
    recipient.credit(amount)?;
    msg!("withdrew {amount} kelvins");
    Ok(())
}
