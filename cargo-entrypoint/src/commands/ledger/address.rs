//! `cargo entrypoint ledger address`

use abi::call::{MAX_SEED_LENGTH, MAX_SEEDS};
use anyhow::{Context, Result, bail};
use ledger::find_program_address;
use serde_json::json;

use super::Done;
use super::known::key_json;
use super::words::all_bytes;
use crate::arguments::ledger::AddressArguments;

pub fn address(options: &AddressArguments) -> Result<Done> {
    if options.seeds.len() >= MAX_SEEDS {
        bail!(
            "an address derives from at most {} seeds and its bump, and here are {} seeds",
            MAX_SEEDS - 1,
            options.seeds.len()
        );
    }
    let mut seeds = Vec::with_capacity(options.seeds.len());
    for (index, seed) in options.seeds.iter().enumerate() {
        let seed = all_bytes(std::slice::from_ref(seed))?;
        if seed.len() > MAX_SEED_LENGTH {
            bail!(
                "a seed has at most {MAX_SEED_LENGTH} bytes, and seed {index} has {}; hash it, or split it \
                 into several seeds as the program does",
                seed.len()
            );
        }
        seeds.push(seed);
    }
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let found = find_program_address(&seeds, &options.program);
    let (address, bump) = found.context("no bump makes an address of these seeds")?;
    let json = json!({ "error": null, "key": key_json(&address), "bump": bump });
    eprintln!("bump {bump}");
    Ok(Done::new(format!("{address}\n"), json))
}
