//! Keeps a journal of a price that another program publishes.
//!
//! The price lies in an account that the instruction does not list: the program loads it. Each
//! entry of the journal is an event in the log. The journal keeps a hash over all entries, so
//! a watcher that has the events can show that none is missing or was changed.
//!
//! | instruction data | accounts |
//! |---|---|
//! | `00`, key of the price, id of its program, maximal age | journal, writable: starts an empty journal of zeroes |
//! | `01` | journal, writable: records the price |
//!
//! The maximal age has 8 bytes, little endian, in milliseconds.
#![no_std]

use bytemuck::{Pod, Zeroable};
use entrypoint::hash::sha256;
use entrypoint::sysvar::{Clock, Sysvar};
use entrypoint::{
    AccountBuffer, AccountInfo, Event, ProgramError, ProgramResult, Pubkey, emit, entrypoint,
    load_account, split_accounts,
};

entrypoint!(process_instruction);

/// The journal: 120 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Journal {
    /// The account with the price.
    pub price: Pubkey,
    /// The program that publishes it.
    pub publisher: Pubkey,
    /// The hash over all entries so far.
    pub hash: [u8; 32],
    /// How old a price may be, in milliseconds.
    pub max_age_ms: u64,
    /// How many entries there are.
    pub entries: u64,
    /// The time of the last one, in milliseconds since the Unix epoch.
    pub last_ms: i64,
}

/// A price as its program publishes it: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Price {
    /// The price, in millionths.
    pub millionths: u64,
    /// When it was published, in milliseconds since the Unix epoch.
    pub published_ms: i64,
}

/// An entry of the journal, as the log has it: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Recorded {
    /// The price, in millionths.
    pub millionths: u64,
    /// When it was published, in milliseconds since the Unix epoch.
    pub published_ms: i64,
    /// The number of the entry, from 1 on.
    pub number: u64,
}

impl Event for Recorded {
    const NAME: &'static str = "Recorded";
}

/// An error of the program. The numbers are the program's custom error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
#[repr(u32)]
pub enum JournalError {
    /// The journal is started already.
    AlreadyStarted = 1,
    /// The account with the price does not belong to the program that publishes it.
    WrongPublisher = 2,
    /// The price is older than the journal allows, or not newer than the last one.
    TooOld = 3,
    /// The price was published later than now.
    NotYet = 4,
}

/// Starts a journal, or records the price.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let ([journal], _) = split_accounts(accounts)?;
    journal.named("journal").require_owner(program_id)?;
    let mut journal = journal.try_borrow_mut_as::<Journal>()?;
    match instruction_data {
        [0, settings @ ..] => {
            let settings: &[u8; 72] = settings
                .try_into()
                .map_err(|_| ProgramError::InvalidInstructionData)?;
            journal.start(settings)
        }
        [1] => journal.record(),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

impl Journal {
    fn start(&mut self, settings: &[u8; 72]) -> ProgramResult {
        if *self != Self::zeroed() {
            return Err(JournalError::AlreadyStarted.into());
        }
        self.price = bytemuck::pod_read_unaligned(&settings[..32]);
        self.publisher = bytemuck::pod_read_unaligned(&settings[32..64]);
        self.max_age_ms = bytemuck::pod_read_unaligned(&settings[64..]);
        Ok(())
    }

    fn record(&mut self) -> ProgramResult {
        let mut buffer = AccountBuffer::<{ size_of::<Price>() }>::new();
        let account = load_account(&self.price, &mut buffer)?;
        if !account.is_owned_by(&self.publisher) {
            return Err(JournalError::WrongPublisher.into());
        }
        let price: Price = bytemuck::try_pod_read_unaligned(account.data())
            .map_err(|_| ProgramError::InvalidAccountData)?;
        let now = Clock::get()?.unix_timestamp_ms;
        // It would never be too old, and no later price would be newer.
        if price.published_ms > now {
            return Err(JournalError::NotYet.into());
        }
        let oldest = now.saturating_sub_unsigned(self.max_age_ms);
        if price.published_ms < oldest || price.published_ms <= self.last_ms {
            return Err(JournalError::TooOld.into());
        }
        self.entries += 1;
        self.last_ms = price.published_ms;
        let recorded = Recorded {
            millionths: price.millionths,
            published_ms: price.published_ms,
            number: self.entries,
        };
        self.hash = sha256(&[&self.hash, bytemuck::bytes_of(&recorded)]);
        emit!(recorded);
        Ok(())
    }
}
