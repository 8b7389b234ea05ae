//! Derived addresses, and the bytes of sysvars.

use rialo_s_pubkey::Pubkey;
use rialo_s_sysvar::clock::Clock;
use rialo_s_sysvar::epoch_schedule::EpochSchedule;
#[allow(deprecated, reason = "the sysvar is there all the same")]
use rialo_s_sysvar::fees::Fees;
use rialo_s_sysvar::rent::Rent;

use crate::cases::{addresses, hash, sysvars, text};

/// For each case: the address of the seeds, the one with a bump and the bump, the one of a base and
/// a text; or the error.
pub fn addresses() -> Vec<String> {
    let line = |number| {
        let case = addresses::case(number);
        let program = Pubkey::from(case.program_id);
        let seeds: Vec<&[u8]> = case.seeds.iter().map(Vec::as_slice).collect();
        let created = match Pubkey::create_program_address(&seeds, &program) {
            Ok(address) => text(address.as_ref()),
            Err(error) => format!("{error:?}"),
        };
        let found = match Pubkey::try_find_program_address(&seeds, &program) {
            Some((address, bump)) => format!("{bump} {}", text(address.as_ref())),
            None => "none".to_owned(),
        };
        let base = Pubkey::from(case.base);
        let seeded = match Pubkey::create_with_seed(&base, &case.text, &program) {
            Ok(address) => text(address.as_ref()),
            Err(error) => format!("{error:?}"),
        };
        // Keys are long, and one that is wrong anywhere is wrong as a whole.
        format!("{} {} {}", short(&created), short(&found), short(&seeded))
    };
    (0..addresses::COUNT).map(line).collect()
}

/// An address by its hash, and an error as it is.
fn short(text: &str) -> String {
    match text.len() {
        0..30 => text.to_owned(),
        _ => hash(text.as_bytes())[..16].to_owned(),
    }
}

#[allow(deprecated, reason = "the sysvar is there all the same")]
/// For each case: the bytes of clock, rent, epoch schedule and fees, and the kelvins that exempt
/// some bytes from the usual rent.
pub fn sysvars() -> Vec<String> {
    let line = |number| {
        let values = sysvars::case(number);
        let (slot, epoch_start_timestamp, unix_timestamp) = values.clock;
        let clock = Clock {
            slot,
            epoch_start_timestamp,
            unix_timestamp,
            ..Clock::default()
        };
        let (kelvins_per_byte_year, exemption_threshold, burn_percent) = values.rent;
        let rent = Rent {
            kelvins_per_byte_year,
            exemption_threshold,
            burn_percent,
            ..Rent::default()
        };
        let (slots, offset, warmup, first_epoch, first_slot) = values.epoch_schedule;
        let schedule = EpochSchedule {
            slots_per_epoch: slots,
            leader_schedule_slot_offset: offset,
            warmup,
            first_normal_epoch: first_epoch,
            first_normal_slot: first_slot,
        };
        let mut fees = Fees::default();
        fees.fee_calculator.kelvins_per_signature = values.fees;
        [
            text(&bincode::serialize(&clock).expect("bytes")),
            text(&bincode::serialize(&rent).expect("bytes")),
            text(&bincode::serialize(&schedule).expect("bytes")),
            text(&bincode::serialize(&fees).expect("bytes")),
            Rent::default().minimum_balance(values.length).to_string(),
            rent.minimum_balance(values.length).to_string(),
        ]
        .join(" ")
    };
    (0..sysvars::COUNT).map(line).collect()
}
