//! A backend from outside the loader has the same services as the loader's own: input, syscalls,
//! write-back rules, diagnosis, limits and sweeps.

use abi::input::AccountHeader;
use abi::report::{ABORT_REPORT_MAGIC, AbortKind, AbortReport, GuestText};
use loader::{
    Access, AccountInput, Engine, Failure, Invocation, InvocationError, Limits, LoadError, Loader,
    Outcome, ProgramError, Pubkey, SourceLocation, WriteBackError, sweep,
};
use tests::toy::Toy;

const PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// Where the first account's entry starts in the input of a call without instruction data.
const ENTRY: usize = 48;

fn file(lines: &[&str], data: &[u8]) -> Vec<u8> {
    let code = format!("TOY\n{}\n\n", lines.join("\n"));
    [code.as_bytes(), data].concat()
}

fn call() -> Invocation {
    let account = |key| {
        AccountInput::new(Pubkey::new([key; 32]))
            .owner(PROGRAM_ID)
            .kelvins(5)
            .data([0; 8])
    };
    Invocation::new(PROGRAM_ID)
        .account(account(2).writable())
        .account(account(3))
        .repeat(0)
}

fn invoke(lines: &[&str], data: &[u8], invocation: &Invocation) -> Outcome {
    let loader = Loader::with_backend(Toy);
    let program = loader.load(&file(lines, data)).expect("a program");
    program.invoke(invocation).expect("a valid invocation")
}

#[test]
fn program_gets_input_and_keeps_its_changes() {
    let data = ENTRY + AccountHeader::DATA;
    let lines = [
        "call rlo_log_ data 5",
        "call rlo_log_pubkey input+16",
        "call rlo_log_64_ heap 0 0 0 0",
        "call rlo_set_return_data data 2",
        &format!("store input+{data} 42"),
        "return 0",
    ];
    let outcome = invoke(&lines, b"hello", &call());
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.status, Some(0));
    assert_eq!(outcome.logs[0], "hello");
    assert_eq!(outcome.logs[2], "0x1008, 0x0, 0x0, 0x0, 0x0");
    assert_eq!(outcome.return_data, b"he");
    assert_eq!(outcome.accounts.len(), 2);
    assert_eq!(outcome.accounts[0].data, 42_u64.to_le_bytes());
    assert_eq!(outcome.accounts[1].data, [0; 8]);
    // Six instructions, 5 bytes and 32 bytes of log, and 2 bytes of return data.
    assert_eq!(outcome.gas_used, 6 + 1 + 4 + 1);
    assert_eq!(outcome.engine, Engine::Interpreter);
    assert_eq!((outcome.heap.limit, outcome.heap.used), (32_768, None));
}

#[test]
fn write_back_rules_apply() {
    let before: Vec<_> = [2, 3]
        .map(|key| (Pubkey::new([key; 32]), 5))
        .into_iter()
        .collect();
    let kelvins = ENTRY + AccountHeader::KELVINS;
    let read_only = ENTRY + abi::input::entry_length(8).expect("a length");
    let key = Pubkey::new([2; 32]);
    let other = Pubkey::new([3; 32]);
    for (offset, value, expected) in [
        (
            kelvins,
            6,
            WriteBackError::KelvinsNotConserved {
                before: 10,
                after: 11,
            },
        ),
        (
            read_only + AccountHeader::KELVINS,
            6,
            WriteBackError::AccountNotWritable {
                index: 1,
                key: other,
            },
        ),
        (
            ENTRY + AccountHeader::KEY,
            0,
            WriteBackError::KeyChanged { index: 0, key },
        ),
        (
            ENTRY + AccountHeader::DATA_LENGTH,
            1_u64 << 40,
            WriteBackError::DataGrewTooMuch {
                index: 0,
                key,
                from: 8,
                to: 1 << 40,
            },
        ),
        (
            2 * read_only - ENTRY,
            1,
            WriteBackError::RepeatChanged {
                index: 2,
                key,
                first: 0,
            },
        ),
    ] {
        let store = format!("store input+{offset} {value}");
        let outcome = invoke(&[&store, "return 0"], b"", &call());
        assert_eq!(outcome.failure, Some(Failure::WriteBack(expected)));
        let after = outcome.accounts.iter();
        assert!(
            after
                .map(|account| (account.key, account.kelvins))
                .eq(before.clone())
        );
    }
}

#[test]
fn failure_names_its_cause() {
    let failure = |lines: &[&str], data: &[u8]| {
        let outcome = invoke(lines, data, &call().gas(100));
        assert!(outcome.return_data.is_empty());
        outcome.failure.expect("a failure")
    };
    assert_eq!(failure(&["jump 0"], b""), Failure::out_of_gas(100));
    assert_eq!(
        failure(&["call rlo_memset_ data 0 1000", "return 0"], &[0; 1_000]),
        Failure::out_of_gas(100)
    );
    assert_eq!(
        failure(&["store 0 1", "return 0"], b""),
        Failure::trapped_because("`store 0 1`")
    );
    assert_eq!(
        failure(&["return 7"], b""),
        Failure::ProgramError {
            error: ProgramError::Custom(7)
        }
    );
    assert!(matches!(
        failure(&["call rlo_log_ 8 3"], b""),
        Failure::InvalidPointer {
            address: 8,
            length: 3,
            access: Access::Read,
            ..
        }
    ));
    let text = |address, length| GuestText { address, length };
    let report = AbortReport {
        file: text(0x1040, 3),
        message: text(0x1043, 4),
        ..AbortReport::new(AbortKind::Panic, [12, 5, 0, 0])
    };
    let data = [bytemuck::bytes_of(&report), b"abcoops"].concat();
    assert_eq!(
        failure(
            &[&format!("call rlo_abort data {ABORT_REPORT_MAGIC}")],
            &data
        ),
        Failure::Panicked {
            message: Some("oops".to_owned()),
            location: Some(SourceLocation {
                file: "abc".to_owned(),
                line: 12,
                column: Some(5),
            }),
        }
    );
}

#[test]
fn limits_and_errors_are_those_of_the_loader() {
    let loader = Loader::with_backend(Toy).limits(Limits::default().blob(100).program_data(4));
    let error = |file: &[u8]| loader.load(file).expect_err("an invalid file");
    assert_eq!(error(b"garbage").kind(), "InvalidBlob");
    assert_eq!(error(b"\0asm").kind(), "WrongTarget");
    assert_eq!(error(&[0; 101]).kind(), "BlobTooLong");
    assert_eq!(
        error(&file(&["return 0"], b"12345")).kind(),
        "MemoryTooLarge"
    );
    assert!(matches!(
        loader.inspect(b"garbage"),
        Err(LoadError::NotOnThisEngine { .. })
    ));

    let program = loader.load(&file(&["return 0"], b"")).expect("a program");
    assert!(matches!(
        program.invoke(&call().repeat(9)),
        Err(InvocationError::InvalidRepeat { .. })
    ));
    assert!(matches!(
        program.invoke(&call().heap_size(1 << 25)),
        Err(InvocationError::DoesNotFit { .. })
    ));
    assert!(matches!(
        program.profile(&call()),
        Err(InvocationError::NotOnThisEngine { .. })
    ));
    let outcomes = program.run_batch(&[call(), call()]);
    assert!(outcomes.iter().all(|outcome| {
        outcome
            .as_ref()
            .is_ok_and(|outcome| outcome.is_success() && outcome.gas_used == 1)
    }));
}

#[test]
fn a_program_can_be_swept() {
    let data = ENTRY + AccountHeader::DATA;
    let lines = [
        "call rlo_log_ data 5",
        &format!("store input+{data} 42"),
        "return 0",
    ];
    let loader = Loader::with_backend(Toy);
    let program = loader.load(&file(&lines, b"hello")).expect("a program");
    let report = sweep::gas(&program, &call()).expect("a complete sweep");
    assert_eq!(report.enough, 4);
    assert_eq!(report.failures["OutOfGas"], 4);
}
