//! A program's failure reaches the host as data, and is the same on both engines.

use loader::{
    AccountInput, Engine, Failure, Invocation, Limits, Loader, Outcome, Pubkey, SourceLocation,
};
use probe::Command;
use tests::{PROGRAM_ID, call, guest, probe, project, run};

fn failure(invocation: &Invocation) -> Failure {
    let outcome = run(invocation);
    assert!(
        outcome.return_data.is_empty(),
        "a failed program returns nothing"
    );
    outcome
        .failure
        .unwrap_or_else(|| panic!("the program succeeded: {:?}", outcome.logs))
}

#[test]
fn panic_names_message_file_line_and_column() {
    let Failure::Panicked { message, location } = failure(&call(Command::Panic, &[9])) else {
        panic!("no panic");
    };
    assert_eq!(message.as_deref(), Some("probe number 9"));
    let location = location.expect("the default level reports the location");
    assert_eq!(location.file, "tests/guests/probe/src/lib.rs");
    let source = std::fs::read_to_string(guest("probe").join("src/lib.rs")).unwrap();
    let line = source.lines().nth(location.line as usize - 1).unwrap();
    let column = location.column.unwrap() as usize - 1;
    assert!(
        line[column..].starts_with("panic!("),
        "{location} is {line:?}"
    );
}

#[test]
fn a_panic_of_the_language_is_a_panic_too() {
    let Failure::Panicked { message, .. } = failure(&call(Command::Index, &[5])) else {
        panic!("no panic");
    };
    assert_eq!(
        message.as_deref(),
        Some("index out of bounds: the len is 3 but the index is 5")
    );
}

#[test]
fn panic_allocates_nothing() {
    let outcome = run(&call(Command::Panic, &[9]));
    assert_eq!(outcome.heap.peak, Some(0));
}

#[test]
fn out_of_memory_names_size_align_use_and_limit() {
    assert_eq!(
        failure(&call(Command::Allocate, &[100_000])),
        Failure::OutOfMemory {
            size: 100_000,
            align: 1,
            used: Some(0),
            limit: 32_768
        }
    );
    // The header takes 8 bytes. After 511 blocks of 64 the rest is shorter than a block.
    assert_eq!(
        failure(&call(Command::AllocateForEver, &[])),
        Failure::OutOfMemory {
            size: 64,
            align: 1,
            used: Some(511 * 64),
            limit: 32_768
        }
    );
}

#[test]
fn larger_heap_fits_more() {
    // The header takes 8 bytes, so exactly this block fits into 256 KiB.
    let fits = call(Command::Allocate, &[256 * 1024 - 8]).heap_size(256 * 1024);
    let outcome = run(&fits);
    assert!(outcome.is_success(), "{:?}", outcome.failure);
    assert_eq!(outcome.heap.used, Some(256 * 1024 - 8));
    let one_more = call(Command::Allocate, &[256 * 1024 - 7]).heap_size(256 * 1024);
    assert_eq!(failure(&one_more).kind(), "OutOfMemory");
}

#[test]
fn failed_reservation_is_not_a_failure() {
    let outcome = run(&call(Command::TryReserve, &[100_000]));
    assert!(outcome.is_success());
    assert_eq!(outcome.logs, ["refused"]);
    let outcome = run(&call(Command::TryReserve, &[30_000]));
    assert_eq!(outcome.logs, ["reserved"]);
}

#[test]
fn endless_loop_uses_exactly_all_gas() {
    let outcome = run(&call(Command::Loop, &[]).gas(12_345));
    assert_out_of_gas(&outcome, 12_345);
    assert_eq!(outcome.gas_used, 12_345);
    assert_eq!(outcome.status, None);
}

fn assert_out_of_gas(outcome: &Outcome, gas: u64) {
    match &outcome.failure {
        Some(Failure::OutOfGas { limit, .. }) => assert_eq!(*limit, gas),
        other => panic!("not out of gas: {other:?}"),
    }
    assert_eq!(outcome.gas_used, gas, "all gas is used");
}

#[test]
fn out_of_gas_names_the_place() {
    let failure = failure(&call(Command::Recurse, &[]).gas(1_000));
    let Failure::OutOfGas {
        program_counter: Some(program_counter),
        function,
        location,
        ..
    } = &failure
    else {
        panic!("not out of gas: {failure:?}");
    };
    let function = function.as_deref().expect("the blob has debug information");
    assert_eq!(function, "probe::recurse");
    let location = location.as_ref().expect("the blob has debug information");
    let line = source_line("probe/src/lib.rs", location);
    assert!(
        line.contains("black_box([depth; 64])")
            || line.contains("recurse(depth + 1)")
            || line.contains("fn recurse("),
        "{location} is {line:?}"
    );
    assert_eq!(
        failure.to_string(),
        format!(
            "out of gas: the limit is 1,000; stopped at {program_counter:#x} in {function} at {location}"
        )
    );
}

#[test]
fn out_of_gas_in_a_syscall_names_the_place() {
    // Each of the two comparisons costs 8,192 units for these bytes, and so does each fill.
    let data = AccountInput::new(Pubkey::new([3; 32]))
        .owner(PROGRAM_ID)
        .writable()
        .data(vec![0; 1 << 16]);
    let invocation = call(Command::Memory, &[0, 0, 1 << 16])
        .account(data)
        .gas(2_000);
    let Failure::OutOfGas { location, .. } = failure(&invocation) else {
        panic!("not out of gas");
    };
    let location = location.expect("the blob has debug information");
    let line = source_line("probe/src/raw.rs", &location);
    assert!(
        line.contains("rlo_memcpy_") || line.contains("polkavm_import"),
        "{location} is {line:?}"
    );
}

#[test]
fn too_little_gas_ends_at_the_first_block() {
    let Failure::OutOfGas {
        program_counter: Some(none),
        location,
        ..
    } = failure(&call(Command::Succeed, &[]).gas(0))
    else {
        panic!("not out of gas");
    };
    let Failure::OutOfGas {
        program_counter: Some(little),
        ..
    } = failure(&call(Command::Succeed, &[]).gas(1))
    else {
        panic!("not out of gas");
    };
    assert_eq!(none, little);
    assert!(location.is_some(), "the entry has a source location");
}

/// The line of a test program's source at this location.
fn source_line(file: &str, location: &SourceLocation) -> String {
    let file = format!("tests/guests/{file}");
    // As a panic spells it: see `panic_names_message_file_line_and_column`.
    assert_eq!(location.file, file);
    let source = std::fs::read_to_string(project().join(file)).unwrap();
    source
        .lines()
        .nth(location.line as usize - 1)
        .unwrap()
        .to_owned()
}

/// All of these are inlined into the export, and what they do into them.
#[test]
fn inlined_code_names_the_authors_line() {
    let location = |command, numbers: &[u64]| {
        let failure = failure(&call(command, numbers));
        match &failure {
            Failure::OutOfGas { location, .. } | Failure::Trapped { location, .. } => location
                .clone()
                .unwrap_or_else(|| panic!("no line: {failure}")),
            other => panic!("another failure: {other}"),
        }
    };
    let place = location(Command::Loop, &[]);
    let line = source_line("probe/src/lib.rs", &place);
    assert!(line.contains("black_box(());"), "{place} is {line:?}");
    let place = location(Command::Peek, &[16]);
    let line = source_line("probe/src/raw.rs", &place);
    assert!(line.contains("read_volatile"), "{place} is {line:?}");
}

#[test]
fn the_used_gas_is_the_least_sufficient_gas() {
    let needed = run(&call(Command::Succeed, &[])).gas_used;
    assert!(run(&call(Command::Succeed, &[]).gas(needed)).is_success());
    for gas in 0..needed {
        let outcome = run(&call(Command::Succeed, &[]).gas(gas));
        assert_out_of_gas(&outcome, gas);
        assert_eq!(outcome.gas_used, gas);
    }
}

#[test]
fn stack_overflow_names_function_and_line() {
    let Failure::StackOverflow {
        size,
        function,
        location,
        ..
    } = failure(&call(Command::Recurse, &[]))
    else {
        panic!("no stack overflow");
    };
    assert_eq!(size, Some(64 * 1024));
    assert_eq!(function.as_deref(), Some("probe::recurse"));
    let location = location.expect("the blob has debug information");
    let line = source_line("probe/src/lib.rs", &location);
    assert!(
        line.contains("black_box([depth; 64])"),
        "{location} is {line:?}"
    );
}

#[test]
fn trap_names_instruction_address_and_line() {
    let failure = failure(&call(Command::Peek, &[0xffff]));
    let Failure::Trapped {
        program_counter: Some(program_counter),
        cause: instruction,
        address,
        function,
        location,
    } = &failure
    else {
        panic!("no trap: {failure:?}");
    };
    assert_eq!(*address, Some(0xffff));
    let instruction = instruction.as_ref().expect("the instruction");
    assert!(instruction.contains("= u8 ["), "{instruction}");
    let function = function.as_ref().expect("the blob has debug information");
    let location = location.as_ref().expect("the blob has debug information");
    assert_eq!(
        failure.to_string(),
        format!(
            "the program trapped at {program_counter:#x} in {function} at {location}: `{instruction}` may not access 0xffff"
        )
    );
}

#[test]
fn foreign_memory_is_inaccessible() {
    for address in [0, 0xffff, 0x2_0000, 0xffff_ffff, 1 << 32, u64::MAX] {
        assert_eq!(
            failure(&call(Command::Peek, &[address])).kind(),
            "Trapped",
            "{address:#x}"
        );
    }
    // Read-only data starts at 0x10000: a program can read it and cannot write it.
    assert!(run(&call(Command::Peek, &[0x1_0000])).is_success());
    assert_eq!(
        failure(&call(Command::Poke, &[0x1_0000, 1])).kind(),
        "Trapped"
    );
}

#[test]
fn syscalls_name_invalid_pointers() {
    for (address, length) in [
        (0, 1),
        (0xffff_fff0, 0x20),
        (u64::MAX, 2),
        (1 << 32, 1),
        (0x1_0000, 0xfff0),
    ] {
        assert_eq!(
            failure(&call(Command::LogAt, &[address, length])).to_string(),
            format!(
                "`rlo_log_` was called with {} bytes at {address:#x}, which the program may not read",
                cargo_entrypoint::text::grouped(length)
            )
        );
    }
    // The loader rejects a line over the limit before it checks the address.
    for length in [65_537, 0xffff_0000, u64::MAX] {
        assert_eq!(
            failure(&call(Command::LogAt, &[0x1_0000, length])),
            Failure::LogsTooLong { limit: 65_536 }
        );
    }
    let outcome = run(&call(Command::LogAt, &[0, 0]));
    assert_eq!(outcome.logs, [""], "an empty text may have any address");
}

#[test]
fn memory_syscalls_copy_set_and_compare() {
    let account = AccountInput::new(Pubkey::new([3; 32]))
        .owner(PROGRAM_ID)
        .writable();
    let invocation = call(Command::Memory, &[10, 0, 4])
        .account(account.data([1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9]));
    let outcome = run(&invocation);
    assert!(outcome.is_success(), "{:?}", outcome.failure);
    // The program copies, then sets bytes to 7. The first pair that differs is 7 and 1.
    assert_eq!(
        outcome.accounts[0].data,
        [1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 7, 7, 7, 7, 9]
    );
    assert_eq!(outcome.logs, ["6"]);
}

#[test]
fn memory_syscalls_check_their_pointers() {
    let read_only = 0x1_0000;
    assert_eq!(
        failure(&call(Command::Memory, &[read_only, read_only, 8])).to_string(),
        "`rlo_memcpy_` was called with 8 bytes at 0x10000, which the program may not write"
    );
    let nowhere = 0xf000_0000;
    assert_eq!(
        failure(&call(Command::Memory, &[nowhere, read_only, 8])).kind(),
        "InvalidPointer"
    );
    assert_eq!(
        failure(&call(Command::Memory, &[read_only, nowhere, 8])).to_string(),
        "`rlo_memcpy_` was called with 8 bytes at 0xf0000000, which the program may not read"
    );
}

#[test]
fn abort_without_a_report_has_no_details() {
    let magic = abi::report::ABORT_REPORT_MAGIC;
    for arguments in [
        [0, 0],
        [0, magic],
        [0x1_0000, magic],
        [u64::MAX, magic],
        [1, 2],
    ] {
        assert_eq!(failure(&call(Command::Abort, &arguments)), Failure::Aborted);
    }
}

#[test]
fn logs_and_return_data_have_limits() {
    let kind = |invocation| failure(&invocation).kind();
    assert_eq!(kind(call(Command::LogForEver, &[])), "LogsTooLong");
    assert_eq!(
        failure(&call(Command::ReturnData, &[1_025])),
        Failure::ReturnDataTooLong {
            length: 1_025,
            limit: 1_024
        }
    );
    assert_eq!(
        run(&call(Command::ReturnData, &[1_024])).return_data.len(),
        1_024
    );
}

#[test]
fn limits_of_one_loader_apply() {
    let limits = Limits::default().logs(10).return_data(3);
    let blob = program_test::build(guest("probe"));
    let program = Loader::new(Engine::Interpreter)
        .unwrap()
        .limits(limits)
        .load(&blob)
        .unwrap();
    let kind = |invocation| {
        program
            .invoke(&invocation)
            .unwrap()
            .failure
            .map(|failure| failure.kind())
    };
    assert_eq!(kind(call(Command::ReturnData, &[3])), None);
    assert_eq!(
        kind(call(Command::ReturnData, &[4])),
        Some("ReturnDataTooLong")
    );
    assert_eq!(kind(call(Command::LogForEver, &[])), Some("LogsTooLong"));
}

#[test]
fn corrupt_heap_header_is_reported_as_unknown() {
    let outcome = run(&call(Command::SpoilHeap, &[0xff]));
    assert!(outcome.is_success());
    assert_eq!((outcome.heap.used, outcome.heap.peak), (None, None));
}

#[test]
fn program_errors_keep_their_codes() {
    for code in [0, 1, 7, u64::from(u32::MAX)] {
        let outcome = run(&call(Command::Fail, &[code]));
        let expected = if code == 0 { 1 << 32 } else { code };
        assert_eq!(outcome.status, Some(expected));
        assert_eq!(
            outcome.failure,
            Some(Failure::ProgramError {
                error: abi::ProgramError::Custom(code as u32)
            })
        );
    }
}

#[test]
fn every_syscall_returns_its_value() {
    let outcome = run(&call(Command::Imports, &[]));
    assert!(outcome.is_success(), "{:?}", outcome.failure);
    assert_eq!(outcome.return_data, b"0123456789");
    assert_eq!(outcome.logs[0], PROGRAM_ID.to_string());
    assert_eq!(outcome.logs[1], "0x1, 0x2, 0x3, 0x4, 0xffffffffffffffff");
    let remaining: u64 = outcome.logs[2]
        .strip_prefix("gas remaining: ")
        .unwrap()
        .parse()
        .unwrap();
    let later: u64 = outcome.logs[3]
        .strip_suffix(" remain")
        .unwrap()
        .parse()
        .unwrap();
    // The VM charges gas per block, so two calls in one block read the same value.
    assert!(later <= remaining && remaining < loader::DEFAULT_GAS);
}

#[test]
fn standard_collections_have_the_expected_results() {
    let outcome = run(&call(Command::Collections, &[]));
    assert_eq!(outcome.return_data, br#"{"one": 2, "three": 1, "two": 3}"#);
    assert!(outcome.heap.peak > Some(0));
}

#[test]
fn every_invocation_starts_with_clean_memory() {
    let program = probe(tests::polkavm()[1]);
    let describe = |kelvins| {
        let account = AccountInput::new(Pubkey::new([3; 32])).kelvins(kelvins);
        program
            .invoke(&call(Command::Boxes, &[100]).account(account))
            .unwrap()
    };
    let first = describe(5);
    let second = describe(5);
    assert_eq!(first, second);
    assert_eq!(first.heap.used, Some(800));
}
