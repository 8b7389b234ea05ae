//! The example `counter` with more and more accounts.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use loader::{AccountInput, Engine, Invocation, Loader, Program, Pubkey};

use crate::bare::Bare;
use crate::turns::{Subject, shortest};

pub const PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// Bytes of data that each account has.
pub const DATA_LENGTH: usize = 165;

pub const HEAP_SIZE: u32 = 32 << 10;

pub const GAS: u64 = 200_000;

/// How long everything is measured for one number of accounts.
const TIME: Duration = Duration::from_secs(8);

pub fn invocation(accounts: u8) -> Invocation {
    let invocation = Invocation::new(PROGRAM_ID).heap_size(HEAP_SIZE).gas(GAS);
    (0..accounts).fold(invocation, |invocation, index| {
        let account = AccountInput::new(Pubkey::new([2 + index; 32]))
            .owner(PROGRAM_ID)
            .kelvins(1_000)
            .data([0; DATA_LENGTH])
            .writable();
        invocation.account(account)
    })
}

/// The table of the times.
pub fn table() -> Result<String> {
    let blob = program_test::build(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/counter"
    ));
    let interpreter = Loader::new(Engine::Interpreter)?.load(&blob)?;
    let compiler = Loader::new(Engine::Compiler)?.load(&blob)?;
    let loader = Loader::new(Engine::Compiler)?.idle_instances(0);
    let without_idle = loader.load(&blob)?;
    let mut table = String::from(
        "| accounts | bare VM, reset, µs | loader, µs | times the bare VM | loader without idle \
         processes, µs | loader on the interpreter, µs |\n|---:|---:|---:|---:|---:|---:|\n",
    );
    for accounts in [1, 3, 8] {
        check(&blob, &compiler, accounts)?;
        let subjects = [
            bare(&blob, accounts),
            by_loader(&compiler, accounts),
            by_loader(&without_idle, accounts),
            by_loader(&interpreter, accounts),
        ];
        let [bare, ours, without_idle, interpreter] = shortest(&subjects, TIME);
        writeln!(
            table,
            "| {accounts} | {bare:.1} | {ours:.1} | {:.2} | {without_idle:.1} | {interpreter:.1} |",
            ours / bare,
        )?;
    }
    Ok(table)
}

fn by_loader(program: &Program, accounts: u8) -> Subject {
    let (program, invocation) = (program.clone(), invocation(accounts));
    Subject::new(move || {
        move || {
            let outcome = program.invoke(black_box(&invocation));
            assert!(outcome.expect("the invocation is valid").is_success());
        }
    })
}

fn bare(blob: &[u8], accounts: u8) -> Subject {
    let blob = blob.to_vec();
    Subject::new(move || {
        let mut bare = Bare::new(&blob, accounts);
        move || bare.run()
    })
}

/// Checks that the bare VM runs the same program to the same end.
fn check(blob: &[u8], program: &Program, accounts: u8) -> Result<()> {
    let (blob, outcome) = (blob.to_vec(), program.invoke(&invocation(accounts))?);
    let run = move || {
        let mut bare = Bare::new(&blob, accounts);
        bare.run();
        bare.data()
    };
    // A thread that the VM binds to a core.
    let bare = std::thread::spawn(run).join();
    let bare = bare.expect("the bare VM runs the program");
    let ours: Vec<Vec<u8>> = outcome
        .accounts
        .into_iter()
        .map(|account| account.data.into_vec())
        .collect();
    ensure!(
        bare == ours,
        "the bare VM and the loader leave other data: {bare:?}, {ours:?}"
    );
    Ok(())
}
