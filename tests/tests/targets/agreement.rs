//! One program does the same on PolkaVM's two engines, on WebAssembly and on this machine itself:
//! status, failure, logs, return data and accounts.

use std::cell::Cell;

use everywhere::{Command, MAX_LEAN, MAX_LISTED};
use loader::{AccountInput, Engine, Failure, Invocation, Outcome, ProgramError, Pubkey};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tests::PROGRAM_ID;
use tests::everywhere_guest::{Step, call, engines, invoke, load, program, script};

/// The guest's entries, each with another heap: see its manifest.
const FEATURES: [Option<&str>; 4] = [None, Some("lean"), Some("lazy"), Some("stateful")];

/// Calls the guest with a feature on every machine, and gives the interpreter's outcome, and all
/// that differs from it.
fn compare(feature: Option<&'static str>, call: &Invocation) -> (Outcome, Vec<String>) {
    let mut engines = engines().into_iter();
    let first = engines.next().expect("an engine");
    let first = invoke(&program(first, feature), call);
    let mut differences = Vec::new();
    for engine in engines {
        differences.extend(first.differences(&invoke(&program(engine, feature), call)));
    }
    (first, differences)
}

/// What all machines agree on, with an account table and without one.
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

fn key(number: u8) -> Pubkey {
    Pubkey::new([number; 32])
}

/// A call with an account that the program may change, one that it may not, and one of somebody
/// else's.
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

/// What each case is to come to.
#[derive(Debug)]
enum Comes {
    /// To an end, with so many log lines.
    Well(usize),
    /// To this error of the program's own.
    Wrong(ProgramError),
    /// To a failure of this kind.
    To(&'static str),
}

#[test]
fn every_command_agrees_on_every_target() {
    use Comes::{To, Well, Wrong};
    use Command as C;
    use ProgramError::{
        AccountBorrowFailed, AccountDataTooSmall, ArithmeticOverflow, Custom, InsufficientFunds,
        InvalidRealloc, NotEnoughAccountKeys,
    };
    let mut all_borrows: Vec<Step> = (0..5).map(|how| (C::BorrowTwo, [0, 0, how])).collect();
    all_borrows.extend((0..4).map(|how| (C::BorrowTwo, [0, 1, how])));
    let all_panics = |how, with| [(C::LogText, [3, how, 0]), (C::PanicAsRust, [how, with, 0])];
    let mut cases: Vec<(Vec<Step>, Comes)> = vec![
        (vec![], Well(0)),
        (vec![(C::Return, [0; 3]), (C::Panic, [0; 3])], Well(0)),
        (vec![(C::Return, [7, 0, 0])], Wrong(Custom(7))),
        (vec![(C::Return, [1 << 32, 0, 0])], Wrong(Custom(0))),
        (vec![(C::Return, [6 << 32, 0, 0])], Wrong(InsufficientFunds)),
        (vec![(C::Return, [u64::MAX, 0, 0])], Wrong(Custom(u32::MAX))),
        (
            vec![(C::LogText, [0; 3]), (C::LogText, [1_000, 5, 0])],
            Well(2),
        ),
        (vec![(C::LogFormatted, [u64::MAX, 0, 12_345])], Well(5)),
        (vec![(C::LogFormatted, [19, 399, 1])], Well(5)),
        (
            vec![
                (C::LogNumbers, [1, u64::MAX, 1 << 40]),
                (C::LogKeys, [9, 0, 0]),
            ],
            Well(3),
        ),
        (
            vec![
                (C::SetReturnData, [1_024, 3, 0]),
                (C::GetReturnData, [39, 0, 0]),
            ],
            Well(1),
        ),
        (
            vec![(C::SetReturnData, [5, 3, 0]), (C::GetReturnData, [2, 0, 0])],
            Well(1),
        ),
        (
            vec![(C::SetReturnData, [5, 3, 0]), (C::SetReturnData, [0; 3])],
            Well(0),
        ),
        (
            vec![(C::SetReturnData, [5, 3, 0]), (C::GetReturnData, [0; 3])],
            Well(1),
        ),
        (vec![(C::GetReturnData, [39, 0, 0])], Well(1)),
        (
            vec![(C::SetReturnData, [1_025, 0, 0])],
            To("ReturnDataTooLong"),
        ),
        (vec![(C::LogText, [1_023, 1, 0]); 60], To("LogsTooLong")),
        (vec![(C::Describe, [0; 3])], Well(10)),
        (
            vec![(C::SetData, [0, 4, 0x1ff]), (C::Describe, [0; 3])],
            Well(10),
        ),
        (vec![(C::SetData, [0, 5, 1])], Wrong(AccountDataTooSmall)),
        (
            vec![(C::SetData, [0, 1 << 32, 1])],
            Wrong(AccountDataTooSmall),
        ),
        (vec![(C::SetData, [3, 0, 1])], Wrong(NotEnoughAccountKeys)),
        (
            vec![(C::SetData, [1 << 32, 0, 1])],
            Wrong(NotEnoughAccountKeys),
        ),
        (vec![(C::SetData, [1, 0, 1])], To("AccountNotWritable")),
        (vec![(C::SetData, [1, 0, 9])], Well(0)),
        (
            vec![(C::SetKelvins, [0, 1_001, 0])],
            To("KelvinsNotConserved"),
        ),
        (vec![(C::SetKelvins, [2, 5, 0])], To("DebitedByNonOwner")),
        (vec![(C::Transfer, [0, 2, 400])], Well(0)),
        (vec![(C::Transfer, [0, 2, 1_001])], Wrong(InsufficientFunds)),
        (
            vec![(C::SetKelvins, [2, u64::MAX, 0]), (C::Transfer, [0, 2, 1])],
            Wrong(ArithmeticOverflow),
        ),
        (
            vec![
                (C::Resize, [0, 10_245, 0]),
                (C::SetData, [0, 10_244, 8]),
                (C::Describe, [0; 3]),
            ],
            Well(10),
        ),
        (
            vec![
                (C::Resize, [0, 0, 0]),
                (C::Resize, [0, 3, 0]),
                (C::Describe, [0; 3]),
            ],
            Well(10),
        ),
        (vec![(C::Resize, [0, 10_246, 0])], Wrong(InvalidRealloc)),
        (vec![(C::Resize, [0, 1 << 32, 0])], Wrong(InvalidRealloc)),
        (vec![(C::Resize, [2, 1, 0])], To("DataChangedByNonOwner")),
        (vec![(C::Assign, [0, 7, 0])], To("ReassignedWithData")),
        (
            vec![(C::Resize, [0, 0, 0]), (C::Assign, [0, 7, 0])],
            Well(0),
        ),
        (vec![(C::Assign, [2, 7, 0])], To("ReassignedByNonOwner")),
        (all_borrows, Well(9)),
        (
            vec![(C::BorrowOften, [0, 254, 0]), (C::BorrowOften, [0, 255, 0])],
            Well(2),
        ),
        (
            vec![(C::LeakBorrow, [0, 1, 0]), (C::Describe, [0; 3])],
            Well(10),
        ),
        (
            vec![(C::LeakBorrow, [0, 0, 0]), (C::SetData, [0; 3])],
            Wrong(AccountBorrowFailed),
        ),
        (
            vec![(C::LeakBorrow, [0, 1, 0]), (C::Resize, [0, 5, 0])],
            Wrong(AccountBorrowFailed),
        ),
        (vec![(C::Panic, [5, 3, 0])], To("Panicked")),
        // The text is cut, inside of a letter.
        (vec![(C::Panic, [599, 0, 0])], To("Panicked")),
        (
            vec![(C::TryReserve, [1, 9, 0]), (C::TryReserve, [0, 9, 0])],
            Well(4),
        ),
        (vec![(C::Allocate, [16_383, 0, 0]); 8], Well(0)),
        (vec![(C::OutOfMemory, [0; 3])], To("OutOfMemory")),
        (vec![(C::Zeroed, [16_000, 0, 0]); 3], Well(3)),
        (vec![(C::Recurse, [200, 0, 0])], Well(1)),
        (vec![(C::Count, [0; 3]); 2], Well(2)),
        (vec![(C::CountInHeap, [0; 3]); 2], Well(2)),
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
            cases.push((vec![(command, [number, order, !number])], Well(lines)));
        }
        for bits in [
            0,
            1,
            1.5_f64.to_bits(),
            f64::MAX.to_bits(),
            f64::NAN.to_bits(),
            (-0.1_f64).to_bits(),
        ] {
            let (outcome, lines) = (vec![(C::Fractions, [bits, number, order])], usize::MAX);
            cases.push((outcome, Well(lines)));
        }
        for how in 0..5 {
            cases.push((vec![(C::TurnData, [0, number, how])], Well(1)));
        }
    }
    for how in 0..20 {
        for with in [0, 1, 2, 3, 41] {
            cases.push((all_panics(how, with).to_vec(), Well(usize::MAX)));
        }
    }
    let mut panics = 0;
    for (steps, comes) in &cases {
        let outcome = same(None, &call_with_accounts(steps));
        let found = (&outcome.failure, outcome.logs.len());
        let is_as_expected = match (comes, found) {
            // As many lines as numbers, or a panic.
            (Well(usize::MAX), (None | Some(Failure::Panicked { .. }), lines)) => lines > 0,
            (Well(expected), (None, lines)) => lines == *expected,
            (Wrong(expected), (Some(Failure::ProgramError { error }), _)) => error == expected,
            (To(kind), (Some(failure), _)) => failure.kind() == *kind,
            _ => false,
        };
        assert!(is_as_expected, "{steps:?} is to come {comes:?}: {found:?}");
        panics += usize::from(matches!(found, (Some(Failure::Panicked { .. }), _)));
    }
    assert!(panics > 50, "{panics} of the panics are some");
}

/// The numbers of steps that mean something now and then.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0_u64..4,
        3 => 0_u64..100,
        3 => 0_u64..20_000,
        1 => select(vec![u64::MAX, 1 << 31, 1 << 32, (1 << 32) - 1, 1 << 63]),
        1 => select(vec![1.5_f64.to_bits(), f64::NAN.to_bits()]),
        1 => any::<u64>(),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let same = Command::ALL
        .iter()
        .copied()
        .take_while(|command| *command != Command::LAST_SAME);
    // What ends the script comes seldom, so that there is something before it.
    let is_last = |command: &Command| {
        use Command::{OutOfMemory, Panic, PanicAsRust, Return};
        matches!(command, Return | Panic | PanicAsRust | OutOfMemory)
    };
    let (last, other): (Vec<Command>, Vec<Command>) =
        same.chain([Command::LAST_SAME]).partition(is_last);
    let command = prop_oneof![1 => select(last), 12 => select(other)];
    prop::collection::vec((command, [number(), number(), number()]), 0..10)
}

/// Instruction data: a script, with something behind it now and then that is none.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let rest = prop_oneof![
        8 => Just(Vec::new()),
        1 => prop::collection::vec(any::<u8>(), 1..25),
        1 => prop::collection::vec(200_u8.., 25..60),
    ];
    (steps(), rest).prop_map(|(steps, rest)| [script(&steps), rest].concat())
}

fn account(number: u8) -> impl Strategy<Value = AccountInput> {
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        (0_usize..3_000).prop_map(|length| vec![0; length]),
    ];
    let kelvins = prop_oneof![3 => 0_u64..1_000, 1 => any::<u64>()];
    (data, kelvins, any::<[bool; 4]>()).prop_map(
        move |(data, kelvins, [is_own, is_signer, is_writable, executable])| {
            let mut account = AccountInput::new(key(number)).kelvins(kelvins).data(data);
            if is_own {
                account = account.owner(PROGRAM_ID);
            }
            account.is_signer = is_signer;
            account.is_writable = is_writable;
            account.account.executable = executable;
            account.account.rent_epoch = kelvins ^ 5;
            account
        },
    )
}

/// Accounts and repeats of them. Few, as most programs are called with; the entry that lists four
/// at most gets more as well.
fn invocation() -> impl Strategy<Value = Invocation> {
    let accounts = prop_oneof![5 => 0_u8..4, 1 => 4_u8..8]
        .prop_flat_map(|count| (2..2 + count).map(account).collect::<Vec<_>>());
    let some = prop::collection::vec(any::<prop::sample::Index>(), 1..3);
    let repeats = prop_oneof![2 => Just(Vec::new()), 1 => some];
    (data(), accounts, repeats, any::<bool>()).prop_map(
        |(data, accounts, repeats, account_table)| {
            let count = accounts.len();
            let call = Invocation::new(PROGRAM_ID)
                .data(data)
                .gas(100_000_000)
                .heap_size(1 << 20)
                .account_table(account_table);
            let call = accounts.into_iter().fold(call, Invocation::account);
            let repeats = repeats.into_iter().filter(|_| count > 0);
            repeats.fold(call, |call, repeat| call.repeat(repeat.index(count)))
        },
    )
}

/// The guest with each feature, on random scripts and accounts.
fn all_targets_agree(feature: Option<&'static str>) {
    // What does not build fails here, and not in every case.
    for engine in engines() {
        program(engine, feature);
    }
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 256,
        ..ProptestConfig::with_cases(160)
    });
    let ends = [const { Cell::new(0) }; 2];
    let result = runner.run(&invocation(), |call| {
        let (outcome, differences) = compare(feature, &call);
        prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
        let end = &ends[usize::from(outcome.is_success())];
        end.set(end.get() + 1);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{feature:?}: {error}"));
    // A test in which every program fails at its first step, or does nothing, would show little.
    let [failed, succeeded] = ends.map(Cell::into_inner);
    assert!(
        failed > 10 && succeeded > 10,
        "{failed} failed, {succeeded} succeeded"
    );
}

#[test]
fn random_calls_entrypoint_agree() {
    all_targets_agree(None);
}

#[test]
fn random_calls_no_alloc_segregated_agree() {
    all_targets_agree(Some("lean"));
}

#[test]
fn random_calls_lazy_own_heap_agree() {
    all_targets_agree(Some("lazy"));
}

#[test]
fn random_calls_heap_state_agree() {
    all_targets_agree(Some("stateful"));
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
    let said = |feature| {
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
    assert_eq!(said(None), (message.clone(), file.clone()));
    assert_eq!(said(Some("lean")), (None, file.clone()));
    assert_eq!(said(Some("lazy")), (None, None));
    assert_eq!(said(Some("stateful")), (message, file));
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

/// What a machine says of itself is nobody else's to compare.
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

/// A heap of a program's own is as long as the invocation says on every machine; the default one of
/// WebAssembly takes whole pages, and one page more, which is for what the host hands in.
#[test]
fn heap_is_full_at_the_same_length_everywhere() {
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
        // All but the header.
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
            (engine, outcome.failure.expect("it ends").kind())
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
            // Frames of this length come to the end of the memory before they are too many.
            Engine::Wasm => "Trapped",
            // A process's stack has a guard, and whatever comes there ends by a signal.
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
    // Above everything on the machines of 32 bits, where nothing is natively either.
    let nowhere = 0xf000_0000;
    for import in 0..4 {
        for length in [1, 32, 1_000] {
            let call = call(&[(Command::PassOn, [nowhere, length, import])]);
            let outcome = same(None, &call);
            let failure = outcome.failure.expect("it is refused");
            assert!(
                matches!(failure, Failure::InvalidPointer { address, .. } if address == nowhere),
                "{failure:?}"
            );
        }
    }
    // Nothing may be anywhere.
    assert!(same(None, &call(&[(Command::PassOn, [nowhere, 0, 0])])).is_success());
}
