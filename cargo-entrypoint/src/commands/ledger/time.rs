//! `cargo entrypoint ledger warp`

use anyhow::{Context, Result};
use ledger::Ledger;
use loader::fixture::time_text;
use loader::sysvars::Clock;
use serde_json::json;

use super::words::TimeWord;
use super::{Done, open_or_create};
use crate::arguments::ledger::{LedgerArguments, WarpArguments};

pub fn warp(arguments: &LedgerArguments, options: &WarpArguments) -> Result<Done> {
    if !arguments.ledger.exists() {
        // A time that does not fit makes no ledger.
        time_after(Ledger::new().sysvars().clock, options.time)?;
    }
    let mut ledger = open_or_create(arguments)?;
    let time = time_after(ledger.sysvars().clock, options.time)?;
    ledger.warp_to(time)?;
    let clock = ledger.sysvars().clock;
    let time = time_text(clock.unix_timestamp_ms);
    let text = format!("it is {time}, slot {}\n", clock.slot);
    let json = json!({
        "error": null,
        "unix_timestamp_ms": clock.unix_timestamp_ms,
        "slot": clock.slot,
    });
    Ok(Done::new(text, json))
}

/// The time to set the clock to, in milliseconds since 1970.
fn time_after(clock: Clock, word: TimeWord) -> Result<i64> {
    const TOO_LATE: &str =
        "the clock has milliseconds in 64 bits, which end before that; write a shorter time";
    let now = clock.unix_timestamp_ms;
    let time = match word {
        TimeWord::At(milliseconds) => Some(milliseconds),
        TimeWord::After(duration) => i64::try_from(duration.as_millis())
            .ok()
            .and_then(|passed| now.checked_add(passed)),
    };
    // The slots count the time that passes.
    let time = time.filter(|time| time.checked_sub(now).is_some());
    time.context(TOO_LATE)
}
