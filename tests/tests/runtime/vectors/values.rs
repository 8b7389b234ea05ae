//! Derived addresses, and the bytes of sysvars.

use abi::program_address::{
    ProgramAddressError, create_program_address, create_with_seed, find_program_address,
};
use loader::Pubkey;
use loader::sysvars::{Clock, EpochSchedule, Fees, Rent, Sysvars};

use super::cases::{addresses, hash, sysvars, text};
use super::compare;

#[test]
fn addresses_are_those_of_the_runtime() {
    compare("addresses.txt", addresses::COUNT, |number| {
        let case = addresses::case(number);
        let program = Pubkey::new(case.program_id);
        let seeds: Vec<&[u8]> = case.seeds.iter().map(Vec::as_slice).collect();
        let created = match create_program_address(&seeds, &program) {
            Ok(address) => text(address.as_bytes()),
            Err(error) => name(error).to_owned(),
        };
        let found = match find_program_address(&seeds, &program) {
            Some((address, bump)) => format!("{bump} {}", text(address.as_bytes())),
            None => "none".to_owned(),
        };
        let seeded = match create_with_seed(&Pubkey::new(case.base), &case.text, &program) {
            Ok(address) => text(address.as_bytes()),
            Err(error) => name(error).to_owned(),
        };
        [created, found, seeded].map(|text| short(&text)).join(" ")
    });
}

/// The runtime's name of an error.
fn name(error: ProgramAddressError) -> &'static str {
    match error {
        ProgramAddressError::TooManySeeds { .. } | ProgramAddressError::SeedTooLong { .. } => {
            "MaxSeedLengthExceeded"
        }
        ProgramAddressError::IllegalOwner => "IllegalOwner",
        _ => "InvalidSeeds",
    }
}

/// An address by its hash, and an error as it is.
fn short(text: &str) -> String {
    match text.len() {
        0..30 => text.to_owned(),
        _ => hash(text.as_bytes())[..16].to_owned(),
    }
}

#[test]
fn sysvars_have_the_runtimes_bytes() {
    compare("sysvars.txt", sysvars::COUNT, |number| {
        let values = sysvars::case(number);
        let (slot, epoch_start_timestamp_ms, unix_timestamp_ms) = values.clock;
        let (kelvins_per_byte_year, exemption_threshold, burn_percent) = values.rent;
        let rent = Rent {
            kelvins_per_byte_year,
            exemption_threshold,
            burn_percent,
            ..Rent::default()
        };
        let (slots_per_epoch, leader_schedule_slot_offset, warmup, epoch, first_slot) =
            values.epoch_schedule;
        let sysvars = Sysvars::default()
            .clock(Clock {
                slot,
                epoch_start_timestamp_ms,
                unix_timestamp_ms,
            })
            .rent(rent)
            .epoch_schedule(EpochSchedule {
                slots_per_epoch,
                leader_schedule_slot_offset,
                warmup: warmup.into(),
                first_normal_epoch: epoch,
                first_normal_slot: first_slot,
                ..EpochSchedule::default()
            })
            .fees(Fees {
                kelvins_per_signature: values.fees,
            });
        let ids = [Clock::ID, Rent::ID, EpochSchedule::ID, Fees::ID];
        let mut parts: Vec<String> = ids
            .iter()
            .map(|id| text(&sysvars.data(id).expect("a sysvar")))
            .collect();
        let length = values.length;
        parts.push(Rent::default().minimum_balance(length).to_string());
        parts.push(rent.minimum_balance(length).to_string());
        parts.join(" ")
    });
}
