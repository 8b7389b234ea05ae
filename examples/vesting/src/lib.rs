//! Pays kelvins out bit by bit, as time goes by.
//!
//! A payer grants kelvins to a beneficiary, from a start until an end. At any moment, the
//! beneficiary can claim the part that belongs to the time that has passed. No one can take the
//! grant back. The claim that takes the last kelvins closes the account, and the payer gets its
//! rent back.
//!
//! | instruction data | accounts |
//! |---|---|
//! | `00`, bump seed, kelvins, start, end | payer (signs, writable), grant (writable), beneficiary, system program |
//! | `01` | grant (writable), beneficiary (writable), payer (writable) |
//!
//! Numbers have 8 bytes, little endian. Start and end are milliseconds since the Unix epoch. The
//! address of the grant derives from `grant`, the payer and the beneficiary. Anyone can send a
//! claim, because the kelvins go to the beneficiary anyway.
#![no_std]

use bytemuck::{Pod, Zeroable};
use entrypoint::sysvar::{Clock, Rent, Sysvar};
use entrypoint::{
    AccountInfo, ProgramError, ProgramResult, Pubkey, Seed, Signer, entrypoint, read_data,
    split_accounts, system,
};

entrypoint!(process_instruction);

/// A grant: 96 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Grant {
    /// Who has paid it, and gets the rent back.
    pub payer: Pubkey,
    /// Who gets the kelvins.
    pub beneficiary: Pubkey,
    /// How many kelvins the grant has in all.
    pub kelvins: u64,
    /// How many of them the beneficiary has claimed.
    pub claimed: u64,
    /// Nothing can be claimed before: milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// Everything can be claimed after: milliseconds since the Unix epoch.
    pub end_ms: i64,
}

/// An error of the program. The numbers are the program's custom error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
#[repr(u32)]
pub enum VestingError {
    /// The end is not after the start.
    EndBeforeStart = 1,
    /// The grant is for someone else.
    WrongBeneficiary = 2,
    /// Nothing can be claimed at this time.
    NothingToClaim = 3,
    /// Another payer has made the grant.
    WrongPayer = 4,
}

/// Makes a grant, or claims what can be claimed.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    match instruction_data {
        [0, bump, numbers @ ..] => {
            let [kelvins, start_ms, end_ms]: [u64; 3] = read_data(numbers)?;
            let [start_ms, end_ms] = [start_ms, end_ms].map(u64::cast_signed);
            grant(program_id, accounts, *bump, kelvins, start_ms, end_ms)
        }
        [1] => claim(program_id, accounts),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

fn grant(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    bump: u8,
    kelvins: u64,
    start_ms: i64,
    end_ms: i64,
) -> ProgramResult {
    let ([payer, account, beneficiary, _system_program], _) = split_accounts(accounts)?;
    if end_ms <= start_ms {
        return Err(VestingError::EndBeforeStart.into());
    }
    let space = size_of::<Grant>();
    let held = Rent::get()?
        .minimum_balance(space)
        .checked_add(kelvins)
        .ok_or(ProgramError::ArithmeticOverflow)?;
    let seeds = [
        Seed::from(b"grant"),
        Seed::from(payer.key()),
        Seed::from(beneficiary.key()),
        Seed::from(&bump),
    ];
    system::create_account_allow_prefund(payer, account, held, space as u64, program_id)
        .invoke_signed(&[Signer::new(&seeds)])?;
    *account.try_borrow_mut_as::<Grant>()? = Grant {
        payer: *payer.key(),
        beneficiary: *beneficiary.key(),
        kelvins,
        claimed: 0,
        start_ms,
        end_ms,
    };
    Ok(())
}

fn claim(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let ([account, beneficiary, payer], _) = split_accounts(accounts)?;
    account.named("grant").require_owner(program_id)?;
    let now = Clock::get()?.unix_timestamp_ms;
    let is_last = {
        let mut grant = account.try_borrow_mut_as::<Grant>()?;
        if grant.beneficiary != *beneficiary.key() {
            return Err(VestingError::WrongBeneficiary.into());
        }
        if grant.payer != *payer.key() {
            return Err(VestingError::WrongPayer.into());
        }
        let free = grant.vested(now).saturating_sub(grant.claimed);
        // At most the kelvins of the grant, so the sum fits.
        grant.claimed += free;
        let is_last = grant.claimed == grant.kelvins;
        // A grant of no kelvins is only closed.
        if free == 0 && !is_last {
            return Err(VestingError::NothingToClaim.into());
        }
        account.debit(free)?;
        beneficiary.credit(free)?;
        is_last
    };
    if is_last {
        account.close(payer)?;
    }
    Ok(())
}

impl Grant {
    /// Returns how many kelvins belong to the beneficiary at a time, claimed or not.
    ///
    /// ```
    /// use bytemuck::Zeroable;
    /// use vesting::Grant;
    ///
    /// let grant = Grant { kelvins: 1_000, start_ms: 100, end_ms: 200, ..Grant::zeroed() };
    /// assert_eq!([99, 125, 200, 999].map(|now| grant.vested(now)), [0, 250, 1_000, 1_000]);
    /// ```
    #[must_use]
    pub fn vested(&self, now_ms: i64) -> u64 {
        let passed = now_ms.saturating_sub(self.start_ms).max(0) as u128;
        let whole = self.end_ms.abs_diff(self.start_ms).into();
        let part = u128::from(self.kelvins) * passed.min(whole) / whole.max(1);
        part as u64
    }
}
