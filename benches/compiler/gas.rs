//! From how much gas on the compiling engine is faster than the interpreter.

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use loader::{Engine, Invocation, Loader, Program};
use polkavm_common::program::Reg::{A0, A2, S0, T0, T1, T2};
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;

use crate::accounts::invocation;
use crate::turns::{Subject, shortest};

/// Rounds of the program's loop.
const ROUNDS: [u64; 8] = [0, 10, 100, 300, 1_000, 3_000, 10_000, 100_000];

/// Accounts of each invocation.
const ACCOUNTS: u8 = 3;

/// How long each number of rounds is measured.
const TIME: Duration = Duration::from_secs(3);

/// Loads of a program on each engine. The time is that of the fastest.
const LOADS: usize = 30;

/// The times of one program by the gas that it uses.
pub struct Curve {
    pub points: Vec<Point>,
    /// Microseconds in which each engine loads the example `counter`.
    load: [f64; 2],
}

/// Microseconds of an invocation that uses this much gas.
#[derive(Clone, Copy)]
pub struct Point {
    pub gas: u64,
    pub interpreter: f64,
    pub compiler: f64,
}

/// A program whose loop reads a word of a table, calculates with it, and writes it: ten units a
/// round. The instruction data is the number of rounds.
fn blob() -> Result<Vec<u8>> {
    let code = [
        asm::load_indirect_u64(T0, A0, 8),
        asm::load_imm(T1, 1),
        asm::branch_eq_imm(T0, 0, 2),
        // The loop.
        asm::and_imm(T2, T0, 127),
        asm::shift_logical_left_imm_64(T2, T2, 3),
        asm::add_64(T2, T2, A2),
        asm::load_indirect_u64(S0, T2, 8),
        asm::add_64(T1, T1, S0),
        asm::mul_imm_64(T1, T1, 31),
        asm::xor(T1, T1, T0),
        asm::store_indirect_u64(T1, T2, 8),
        asm::add_imm_64(T0, T0, -1),
        asm::branch_not_eq_imm(T0, 0, 1),
        asm::load_imm(A0, 0),
        asm::ret(),
    ];
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_stack_size(64 << 10);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.set_code(&code, &[]);
    builder.to_vec().map_err(anyhow::Error::msg)
}

fn call(rounds: u64) -> Invocation {
    let data = rounds.to_le_bytes().to_vec();
    invocation(ACCOUNTS).data(data).gas(100_000_000)
}

impl Curve {
    pub fn measure() -> Result<Self> {
        let blob = blob()?;
        let engines = [Engine::Interpreter, Engine::Compiler];
        let mut programs = Vec::new();
        for engine in engines {
            programs.push(Loader::new(engine)?.load(&blob)?);
        }
        let mut points = Vec::new();
        for rounds in ROUNDS {
            let gas = programs[0].invoke(&call(rounds))?.gas_used;
            let subjects = [0, 1].map(|engine| subject(&programs[engine], rounds));
            let [interpreter, compiler] = shortest(&subjects, TIME);
            points.push(Point {
                gas,
                interpreter,
                compiler,
            });
        }
        let counter = program_test::build(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../examples/counter"
        ));
        let mut load = [f64::INFINITY; 2];
        for (engine, best) in engines.into_iter().zip(&mut load) {
            let loader = Loader::new(engine)?;
            for _ in 0..LOADS {
                let start = Instant::now();
                let program = loader.load(black_box(&counter))?;
                *best = best.min(start.elapsed().as_secs_f64() * 1e6);
                drop(program);
            }
        }
        Ok(Self { points, load })
    }

    /// The gas from which on the compiling engine is faster, and the time there: between the points
    /// before and after it, both times grow in proportion to the gas.
    pub fn crossing(&self) -> Option<(f64, f64)> {
        let is_slower = |point: &&Point| point.compiler >= point.interpreter;
        let before = *self.points.iter().rev().find(is_slower)?;
        let after = self.points.iter().find(|point| point.gas > before.gas)?;
        let difference = |point: &Point| point.compiler - point.interpreter;
        let share = difference(&before) / (difference(&before) - difference(after));
        let between = |from: f64, to: f64| from + share * (to - from);
        Some((
            between(before.gas as f64, after.gas as f64),
            between(before.compiler, after.compiler),
        ))
    }

    pub fn table(&self) -> String {
        let mut table =
            String::from("| gas | interpreter, µs | compiler, µs |\n|---:|---:|---:|\n");
        for point in &self.points {
            let _ = writeln!(
                table,
                "| {} | {:.1} | {:.1} |",
                point.gas, point.interpreter, point.compiler
            );
        }
        match self.crossing() {
            Some((gas, _)) => {
                // Two digits: the rest is noise.
                let unit = 10_f64.powf(gas.log10().floor() - 1.0);
                let gas = (gas / unit).round() * unit;
                let _ = writeln!(
                    table,
                    "\nThe compiling engine is faster from about {gas:.0} units of gas on."
                );
            }
            None => table.push_str("\nThe lines do not cross.\n"),
        }
        let [interpreter, compiler] = self.load;
        let _ = writeln!(
            table,
            "Loading `counter` takes {interpreter:.0} µs on the interpreter and {compiler:.0} µs on \
             the compiler."
        );
        table
    }

    /// The last point.
    pub fn last(&self) -> Result<Point> {
        self.points.last().copied().context("no point is measured")
    }
}

fn subject(program: &Program, rounds: u64) -> Subject {
    let (program, invocation) = (program.clone(), call(rounds));
    Subject::new(move || {
        move || {
            let outcome = program.invoke(black_box(&invocation));
            assert!(outcome.expect("the invocation is valid").is_success());
        }
    })
}
