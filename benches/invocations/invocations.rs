//! The time of an invocation with all its parts: serialization, run, checks, outcome.
//!
//! Two programs: one that returns at once, and the example `counter`. Each is called with 0, 2 and
//! 8 accounts of 100 bytes, on both engines of PolkaVM, one call after the other and in batches on
//! one core and on two. `counter` without an account returns an error, which is an outcome like any
//! other.
//!
//! It also calls the example `counter` on WebAssembly and natively, one call after the other: each
//! has an instance that is reset, or a process that a fork server has forked.
//!
//! `cargo bench -p invocations-bench` prints for each the time of one invocation and the
//! invocations per second.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loader::{AccountInput, Engine, Invocation, Loader, Program, Pubkey};
use program_build::guest::DebugInfo;
use program_build::machine::Machine;
use program_build::package::ProgramPackage;
use rayon::ThreadPoolBuilder;
use xtask::bench::size;

const PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// Bytes of data that each account has.
const DATA_LENGTH: usize = 100;

/// Invocations of a batch.
const BATCH: usize = 512;

fn blob(program: &str) -> Vec<u8> {
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../size");
    let build = || {
        let package = ProgramPackage::in_folder(&guest)?;
        size::build(&package, program, "message", DebugInfo::Strip)
    };
    build().unwrap_or_else(|error| panic!("{error:?}"))
}

fn load(blob: &[u8], engine: Engine) -> Program {
    let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
    loader.load(blob).unwrap_or_else(|error| panic!("{error}"))
}

fn invocation(accounts: u8) -> Invocation {
    (0..accounts).fold(Invocation::new(PROGRAM_ID), |invocation, index| {
        let account = AccountInput::new(Pubkey::new([2 + index; 32]))
            .owner(PROGRAM_ID)
            .kelvins(1_000)
            .data([0; DATA_LENGTH])
            .writable();
        invocation.account(account)
    })
}

fn invocations(criterion: &mut Criterion) {
    let programs = [("no-op", blob("empty")), ("counter", blob("counter"))];
    for engine in Engine::POLKAVM {
        if let Err(error) = Loader::new(engine) {
            println!("skipped: {error}");
            continue;
        }
        for (name, blob) in &programs {
            let program = load(blob, engine);
            for accounts in [0, 2, 8] {
                let group = format!("{engine}/{name}/{accounts} accounts");
                measure(criterion, &group, &program, &invocation(accounts));
            }
        }
    }
}

fn other_engines(criterion: &mut Criterion) {
    let counter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/counter");
    for engine in [Engine::Wasm, Engine::Native] {
        let load = || {
            let package = ProgramPackage::in_folder(&counter)?;
            let machine = Machine::new(engine);
            let loader = machine.loader(&package.target_folder)?;
            anyhow::Ok(loader.load(&machine.build(&package)?)?)
        };
        let program = load().unwrap_or_else(|error| panic!("{error:?}"));
        for accounts in [0, 2, 8] {
            let invocation = invocation(accounts);
            let name = format!("{engine}/counter/{accounts} accounts/one by one");
            criterion.bench_function(&name, |bencher| {
                bencher.iter(|| program.invoke(black_box(&invocation)));
            });
        }
    }
}

fn measure(criterion: &mut Criterion, group: &str, program: &Program, invocation: &Invocation) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    group.bench_function("one by one", |bencher| {
        bencher.iter(|| program.invoke(black_box(invocation)));
    });
    let batch = vec![invocation.clone(); BATCH];
    group.throughput(Throughput::Elements(BATCH as u64));
    for cores in [1, 2] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(cores)
            .build()
            .unwrap_or_else(|error| panic!("{error}"));
        group.bench_function(format!("batch, cores: {cores}"), |bencher| {
            bencher.iter(|| pool.install(|| program.run_batch(black_box(&batch))));
        });
    }
    group.finish();
}

// By default criterion would write its files into this package's folder.
fn configured() -> Criterion {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/criterion");
    Criterion::default().output_directory(folder.as_ref())
}

criterion_group! {
    name = benches;
    config = configured();
    targets = invocations, other_engines
}
criterion_main!(benches);
