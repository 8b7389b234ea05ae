//! Memory and time while one process runs many invocations.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ledger::{Account, AccountMeta, Instruction, Ledger, Pubkey};
use loader::{Engine, Invocation};

use crate::{Effort, PROGRAM_ID, Row, data_of, invocation, loader, memory};

/// How many points a curve has.
const POINTS: u64 = 100;

/// The number of invocations of each curve. A process of the compiling engine takes a hundred times
/// as long as an invocation on the interpreter.
fn count(effort: Effort, engine: Engine) -> u64 {
    match (effort, engine) {
        (Effort::Quick, _) => 2 * POINTS,
        (Effort::Full, Engine::Compiler) => 10_000,
        (Effort::Full, _) => 1_000_000,
    }
}

/// Calls a program again and again: with one account and with eight, with short data and with 100
/// KiB, with a heap of 32 KiB and of 1 MiB; every fifth call fails.
pub fn in_loader(effort: Effort, counter: &[u8], engine: Engine) -> Result<Vec<Row>> {
    let Some(loader) = loader(engine) else {
        return Ok(Vec::new());
    };
    let program = loader.load(counter)?;
    let kinds: [Invocation; 5] = [
        invocation(1, 8),
        invocation(8, 165),
        invocation(1, 100 << 10),
        invocation(1, 165).heap_size(1 << 20),
        // The counter needs an account.
        invocation(0, 0),
    ];
    run(&engine.to_string(), count(effort, engine), |number| {
        let kind = (number % 5) as usize;
        let outcome = program.invoke(&kinds[kind])?;
        ensure!(outcome.is_success() == (kind != 4), "{outcome:?}");
        Ok(())
    })
}

/// Sends transactions of one instruction again and again: to a hundred accounts, one of them with
/// 100 KiB; every fifth fails.
pub fn in_ledger(effort: Effort, counter: &[u8]) -> Result<Vec<Row>> {
    let mut ledger = Ledger::new();
    ledger.deploy(PROGRAM_ID, counter)?;
    let key = |number: u64| {
        let mut bytes = [7; 32];
        bytes[0] = (number % 100) as u8;
        Pubkey::new(bytes)
    };
    for number in 0..100 {
        let length = if number == 0 { 100 << 10 } else { 165 };
        ledger.set_account(Account {
            key: key(number),
            owner: PROGRAM_ID,
            kelvins: 1_000_000_000_000,
            data: data_of(length).into(),
            ..Account::default()
        })?;
    }
    run("ledger", count(effort, Engine::Interpreter), |number| {
        let fails = number % 5 == 4;
        let mut call = Instruction::new(PROGRAM_ID);
        if !fails {
            call = call.account(AccountMeta::writable(key(number)));
        }
        let outcome = ledger.send([call]);
        ensure!(outcome.is_success() != fails, "{outcome:?}");
        Ok(())
    })
}

/// Runs something so often, and records the memory of the process, and the time of one in the
/// fastest hundred of each step: other processes interrupt some.
fn run(name: &str, count: u64, mut one: impl FnMut(u64) -> Result<()>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let step = count / POINTS;
    for point in 1..=POINTS {
        let mut fastest = Duration::MAX;
        let (mut number, end) = ((point - 1) * step, point * step);
        while number < end {
            let count = (end - number).min(100);
            let start = Instant::now();
            for number in number..number + count {
                one(number)?;
            }
            fastest = fastest.min(start.elapsed() / count as u32);
            number += count;
        }
        let each = fastest.as_secs_f64() * 1e6;
        let x = point * step;
        rows.push(Row::new(format!("µs {name}"), x, each));
        if let Some(memory) = memory::resident() {
            rows.push(Row::new(format!("MiB {name}"), x, memory));
        }
    }
    Ok(rows)
}
