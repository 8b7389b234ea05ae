//! Every import with every wild pointer and length, a program that overwrites what the loader
//! wrote, and a program that returns any number. Each outcome matches an independent model, on both
//! engines.

use std::sync::OnceLock;

use abi::imports::Import;
use loader::{Engine, Failure};
use proptest::prelude::*;
use tests::hostile::machine::Machine;
use tests::hostile::script::{Call, MODELLED, Script, bases};

/// Runs on both engines.
fn machine() -> &'static Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(|| Machine::new(&tests::polkavm()))
}

/// Runs on the interpreter only, which starts at once.
fn interpreter() -> &'static Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    MACHINE.get_or_init(|| Machine::new(&[Engine::Interpreter]))
}

/// The positions of an import's pointer parameters, and of its length parameters.
fn pointers_and_lengths(import: Import) -> (Vec<usize>, Vec<usize>) {
    let with = |is_wanted: fn(&(&str, &str)) -> bool| {
        let parameters = import.parameters().iter().enumerate();
        let wanted = parameters.filter(|(_, parameter)| is_wanted(parameter));
        wanted.map(|(index, _)| index).collect()
    };
    (
        with(|(_, type_)| type_.starts_with('*')),
        with(|(name, _)| *name == "length"),
    )
}

/// Addresses at, before and after each edge of the memory map.
fn wild_addresses() -> Vec<u64> {
    let edges = bases(&machine().layout).into_iter();
    let around =
        edges.flat_map(|edge| [-4_096, -33, -1, 0, 1].map(|by| edge.wrapping_add_signed(by)));
    let mut addresses: Vec<u64> = around.collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn wild_lengths() -> Vec<u64> {
    let layout = &machine().layout;
    let all_writable = layout.writable.end - layout.writable.start;
    let mut lengths = vec![
        0,
        1,
        32,
        33,
        4_095,
        4_096,
        4_097,
        all_writable,
        all_writable + 1,
    ];
    lengths.extend([
        1 << 20,
        1 << 31,
        u64::from(u32::MAX),
        1 << 32,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ]);
    lengths
}

#[test]
fn every_pointer_of_every_import_may_be_wild() {
    let somewhere = machine().layout.writable.start + 512;
    let mut calls = 0;
    let mut refused = 0;
    for import in MODELLED {
        let (pointers, lengths) = pointers_and_lengths(import);
        for wild in &pointers {
            for address in wild_addresses() {
                let all_lengths = if lengths.is_empty() {
                    vec![0]
                } else {
                    wild_lengths()
                };
                for length in all_lengths {
                    let mut arguments = vec![0; import.parameters().len()];
                    for pointer in &pointers {
                        arguments[*pointer] = somewhere;
                    }
                    arguments[*wild] = address;
                    for place in &lengths {
                        arguments[*place] = length;
                    }
                    // Bytes for the call to copy, if its pointers are valid.
                    let before = (Import::SetReturnData, vec![somewhere, 600]);
                    // Seven divides neither the number of addresses nor the number of lengths.
                    let machine = if calls % 7 == 0 {
                        machine()
                    } else {
                        interpreter()
                    };
                    let outcome = machine.check(&Script::new([before, (import, arguments)]));
                    calls += 1;
                    let invalid = matches!(outcome.failure, Some(Failure::InvalidPointer { .. }));
                    refused += usize::from(invalid);
                }
            }
        }
    }
    assert!(calls > 10_000 && refused > 3_000, "{refused} of {calls}");
}

#[test]
fn parameter_kinds_follow_types_and_names() {
    assert_eq!(pointers_and_lengths(Import::Log), (vec![0], vec![1]));
    assert_eq!(
        pointers_and_lengths(Import::Memcmp),
        (vec![0, 1, 3], vec![2])
    );
    assert_eq!(
        pointers_and_lengths(Import::GetReturnData),
        (vec![0, 2], vec![1])
    );
    let with_pointers = MODELLED
        .iter()
        .filter(|import| !pointers_and_lengths(**import).0.is_empty());
    assert_eq!(with_pointers.count(), 9);
}

fn set(address: u64, value: u64, length: u64) -> (Import, Vec<u64>) {
    (Import::Memset, vec![address, value, length])
}

/// The outcome of a script that only sets these bytes.
fn after(address: u64, value: u64, length: u64) -> loader::Outcome {
    machine().check(&Script::new([set(address, value, length)]))
}

#[test]
fn invalid_heap_header_is_ignored() {
    let heap = machine().layout.heap;
    let before = machine().check(&Script::default());
    assert_eq!((before.heap.used, before.heap.peak), (Some(0), Some(0)));
    for (value, expected) in [(0xFF, None), (1, None), (0, Some(0))] {
        let outcome = after(heap, value, 8);
        assert!(outcome.is_success(), "a program may overwrite its heap");
        assert_eq!((outcome.heap.used, outcome.heap.peak), (expected, expected));
    }
    // Two bytes can be as large as 65,535, which is more than the 32 KiB of the heap.
    assert_eq!(after(heap, 0x80, 2).heap.used, None);
    assert_eq!(after(heap, 0x7F, 2).heap.used, Some(0x7F7F));
    assert_eq!(after(heap + 4, 0x7F, 2).heap.peak, Some(0x7F7F));
    assert_eq!(after(heap + 4, 0x7F, 2).heap.used, Some(0));
    assert_eq!(after(heap + 4, 0xFF, 4).heap.used, None);
}

#[test]
fn logs_end_at_their_limit() {
    let machine = machine();
    let text = machine.layout.writable.start + 512;
    let lengths = [0, 1, 500, 521, 522, 523, 1_022, 1_023, 1_024, 1_025];
    let mut ends = std::collections::BTreeSet::new();
    for first in lengths {
        for second in lengths {
            let log = |length| (Import::Log, vec![text, length]);
            let outcome = machine.check(&Script::new([log(first), log(second)]));
            ends.insert((outcome.logs.len(), outcome.is_success()));
            let key = (Import::LogPubkey, vec![text]);
            let numbers = (Import::Log64, vec![1, 2, 3, 4, 5]);
            let gas = (Import::LogComputeUnits, vec![]);
            let _ = machine.check(&Script::new([log(first), key, numbers, gas, log(second)]));
        }
    }
    assert_eq!(Vec::from_iter(ends), [(0, false), (1, false), (2, true)]);
}

#[test]
fn bytes_not_read_back_may_change() {
    let layout = &machine().layout;
    let data_length = layout.input;
    let program_id = layout.input + 8 + tests::hostile::script::SCRIPT_LENGTH as u64;
    let count = program_id + 32;
    let table = layout.input_end - 16 - 3 * 8;
    for (address, length) in [
        (data_length, 8),
        (program_id, 32),
        (count, 8),
        (table, 3 * 8),
        (table + 3 * 8, 16),
        (layout.heap, 32 << 10),
        (layout.stack.start, layout.stack.end - layout.stack.start),
        (layout.input_end, layout.writable.end - layout.input_end),
    ] {
        for value in [0, 1, 0xFF] {
            let outcome = after(address, value, length);
            assert!(outcome.is_success(), "{address:#x}: {:?}", outcome.failure);
            assert_eq!(outcome.accounts[0].data, [7; 40]);
        }
    }
}

#[test]
fn every_byte_of_the_entries_may_be_overwritten() {
    let layout = &machine().layout;
    let entries = layout.input + 8 + tests::hostile::script::SCRIPT_LENGTH as u64 + 40;
    let table = layout.input_end - 16 - 3 * 8;
    // Headers, data and the bytes after it, ends of spare bytes, rent epochs, the repeat.
    let first = abi::input::entry_length(40).unwrap() as u64;
    let second = abi::input::entry_length(8).unwrap() as u64;
    let mut places: Vec<u64> = (0..160).collect();
    places.extend(first - 24..first + 120);
    places.extend(first + second - 24..table - entries);
    let mut refusals = std::collections::BTreeSet::new();
    for place in places {
        for value in [0, 1, 2, 0x28, 0x29, 0xFF] {
            let outcome = after(entries + place, value, 1);
            if let Some(failure) = &outcome.failure {
                assert!(matches!(failure, Failure::WriteBack(_)), "{failure}");
                refusals.insert(failure.kind());
            }
        }
    }
    let expected = [
        "AccountNotWritable",
        "DataGrewTooMuch",
        "ExecutableChanged",
        "KelvinsNotConserved",
        "KeyChanged",
        "ReassignedWithData",
        "RentEpochChanged",
        "RepeatChanged",
        "SignerFlagChanged",
        "WritableFlagChanged",
    ];
    assert_eq!(Vec::from_iter(refusals), expected);
    for value in [0, 1, 0xFF] {
        let outcome = after(layout.input, value, layout.input_end - layout.input);
        assert!(
            !outcome.is_success(),
            "a whole input of {value} must be rejected"
        );
    }
}

#[test]
fn a_status_may_be_any_number() {
    for bit in 0..64 {
        for status in [1 << bit, (1 << bit) - 1, !(1 << bit), u64::MAX << bit] {
            let script = Script {
                status,
                ..Script::new([set(machine().layout.heap, 0, 1)])
            };
            let outcome = machine().check(&script);
            assert_eq!(outcome.status, Some(status));
            assert_eq!(outcome.is_success(), status == 0);
        }
    }
}

#[test]
fn unknown_syscall_in_a_script_traps() {
    let layout = &machine().layout;
    let next = layout.input + 16 + tests::hostile::script::CALL_LENGTH as u64;
    let outcome = after(next, 0xFF, 8);
    assert_eq!(
        outcome.failure.map(|failure| failure.kind()),
        Some("Trapped")
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn scripts_of_any_bytes_match_the_model(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        machine().check_bytes(&bytes);
    }

    #[test]
    fn calls_with_any_numbers_match_the_model(
        calls in prop::collection::vec((0..MODELLED.len(), any::<[u64; 5]>()), 0..8),
        status: u64,
    ) {
        let calls = calls.into_iter().map(|(number, arguments)| Call {
            import: MODELLED[number],
            arguments,
        });
        let _ = machine().check(&Script { calls: calls.collect(), status });
    }
}
