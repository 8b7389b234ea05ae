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

/// The inputs of unit tests, from the crate `entrypoint`, are those of the loader.
#[test]
fn unit_tests_get_the_loaders_bytes() {
    let program = program();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let result = runner.run(&inputs().prop_map(with_command), |mut expected| {
        let from_loader = |invocation: &loader::Invocation| {
            let outcome = program.invoke(invocation).expect("a valid invocation");
            assert!(outcome.is_success(), "{:?}", outcome.failure);
            outcome.return_data
        };
        let unit_test = expected.unit_test();
        let in_test = unit_test.input();
        let mut bytes = from_loader(&expected.invocation());
        let count = expected.entries.len();
        if count > 0 {
            // The addresses in the account table differ by the distance of the two inputs.
            let table = bytes.len() - 16 - 8 * count;
            let word = |bytes: &[u8], place: usize| {
                u64::from_le_bytes(*bytes[place..].first_chunk().unwrap())
            };
            let distance = word(&in_test, table).wrapping_sub(word(&bytes, table));
            for place in (table..table + 8 * count).step_by(8) {
                let moved = word(&bytes, place).wrapping_add(distance);
                bytes[place..place + 8].copy_from_slice(&moved.to_le_bytes());
            }
            let start = in_test.as_ptr().addr() as u64;
            let first = word(&in_test, table) - start;
            prop_assert_eq!(in_test[first as usize], 0xFF, "a first occurrence");
        }
        prop_assert_eq!(&in_test[..], &bytes);

        let length = expected.bytes().len() as u64;
        expected.instruction_data = probe_data(Command::ReturnInput, &[length]);
        let in_test = expected.unit_test().without_account_table().input();
        let bytes = from_loader(&expected.invocation().account_table(false));
        prop_assert_eq!(&in_test[..], &bytes);
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
