//! `cargo entrypoint ledger warp`

use anyhow::Result;
use ledger::Ledger;
use loader::fixture::time_text;
use serde_json::json;

use super::Done;
use super::words::TimeWord;
use crate::arguments::ledger::WarpArguments;

pub fn warp(ledger: &mut Ledger, options: &WarpArguments) -> Result<Done> {
    match options.time {
        TimeWord::At(milliseconds) => ledger.warp_to(milliseconds)?,
        TimeWord::After(duration) => ledger.warp_by(duration)?,
    }
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
