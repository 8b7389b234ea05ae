//! `cargo entrypoint ledger warp`

use anyhow::{Context, Result, bail};
use ledger::Ledger;
use loader::fixture::time_text;
use serde_json::json;

use super::Done;
use super::words::TimeWord;
use crate::arguments::ledger::WarpArguments;

const TOO_LATE: &str =
    "the clock has milliseconds in 64 bits, which end before that; write a shorter time";

pub fn warp(ledger: &mut Ledger, options: &WarpArguments) -> Result<Done> {
    let clock = ledger.sysvars().clock;
    let time = match options.time {
        TimeWord::At(milliseconds) => milliseconds,
        TimeWord::After(duration) => i64::try_from(duration.as_millis())
            .ok()
            .and_then(|passed| clock.unix_timestamp_ms.checked_add(passed))
            .context(TOO_LATE)?,
    };
    // The clock's slots count the time that passes.
    if time.checked_sub(clock.unix_timestamp_ms).is_none() {
        bail!(TOO_LATE);
    }
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
