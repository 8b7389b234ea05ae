//! The loader writes the bytes that `docs/abi.md` draws, and another implementation of the format
//! reads them.
//!
//! //!

use loader::{Engine, Limits, Loader, Program};
use probe::Command;
use proptest::prelude::*;
use tests::input::{Entry, Expected, inputs, rialo_reads, words};
use tests::{guest, probe_data};

/// The probe, under limits that allow much return data.
fn program() -> Program {
    let blob = program_test::build(guest("probe"));
    let limits = Limits::default().return_data(1 << 20);
    Loader::new(Engine::Interpreter)
        .unwrap()
        .limits(limits)
        .load(&blob)
        .unwrap()
}

/// Adapts the input to what a host can pass to the loader: repeats name first occurrences only. The
/// instruction data is the command that returns the input.
fn with_command(mut expected: Expected) -> Expected {
    for position in 0..expected.entries.len() {
        if let Entry::Repeat(_) = expected.entries[position] {
            let first = u8::try_from(expected.first(position)).expect("an early position");
            expected.entries[position] = Entry::Repeat(first);
        }
    }
    let command = |length| probe_data(Command::ReturnInput, &[length]);
    expected.instruction_data = command(0);
    let length = expected.bytes_with_table(0).len() as u64;
    expected.instruction_data = command(length);
    expected
}

#[test]
fn bytes_are_as_documented_and_rialo_reads_them() {
    let program = program();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let result = runner.run(&inputs().prop_map(with_command), |expected| {
        let outcome = program
            .invoke(&expected.invocation())
            .expect("a valid invocation");
        prop_assert!(outcome.is_success(), "{:?}", outcome.failure);
        let bytes = outcome.return_data;

        // The input follows the heap, whose 32 KiB start in the page at 0x30000 or later.
        let address = if expected.entries.is_empty() {
            0
        } else {
            let table = bytes.len() - 16 - 8 * expected.entries.len();
            let first = |bytes: &[u8]| u64::from_le_bytes(*bytes[table..].first_chunk().unwrap());
            first(&bytes) - first(&expected.bytes_with_table(0))
        };
        prop_assert_eq!(address % 4_096, 0);
        prop_assert_eq!(&bytes, &expected.bytes_with_table(address));

        rialo_reads(&mut words(&bytes), &expected);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn bytes_without_table_are_the_rialo_runtimes() {
    let program = program();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let result = runner.run(&inputs().prop_map(with_command), |mut expected| {
        let length = expected.bytes().len() as u64;
        expected.instruction_data = probe_data(Command::ReturnInput, &[length]);
        let outcome = program
            .invoke(&expected.invocation().account_table(false))
            .expect("a valid invocation");
        prop_assert!(outcome.is_success(), "{:?}", outcome.failure);
        prop_assert_eq!(&outcome.return_data, &expected.bytes());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
