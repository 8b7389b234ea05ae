//! One program has the same status, failure, logs, return data and accounts on PolkaVM's two
//! engines, on WebAssembly and on the native engine. The last tests state what differs.

use everywhere::{Command, MAX_LEAN, MAX_LISTED};
use loader::{AccountInput, Engine, Failure, Invocation, Outcome, ProgramError, Pubkey};
use tests::PROGRAM_ID;
use tests::everywhere_guest::{Step, call, engines, invoke, load, program, programs};

/// The features of the guest: each selects an entry and a heap, see its manifest.
const FEATURES: [Option<&str>; 4] = [None, Some("lean"), Some("lazy"), Some("stateful")];

/// Calls the guest with a feature on every engine. Returns the interpreter's outcome, and the
/// differences of the other outcomes from it.
pub(super) fn compare(feature: Option<&'static str>, call: &Invocation) -> (Outcome, Vec<String>) {
    let programs = programs(feature);
    let (first, others) = programs.split_first().expect("an engine");
    let first = invoke(first, call);
    let mut differences = Vec::new();
    for other in others {
        differences.extend(first.differences(&invoke(other, call)));
    }
    (first, differences)
}

/// The outcome of a call, which must be the same on every engine, with a table and without one.
#[track_caller]
fn same(feature: Option<&'static str>, call: &Invocation) -> Outcome {
    let [with_table, without] = [true, false].map(|account_table| {
        let call = call.clone().account_table(account_table);
        let (outcome, differences) = compare(feature, &call);
        assert!(
            differences.is_empty(),
            "{feature:?}, table: {account_table}\n{}",
            differences.join("\n")
        );
        outcome
    });
    let differences = with_table.differences(&without);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    with_table
}

pub(super) fn key(number: u8) -> Pubkey {
    Pubkey::new([number; 32])
}

/// A call with three accounts: one that the program may change, a read-only one, and one with
/// another owner.
fn call_with_accounts(steps: &[Step]) -> Invocation {
    call(steps)
        .heap_size(1 << 20)
        .account(
            AccountInput::new(key(2))
                .owner(PROGRAM_ID)
                .kelvins(1_000)
                .data([1, 2, 3, 4, 5])
                .writable()
                .signer(),
        )
        .account(
            AccountInput::new(key(3))
                .owner(PROGRAM_ID)
                .kelvins(5)
                .data([9; 77]),
        )
        .account(
            AccountInput::new(key(4))
                .kelvins(u64::MAX - 1_005)
                .writable(),
        )
}

/// The expected outcome of a case.
#[derive(Debug)]
enum Expected {
    /// Success with this number of log lines, or, for `ANY`, with some lines or a panic.
    Success(usize),
    /// An error that the program returns.
    Error(ProgramError),
    /// A failure of this kind.
    Failed(&'static str),
}

const ANY: usize = usize::MAX;

#[test]
fn every_command_agrees_on_every_target() {
    use Command as C;
    use Expected::{Error, Failed, Success};
    use ProgramError::{
        AccountBorrowFailed, AccountDataTooSmall, ArithmeticOverflow, Custom, InsufficientFunds,
        InvalidRealloc, NotEnoughAccountKeys,
    };
    let mut all_borrows: Vec<Step> = (0..5).map(|how| (C::BorrowTwo, [0, 0, how])).collect();
    all_borrows.extend((0..4).map(|how| (C::BorrowTwo, [0, 1, how])));
    let all_panics = |how, with| [(C::LogText, [3, how, 0]), (C::PanicAsRust, [how, with, 0])];
    let mut cases: Vec<(Vec<Step>, Expected)> = vec![
        (vec![], Success(0)),
        (vec![(C::Return, [0; 3]), (C::Panic, [0; 3])], Success(0)),
        (vec![(C::Return, [7, 0, 0])], Error(Custom(7))),
        (vec![(C::Return, [1 << 32, 0, 0])], Error(Custom(0))),
        (vec![(C::Return, [6 << 32, 0, 0])], Error(InsufficientFunds)),
        (vec![(C::Return, [u64::MAX, 0, 0])], Error(Custom(u32::MAX))),
        (
            vec![(C::LogText, [0; 3]), (C::LogText, [1_000, 5, 0])],
            Success(2),
        ),
        (vec![(C::LogFormatted, [u64::MAX, 0, 12_345])], Success(5)),
        (vec![(C::LogFormatted, [19, 399, 1])], Success(5)),
        (
            vec![
                (C::LogNumbers, [1, u64::MAX, 1 << 40]),
                (C::LogKeys, [9, 0, 0]),
            ],
            Success(3),
        ),
        (
            vec![
                (C::SetReturnData, [1_024, 3, 0]),
                (C::GetReturnData, [39, 0, 0]),
            ],
            Success(1),
        ),
        (
            vec![(C::SetReturnData, [5, 3, 0]), (C::GetReturnData, [2, 0, 0])],
            Success(1),
        ),
        (
            vec![(C::SetReturnData, [5, 3, 0]), (C::SetReturnData, [0; 3])],
            Success(0),
        ),
        (
            vec![(C::SetReturnData, [5, 3, 0]), (C::GetReturnData, [0; 3])],
            Success(1),
        ),
        (vec![(C::GetReturnData, [39, 0, 0])], Success(1)),
        (
            vec![(C::SetReturnData, [1_025, 0, 0])],
            Failed("ReturnDataTooLong"),
        ),
        (vec![(C::LogText, [1_023, 1, 0]); 60], Failed("LogsTooLong")),
        (vec![(C::Describe, [0; 3])], Success(10)),
        (
            vec![(C::SetData, [0, 4, 0x1ff]), (C::Describe, [0; 3])],
            Success(10),
        ),
        (vec![(C::SetData, [0, 5, 1])], Error(AccountDataTooSmall)),
        (
            vec![(C::SetData, [0, 1 << 32, 1])],
            Error(AccountDataTooSmall),
        ),
        (vec![(C::SetData, [3, 0, 1])], Error(NotEnoughAccountKeys)),
        (
            vec![(C::SetData, [1 << 32, 0, 1])],
            Error(NotEnoughAccountKeys),
        ),
        (vec![(C::SetData, [1, 0, 1])], Failed("AccountNotWritable")),
        (vec![(C::SetData, [1, 0, 9])], Success(0)),
        (
            vec![(C::SetKelvins, [0, 1_001, 0])],
            Failed("KelvinsNotConserved"),
        ),
        (
            vec![(C::SetKelvins, [2, 5, 0])],
            Failed("DebitedByNonOwner"),
        ),
        (vec![(C::Transfer, [0, 2, 400])], Success(0)),
        (vec![(C::Transfer, [0, 2, 1_001])], Error(InsufficientFunds)),
        (
            vec![(C::SetKelvins, [2, u64::MAX, 0]), (C::Transfer, [0, 2, 1])],
            Error(ArithmeticOverflow),
        ),
        (
            vec![
                (C::Resize, [0, 10_245, 0]),
                (C::SetData, [0, 10_244, 8]),
                (C::Describe, [0; 3]),
            ],
            Success(10),
        ),
        (
            vec![
                (C::Resize, [0, 0, 0]),
                (C::Resize, [0, 3, 0]),
                (C::Describe, [0; 3]),
            ],
            Success(10),
        ),
        (vec![(C::Resize, [0, 10_246, 0])], Error(InvalidRealloc)),
        (vec![(C::Resize, [0, 1 << 32, 0])], Error(InvalidRealloc)),
        (
            vec![(C::Resize, [2, 1, 0])],
            Failed("DataChangedByNonOwner"),
        ),
        (vec![(C::Assign, [0, 7, 0])], Failed("ReassignedWithData")),
        (
            vec![(C::Resize, [0, 0, 0]), (C::Assign, [0, 7, 0])],
            Success(0),
        ),
        (vec![(C::Assign, [2, 7, 0])], Failed("ReassignedByNonOwner")),
        (all_borrows, Success(9)),
        (
            vec![(C::BorrowOften, [0, 254, 0]), (C::BorrowOften, [0, 255, 0])],
            Success(2),
        ),
        (
            vec![(C::LeakBorrow, [0, 1, 0]), (C::Describe, [0; 3])],
            Success(10),
        ),
        (
            vec![(C::LeakBorrow, [0, 0, 0]), (C::SetData, [0; 3])],
            Error(AccountBorrowFailed),
        ),
        (
            vec![(C::LeakBorrow, [0, 1, 0]), (C::Resize, [0, 5, 0])],
            Error(AccountBorrowFailed),
        ),
        // No target's accounts have this length, and the borrow is checked first.
        (
            vec![(C::LeakBorrow, [0, 1, 0]), (C::Resize, [0, 1 << 40, 0])],
            Error(AccountBorrowFailed),
        ),
        (vec![(C::Resize, [0, 1 << 40, 0])], Error(InvalidRealloc)),
        (vec![(C::Panic, [5, 3, 0])], Failed("Panicked")),
        // The limit cuts the message within a letter.
        (vec![(C::Panic, [599, 0, 0])], Failed("Panicked")),
        (
            vec![(C::TryReserve, [1, 9, 0]), (C::TryReserve, [0, 9, 0])],
            Success(4),
        ),
        (vec![(C::Allocate, [16_383, 0, 0]); 8], Success(0)),
        (vec![(C::OutOfMemory, [0; 3])], Failed("OutOfMemory")),
        (vec![(C::Zeroed, [16_000, 0, 0]); 3], Success(3)),
        (vec![(C::Recurse, [200, 0, 0])], Success(1)),
        (vec![(C::Count, [0; 3]); 2], Success(2)),
        (vec![(C::CountInHeap, [0; 3]); 2], Success(2)),
    ];
    for number in [0, 1, 9, 63, 255, 1 << 33, u64::MAX] {
        let order = 1_000 - number % 1_000;
        for (command, lines) in [
            (C::Regrow, 1),
            (C::Boxes, 1),
            (C::Collections, 3),
            (C::Texts, 5),
            (C::Integers, 2),
        ] {
            cases.push((vec![(command, [number, order, !number])], Success(lines)));
        }
        for bits in [
            0,
            1,
            1.5_f64.to_bits(),
            f64::MAX.to_bits(),
            f64::NAN.to_bits(),
            (-0.1_f64).to_bits(),
        ] {
            cases.push((vec![(C::Fractions, [bits, number, order])], Success(ANY)));
        }
        for how in 0..5 {
            cases.push((vec![(C::TurnData, [0, number, how])], Success(1)));
        }
    }
    for how in 0..20 {
        for with in [0, 1, 2, 3, 41] {
            cases.push((all_panics(how, with).to_vec(), Success(ANY)));
        }
    }
    let mut panics = 0;
    for (steps, expected) in &cases {
        let outcome = same(None, &call_with_accounts(steps));
        let found = (&outcome.failure, outcome.logs.len());
        let is_as_expected = match (expected, found) {
            (Success(ANY), (None | Some(Failure::Panicked { .. }), lines)) => lines > 0,
            (Success(count), (None, lines)) => lines == *count,
            (Error(own), (Some(Failure::ProgramError { error }), _)) => error == own,
            (Failed(kind), (Some(failure), _)) => failure.kind() == *kind,
            _ => false,
        };
        assert!(
            is_as_expected,
            "{steps:?}: {found:?} instead of {expected:?}"
        );
        panics += usize::from(matches!(found, (Some(Failure::Panicked { .. }), _)));
    }
    assert!(panics > 50, "only {panics} panics");
}

/// A line or a message that was cut looked like a whole one; the comparison of targets cannot see
/// that, because all of them cut it.
#[test]
fn cut_texts_end_with_a_mark_on_every_target() {
    let last_line = |letters: u64| {
        let outcome = same(
            None,
            &call_with_accounts(&[(Command::LogFormatted, [3, letters, 0])]),
        );
        outcome.logs.last().expect("a line").clone()
    };
    let whole = last_line(290);
    assert!(
        whole.ends_with('3') && whole.len() <= 512,
        "{}",
        whole.len()
    );
    let cut = last_line(399);
    assert!(
        cut.ends_with('…') && cut.starts_with(&whole[..500]),
        "{cut}"
    );
    assert!((510..=515).contains(&cut.len()), "{}", cut.len());

    let message = |letters: u64| {
        let outcome = same(
            None,
            &call_with_accounts(&[(Command::Panic, [letters, 0, 0])]),
        );
        let Some(Failure::Panicked { message, .. }) = outcome.failure else {
            panic!("no panic: {outcome:?}");
        };
        message.expect("the default level reports it")
    };
    assert!(message(200).ends_with(" and 0"));
    let cut = message(599);
    assert!(
        cut.ends_with('…') && (510..=515).contains(&cut.len()),
        "{cut}"
    );
}

#[test]
fn panic_levels_hold_on_every_target() {
    let report = |feature| {
        let outcome = same(feature, &call(&[(Command::Panic, [2, 0, 7])]));
        match outcome.failure {
            Some(Failure::Panicked { message, location }) => {
                (message, location.map(|location| location.file))
            }
            other => panic!("{feature:?}: {other:?}"),
        }
    };
    let message = Some("aß and 0".to_owned());
    let file = Some("tests/guests/everywhere/src/lib.rs".to_owned());
    assert_eq!(report(None), (message.clone(), file.clone()));
    assert_eq!(report(Some("lean")), (None, file.clone()));
    assert_eq!(report(Some("lazy")), (None, None));
    assert_eq!(report(Some("stateful")), (message, file));
}

#[test]
fn account_limits_hold_on_every_target() {
    let call = |accounts: usize, repeats: &[usize]| {
        let call = call(&[(Command::Describe, [0; 3])]);
        let call = (0..accounts).fold(call, |call, number| {
            call.account(AccountInput::new(key(number as u8)))
        });
        repeats.iter().fold(call, |call, index| call.repeat(*index))
    };
    let failure =
        |feature, accounts, repeats: &[usize]| same(feature, &call(accounts, repeats)).failure;
    for feature in FEATURES {
        assert_eq!(failure(feature, MAX_LEAN, &[]), None, "{feature:?}");
    }
    let given = MAX_LEAN as u64 + 1;
    let max = MAX_LEAN as u64;
    let too_many = Some(Failure::TooManyAccounts { given, max });
    assert_eq!(failure(Some("lean"), MAX_LEAN + 1, &[]), too_many);
    assert_eq!(failure(Some("lean"), MAX_LEAN, &[1]), too_many);
    let again = Some(Failure::DuplicateAccount { index: 3, first: 1 });
    for feature in ["lean", "stateful"] {
        assert_eq!(failure(Some(feature), 3, &[1]), again, "{feature}");
    }
    for feature in [None, Some("lazy")] {
        assert_eq!(failure(feature, 3, &[1, 0, 1]), None, "{feature:?}");
    }
    assert_eq!(failure(Some("lazy"), MAX_LISTED, &[]), None);
    let too_many = Some(Failure::ProgramError {
        error: ProgramError::InvalidArgument,
    });
    assert_eq!(failure(Some("lazy"), MAX_LISTED, &[0]), too_many);
    assert_eq!(failure(None, 255, &[0, 254, 7]), None);
}

#[test]
fn each_heap_reports_its_use_on_every_target() {
    let count = |feature| {
        let steps = [
            (Command::Boxes, [3, 0, 0]),
            (Command::CountInHeap, [0; 3]),
            (Command::CountInHeap, [0; 3]),
        ];
        same(feature, &call(&steps)).logs.split_off(1)
    };
    assert_eq!(count(None), ["the heap counts nothing"; 2]);
    assert_eq!(count(Some("stateful")), ["1 in the heap", "2 in the heap"]);
    assert_eq!(count(Some("lazy")), ["1 in the heap"; 2]);
}

/// A program that logs its gas has another outcome on each target.
#[test]
fn gas_depends_on_the_target() {
    let outcome = |engine| invoke(&program(engine, None), &call(&[(Command::LogGas, [0; 3])]));
    let outcomes: Vec<Outcome> = engines().into_iter().map(outcome).collect();
    let [interpreted, compiled, others @ ..] = &outcomes[..] else {
        panic!("PolkaVM has two engines");
    };
    assert_eq!(interpreted.gas_used, compiled.gas_used);
    assert!(interpreted.differences(compiled).is_empty());
    for other in others {
        assert_ne!(interpreted.gas_used, other.gas_used, "{}", other.engine);
        let differences = interpreted.differences(other);
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert!(
            differences[0].starts_with("log line 0: Some(\"gas remaining: "),
            "{differences:?}"
        );
    }
}

/// The invocation sets the exact length of a heap, except that WebAssembly's default heap takes
/// whole pages. It may also use the one page for scratch memory.
#[test]
fn heap_has_the_length_of_the_invocation_on_every_target() {
    let page = u64::from(abi::wasm::PAGE_LENGTH);
    let blocks = |engine, feature, heap: u32| {
        let length = 1_024;
        let fits = |count: usize| {
            let call = call(&vec![(Command::Allocate, [length, 0, 0]); count]).heap_size(heap);
            match invoke(&program(engine, feature), &call).failure {
                None => true,
                Some(Failure::OutOfMemory { .. }) => false,
                other => panic!("{other:?}"),
            }
        };
        let most = (4 * page / length) as usize;
        (0..=most)
            .collect::<Vec<_>>()
            .partition_point(|count| fits(*count)) as u64
            - 1
    };
    for heap in [32 * 1024_u32, 100 * 1024] {
        // One block less, because of the header.
        let expected = u64::from(heap) / 1_024 - 1;
        for engine in engines() {
            for feature in FEATURES {
                let found = blocks(engine, feature, heap);
                if engine == Engine::Wasm && [None, Some("lean")].contains(&feature) {
                    let most = (u64::from(heap).next_multiple_of(page) + page) / 1_024;
                    assert!(
                        (most - 2..=most).contains(&found),
                        "{heap}: {found} of {most}"
                    );
                } else {
                    assert_eq!(found, expected, "{engine}, {feature:?}, {heap}");
                }
            }
        }
    }
}

#[test]
fn endless_programs_end_on_every_target() {
    let kinds = |command, numbers| -> Vec<(Engine, &'static str)> {
        let limits = loader::Limits::default().processor_seconds(1);
        let call = call(&[(Command::LogText, [3, 0, 0]), (command, numbers)])
            .gas(10_000_000)
            .account(AccountInput::new(key(2)).kelvins(3).data([4]));
        let kind = |engine| {
            let program = load(engine, None, limits);
            let outcome = invoke(&program, &call);
            assert_eq!(outcome.logs[0], "aß漢");
            assert_eq!(outcome.status, None);
            assert_eq!(outcome.accounts.len(), 1);
            assert_eq!(
                (outcome.accounts[0].kelvins, &outcome.accounts[0].data[..]),
                (3, &[4][..])
            );
            (engine, outcome.failure.expect("a failure").kind())
        };
        engines().into_iter().map(kind).collect()
    };
    for (engine, kind) in kinds(Command::Loop, [0; 3]) {
        let expected = if engine == Engine::Native {
            "TimedOut"
        } else {
            "OutOfGas"
        };
        assert_eq!(kind, expected, "{engine}");
    }
    for (engine, kind) in kinds(Command::RecurseForEver, [0; 3]) {
        let expected = match engine {
            // Frames of this length reach the end of the memory before the limit of their count.
            Engine::Wasm => "Trapped",
            // A native stack overflow hits the guard page and raises a signal.
            Engine::Native => "Trapped",
            _ => "StackOverflow",
        };
        assert_eq!(kind, expected, "{engine}");
    }
    for (engine, kind) in kinds(Command::AllocateForEver, [1_024, 0, 0]) {
        assert_eq!(kind, "OutOfMemory", "{engine}");
    }
    for (engine, kind) in kinds(Command::LogForEver, [0; 3]) {
        assert_eq!(kind, "LogsTooLong", "{engine}");
    }
}

#[test]
fn foreign_memory_is_rejected_on_every_target() {
    // Above all memory of the 32-bit targets, and unmapped in a native process.
    let nowhere = 0xf000_0000;
    for import in 0..4 {
        for length in [1, 32, 1_000] {
            let call = call(&[(Command::PassOn, [nowhere, length, import])]);
            let outcome = same(None, &call);
            let failure = outcome.failure.expect("a failure");
            assert!(
                matches!(failure, Failure::InvalidPointer { address, .. } if address == nowhere),
                "{failure:?}"
            );
        }
    }
    // An empty range may have any address.
    assert!(same(None, &call(&[(Command::PassOn, [nowhere, 0, 0])])).is_success());
}
