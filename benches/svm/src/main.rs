//! Times the transfer of a token in this project's loader and ledger, and in Mollusk and LiteSVM.
//!
//! Type `cargo xtask svm` instead: it builds `examples/token`, runs this, and writes the table in
//! the documentation. By itself, this takes the path of the program's blob, and the number of
//! rounds. In each round everyone runs in turn. This prints a line for each: name, the nanoseconds
//! of a transfer in the fastest round, and the gas or compute units of a transfer.

mod ours;
mod solana;

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Transfers that are timed together. They are few, because other processes interrupt longer runs.
const CHUNK: u64 = 50;

/// Tokens of each holding before.
const TOKENS: u64 = 1_000_000_000_000;

/// What can run transfers.
trait Runner {
    /// Its name in the output.
    fn name(&self) -> &str;

    /// Prepares transfers of 1 to [`CHUNK`] tokens, which are not timed, and runs them inside of
    /// `time`.
    fn run(&mut self, time: &mut dyn FnMut(&mut dyn FnMut()));

    /// Runs one more transfer, checks that it moved its tokens, and returns its gas or compute
    /// units.
    fn check(&mut self) -> u64;
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [blob, rounds] = &arguments[..] else {
        eprintln!("usage: svm-bench BLOB ROUNDS; `cargo xtask svm` runs this");
        return ExitCode::from(2);
    };
    let blob = match std::fs::read(blob) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("error: cannot read the blob {blob}: {error}");
            return ExitCode::from(2);
        }
    };
    let Ok(rounds) = rounds.parse::<u32>() else {
        eprintln!("error: the number of rounds is {rounds}; pass a whole number");
        return ExitCode::from(2);
    };

    let mut runners: Vec<Box<dyn Runner>> = Vec::new();
    runners.extend(ours::runners(&blob));
    runners.extend(solana::runners());
    let units: Vec<u64> = runners.iter_mut().map(|runner| runner.check()).collect();
    let mut best = vec![Duration::MAX; runners.len()];
    for _ in 0..rounds {
        for (runner, best) in runners.iter_mut().zip(&mut best) {
            runner.run(&mut |transfers| {
                let start = Instant::now();
                transfers();
                *best = start.elapsed().min(*best);
            });
        }
    }
    for ((runner, best), units) in runners.iter_mut().zip(best).zip(units) {
        // Nothing of what was measured has broken the next transfer.
        assert_eq!(runner.check(), units, "{}", runner.name());
        let each = best.as_nanos() / u128::from(CHUNK);
        println!("{} {each} {units}", runner.name());
    }
    ExitCode::SUCCESS
}
