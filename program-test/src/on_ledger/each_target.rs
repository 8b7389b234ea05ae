//! The same test on every target.

use std::fmt::Write;

use ledger::{Describe, TransactionOutcome};
use loader::{Engine, Failure, status_text};
use program_build::guest;

use super::{Known, TestLedger, diff};

/// Runs a test on each engine that this computer has: PolkaVM's two, WebAssembly, and native
/// programs on 64-bit Linux. For each engine that is left out it prints `skipped: ` and the reason.
///
/// The test gets a ledger without accounts. Whatever its transactions do must be the same on every
/// engine: statuses, failures, logs, return data, calls and changed accounts. Gas and the use of
/// the heap may differ. So may whether the program can be run out of gas at all: native programs do
/// not count instructions.
///
/// ```
/// use program_test::{Instruction, for_each_target, program};
///
/// for_each_target(|ledger| {
///     let hello = ledger.deploy(program!("../examples/hello"));
///     ledger.send(Instruction::new(hello)).assert_success();
/// });
/// ```
///
/// # Panics
///
/// If the test panics on an engine, or an engine did something else than the first one. The message
/// names the engine.
#[track_caller]
pub fn for_each_target(test: impl Fn(&mut TestLedger)) {
    let mut engines = crate::polkavm_engines();
    engines.push(Engine::Wasm);
    if guest::RUNS_NATIVELY {
        engines.push(Engine::Native);
    } else {
        println!("skipped: the native engine, which runs on 64-bit Linux only");
    }
    let mut first: Option<(Engine, Vec<String>)> = None;
    for engine in engines {
        let mut ledger = TestLedger::on(engine);
        ledger.known.engine = Some(engine);
        test(&mut ledger);
        let Some((first_engine, expected)) = &first else {
            first = Some((engine, ledger.transcript));
            continue;
        };
        let transactions = expected.len().max(ledger.transcript.len());
        for index in 0..transactions {
            let [one, other] = [expected, &ledger.transcript]
                .map(|transcript| transcript.get(index).map_or("", String::as_str));
            assert!(
                one == other,
                "transaction {index} differs (- on the {first_engine} engine, + on the {engine} \
                 engine):\n{}",
                diff::of_texts(one, other)
            );
        }
    }
}

/// What a transaction did, apart from what depends on the target.
pub fn transcript(outcome: &TransactionOutcome, known: &Known) -> String {
    let mut text = String::new();
    // A string takes every text.
    let _ = write(&mut text, outcome);
    known.names().in_text(&text)
}

fn write(text: &mut String, outcome: &TransactionOutcome) -> std::fmt::Result {
    match (&outcome.error, outcome.failed_program()) {
        (None, _) => writeln!(text, "succeeded")?,
        (Some(_), Some((program_id, failure))) => match failure {
            // The details are those of the target.
            Failure::OutOfGas { .. }
            | Failure::OutOfMemory { .. }
            | Failure::Trapped { .. }
            | Failure::StackOverflow { .. }
            | Failure::InvalidPointer { .. } => {
                writeln!(text, "{program_id} failed: {}", failure.kind())?;
            }
            _ => writeln!(text, "{program_id} failed: {failure}")?,
        },
        (Some(error), None) => writeln!(text, "failed: {error}")?,
    }
    for (index, instruction) in outcome.instructions.iter().enumerate() {
        writeln!(text, "instruction {index} of {}", instruction.program_id)?;
        writeln!(text, "  status {}", status_text(instruction.status))?;
        for call in &instruction.calls {
            writeln!(text, "  depth {}: {}", call.depth, call.program_id)?;
        }
        for line in instruction.texts() {
            writeln!(text, "  log: {line}")?;
        }
        writeln!(text, "  returned {:02x?}", instruction.return_data)?;
    }
    for change in outcome.changes() {
        writeln!(text, "{}", change.key)?;
        match &change.after {
            None => writeln!(text, "  removed")?,
            Some(account) => {
                writeln!(text, "  owner {}", account.owner)?;
                writeln!(text, "  kelvins {}", account.kelvins)?;
                writeln!(text, "  data {:02x?}", account.data)?;
            }
        }
    }
    Ok(())
}
