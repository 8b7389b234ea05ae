//! Compares every message of every error of loader and ledger with `messages.txt`. A changed
//! message shows in that file, and a new error needs an example here.
//!
//! The test reads the kinds of errors from the source, so it notices a missing example.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::path::PathBuf;

use abi::ProgramError;
use abi::imports::Import;
use ledger::scenario::{RunError, ScenarioError};
use ledger::{DeployError, StorageError};
use loader::deploy::NotDeployable;
use loader::fixture::FixtureError;
use loader::handler::CallError;
use loader::sweep::{Problem, Resource, SweepFailed};
use loader::{
    Access, Engine, Failure, Invocation, InvocationError, LoadError, Loader, Pubkey,
    SourceLocation, Target, WriteBackError,
};

#[derive(Default)]
struct Messages {
    text: String,
    seen: BTreeSet<String>,
}

impl Messages {
    /// Adds an error; `kind` is its stable name, if it has one.
    fn add<E: Debug + Display>(&mut self, name: &str, kind: Option<&str>, error: &E) {
        let debug = format!("{error:?}");
        let variant: String = debug
            .chars()
            .take_while(|character| character.is_alphanumeric())
            .collect();
        if let Some(kind) = kind {
            assert_eq!(kind, variant, "the kind must be the variant's name");
        }
        self.seen.insert(format!("{name}::{variant}"));
        self.text
            .push_str(&format!("{name}::{variant}\n    {error}\n"));
    }
}

fn messages() -> Messages {
    let mut messages = Messages::default();
    for error in load_errors() {
        messages.add("LoadError", Some(error.kind()), &error);
    }
    for error in not_deployable() {
        let kind: &str = (&error).into();
        messages.add("NotDeployable", Some(kind), &error);
    }
    for error in invocation_errors() {
        messages.add("InvocationError", Some(error.kind()), &error);
    }
    for failure in failures() {
        messages.add("Failure", Some(failure.kind()), &failure);
    }
    for refusal in refusals() {
        messages.add("WriteBackError", Some(refusal.kind()), &refusal);
        // A write-back error, as a failure, has its own message and kind.
        let failure = Failure::from(refusal.clone());
        assert_eq!(failure.to_string(), refusal.to_string());
        assert_eq!(failure.kind(), refusal.kind());
        messages.seen.insert("Failure::WriteBack".to_owned());
    }
    for error in crate::errors::invalid_calls::invalid_calls() {
        messages.add("InvalidCall", Some(error.kind()), &error);
        // The same for a call that the loader does not make.
        let failure = Failure::from(error.clone());
        assert_eq!(failure.to_string(), error.to_string());
        assert_eq!(failure.kind(), error.kind());
        messages.seen.insert("Failure::InvalidCall".to_owned());
    }
    // A called program's failure keeps its kind.
    let called = Failure::Called {
        program_id: KEY,
        depth: 2,
        failure: Box::new(Failure::Aborted),
    };
    assert_eq!(called.kind(), Failure::Aborted.kind());
    messages.add("Failure", None, &called);
    for error in fixture_errors() {
        messages.add("FixtureError", None, &error);
    }
    for error in scenario_errors() {
        messages.add("ScenarioError", None, &error);
    }
    for error in run_errors() {
        messages.add("RunError", None, &error);
    }
    for error in call_errors() {
        messages.add("CallError", Some(error.kind()), &error);
    }
    // A failed call has the message and the kind of its failure.
    let failed = CallError::from(Failure::Aborted);
    assert_eq!(failed.to_string(), Failure::Aborted.to_string());
    assert_eq!(failed.kind(), Failure::Aborted.kind());
    messages.seen.insert("CallError::Failed".to_owned());
    for error in sweep_errors() {
        messages.add("SweepFailed", None, &error);
    }
    for problem in problems() {
        messages.add("Problem", None, &problem);
    }
    for error in crate::errors::ledgers::transaction_errors() {
        messages.add("TransactionError", None, &error);
    }
    for error in crate::errors::ledgers::deploy_errors() {
        messages.add("DeployError", None, &error);
    }
    for error in crate::errors::ledgers::storage_errors() {
        messages.add("StorageError", None, &error);
    }
    messages
}

fn not_deployable() -> Vec<NotDeployable> {
    vec![
        NotDeployable::InvalidBlob {
            reason: "the VM's reason".to_owned(),
        },
        NotDeployable::InstructionSet { found: "latest64" },
        NotDeployable::Not64Bit,
        NotDeployable::StackTooLarge { size: 262_145 },
        NotDeployable::MissingEntrypoint,
    ]
}

fn load_errors() -> Vec<LoadError> {
    let reason = "the VM's reason".to_owned();
    vec![
        LoadError::EngineUnavailable {
            engine: Engine::Compiler,
            reason: reason.clone(),
        },
        LoadError::EngineDisabled {
            engine: Engine::Wasm,
            feature: "wasm",
        },
        LoadError::EngineNeedsRunner {
            engine: Engine::Native,
        },
        LoadError::NotOnThisEngine {
            what: "inspections",
            engine: Engine::Wasm,
        },
        LoadError::BlobTooLong {
            length: 33_554_433,
            limit: 33_554_432,
        },
        LoadError::InvalidBlob { reason },
        LoadError::Not64Bit,
        LoadError::MissingEntrypoint {
            exports: "`main`, `other`".to_owned(),
        },
        LoadError::MemoryTooLarge {
            what: "stack",
            size: 1_048_577,
            limit: 1_048_576,
        },
        LoadError::ForbiddenInstruction {
            name: "sbrk",
            program_counter: 0x1f,
        },
        LoadError::InvalidJump {
            program_counter: 0x2c6,
            target: 0x1_1572,
            function: Some("escrow::_::guest::entrypoint".to_owned()),
            location: Some(SourceLocation {
                file: "src/lib.rs".to_owned(),
                line: 77,
                column: Some(17),
            }),
        },
        LoadError::InvalidJump {
            program_counter: 0x2c6,
            target: 0x1_1572,
            function: None,
            location: None,
        },
        LoadError::InvalidContract {
            reason: "it has 7 bytes and not 8".to_owned(),
        },
        LoadError::UnknownImport {
            symbol: "not_there".to_owned(),
        },
        LoadError::UnsupportedSyscall {
            symbol: "rlo_curve_pairing_map",
            reason: "it has no curve",
        },
        LoadError::InvalidSyscall {
            symbol: "rlo_log_".to_owned(),
            reason: "the contract has a syscall of this name; use another name",
        },
        LoadError::WrongTarget {
            found: Target::Wasm32,
            engine: Engine::Interpreter,
        },
        LoadError::InvalidModule {
            reason: "no export `alloc`".to_owned(),
        },
        LoadError::InvalidLibrary {
            reason: "not an ELF file".to_owned(),
        },
    ]
}

fn invocation_errors() -> Vec<InvocationError> {
    vec![
        InvocationError::SetupFailed {
            export: "alloc",
            reason: "wasm `unreachable` instruction executed".to_owned(),
        },
        InvocationError::InvalidAllocation {
            address: 0xffff_fff8,
            length: 21_000,
        },
        InvocationError::NotOnThisEngine {
            what: "profiles",
            engine: Engine::Native,
        },
        InvocationError::HeapTooSmall {
            size: 32_767,
            min: 32_768,
        },
        InvocationError::HeapTooLarge {
            size: 67_108_865,
            limit: 67_108_864,
        },
        InvocationError::LessHeapThanNeeded {
            size: 32_768,
            needed: 65_536,
        },
        InvocationError::GasTooLarge {
            gas: 1 << 63,
            limit: i64::MAX as u64,
        },
        InvocationError::TooManyAccounts { count: 256 },
        InvocationError::TooManyEntries {
            count: 1_025,
            limit: 1_024,
        },
        InvocationError::InvalidRepeat {
            index: 2,
            refers_to: 5,
        },
        InvocationError::DuplicateKey {
            index: 2,
            first: 0,
            key: KEY,
        },
        InvocationError::DataTooLong {
            index: 1,
            length: 10_485_761,
        },
        InvocationError::InputTooLong {
            length: 134_217_729,
            limit: 134_217_728,
        },
        InvocationError::DoesNotFit {
            heap: 4_294_967_295,
            input: 10_336,
        },
        InvocationError::Engine {
            reason: "the VM's reason".to_owned(),
        },
    ]
}

const KEY: Pubkey = Pubkey::new([10; 32]);

fn failures() -> Vec<Failure> {
    let function = || Some("counter::process_instruction".to_owned());
    let location = || {
        Some(SourceLocation {
            file: "examples/counter/src/lib.rs".to_owned(),
            line: 30,
            column: Some(5),
        })
    };
    let line = || {
        location().map(|location| SourceLocation {
            column: None,
            ..location
        })
    };
    let trapped = |instruction: Option<&str>, address, function, location| Failure::Trapped {
        program_counter: Some(0x2a4),
        cause: instruction.map(str::to_owned),
        address,
        function,
        location,
    };
    let out_of_gas = |limit, function, location| Failure::OutOfGas {
        limit,
        program_counter: Some(0x2a4),
        function,
        location,
    };
    let out_of_memory = |used| Failure::OutOfMemory {
        size: 64,
        align: 8,
        used,
        limit: 32_768,
    };
    let invalid_pointer = |access| Failure::InvalidPointer {
        import: Import::Memcpy,
        address: 0xf000_0000,
        length: 8,
        access,
    };
    let overflow = |function, location| Failure::StackOverflow {
        size: Some(65_536),
        program_counter: Some(0x2a4),
        function,
        location,
    };
    vec![
        Failure::ProgramError {
            error: ProgramError::InsufficientFunds,
        },
        Failure::ProgramError {
            error: ProgramError::Custom(7),
        },
        out_of_gas(1_000, function(), line()),
        out_of_gas(1_000_000, function(), None),
        out_of_gas(0, None, None),
        out_of_memory(Some(32_704)),
        out_of_memory(None),
        Failure::HeapNotAnnounced { size: 64, align: 8 },
        Failure::TimedOut { limit: 10 },
        Failure::Trapped {
            program_counter: None,
            cause: Some("signal: 11 (SIGSEGV)".to_owned()),
            address: None,
            function: None,
            location: None,
        },
        Failure::OutOfGas {
            limit: 1_000,
            program_counter: None,
            function: None,
            location: None,
        },
        Failure::StackOverflow {
            size: None,
            program_counter: None,
            function: None,
            location: None,
        },
        Failure::Panicked {
            message: Some("index out of bounds".to_owned()),
            location: location(),
        },
        Failure::Panicked {
            message: None,
            location: location(),
        },
        Failure::Panicked {
            message: None,
            location: None,
        },
        Failure::TooManyAccounts { given: 17, max: 16 },
        Failure::DuplicateAccount { index: 2, first: 0 },
        Failure::Aborted,
        trapped(Some("a0 = u8 [a1 + 0x4]"), Some(0xffff), function(), line()),
        trapped(Some("trap"), None, function(), line()),
        trapped(Some("trap"), None, None, None),
        trapped(None, None, None, None),
        overflow(function(), line()),
        overflow(None, None),
        invalid_pointer(Access::Read),
        invalid_pointer(Access::Write),
        Failure::LogsTooLong { limit: 65_536 },
        Failure::InvalidStatus {
            status: 7 << 32 | 1,
        },
        Failure::GrewTooMuch {
            growth: 20_971_521,
            limit: 20_971_520,
        },
        Failure::SyscallFailed {
            symbol: "checksum".to_owned(),
            reason: "the sum is too large".to_owned(),
        },
        Failure::ReturnDataTooLong {
            length: 1_025,
            limit: 1_024,
        },
    ]
}

fn refusals() -> Vec<WriteBackError> {
    use WriteBackError as W;
    let (index, key) = (1, KEY);
    vec![
        W::AccountNotWritable { index, key },
        W::DataChangedByNonOwner { index, key },
        W::DebitedByNonOwner { index, key },
        W::ReassignedByNonOwner { index, key },
        W::ReassignedWithData { index, key },
        W::DataGrewTooMuch {
            index,
            key,
            from: 4,
            to: 10_245,
        },
        W::DataTooLong {
            index,
            key,
            length: 10_485_761,
        },
        W::KeyChanged { index, key },
        W::SignerFlagChanged { index, key },
        W::WritableFlagChanged { index, key },
        W::ExecutableChanged { index, key },
        W::RentEpochChanged { index, key },
        W::RepeatChanged {
            index,
            key,
            first: 0,
        },
        W::KelvinsNotConserved {
            before: 200,
            after: 201,
        },
    ]
}

fn fixture_errors() -> Vec<FixtureError> {
    let path = || PathBuf::from("fixtures/default.toml");
    let reason = || "a description with a line".to_owned();
    vec![
        FixtureError::Unreadable {
            path: path(),
            reason: "No such file or directory".to_owned(),
        },
        FixtureError::Invalid {
            path: Some(path()),
            reason: reason(),
        },
        FixtureError::Invalid {
            path: None,
            reason: reason(),
        },
    ]
}

fn scenario_errors() -> Vec<ScenarioError> {
    let path = || PathBuf::from("scenarios/trade.toml");
    let reason = || "a description with a line".to_owned();
    vec![
        ScenarioError::Unreadable {
            path: path(),
            reason: "No such file or directory".to_owned(),
        },
        ScenarioError::Invalid {
            path: Some(path()),
            reason: reason(),
        },
        ScenarioError::Invalid {
            path: None,
            reason: reason(),
        },
    ]
}

fn run_errors() -> Vec<RunError> {
    let path = || PathBuf::from("../token");
    let storage = StorageError::Write {
        path: "ledger".into(),
        reason: "No space left on device".to_owned(),
    };
    vec![
        RunError::Program {
            path: path(),
            error: "it does not build".into(),
        },
        RunError::Deploy {
            path: path(),
            error: DeployError::AddressInUse { program_id: KEY },
        },
        RunError::TooManyKelvins {
            account: "$alice".to_owned(),
            before: 5,
            airdrop: u64::MAX,
        },
        RunError::Storage(storage),
    ]
}

fn call_errors() -> Vec<CallError> {
    vec![
        CallError::NoExport {
            export: "handle".to_owned(),
        },
        CallError::NoRoom { length: 70_000 },
        CallError::NoRoomForAnswer,
        CallError::InvalidAnswer { value: 7 },
        CallError::Dead,
    ]
}

fn sweep_errors() -> Vec<SweepFailed> {
    // A program of two instructions, which returns 0.
    let blob =
        b"PVM\0\x02\x25\0\0\0\0\0\0\0\x05\x0d\x01\0\x0aentrypoint\x06\x06\0\0\x04\x07\x03\0\0";
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter runs everywhere");
    let program = loader.load(blob).expect("a program");
    let outcome = |gas| {
        let invocation = Invocation::new(KEY).gas(gas);
        Box::new(program.invoke(&invocation).expect("a valid invocation"))
    };
    vec![
        SweepFailed::NotCalled(InvocationError::TooManyAccounts { count: 256 }),
        SweepFailed::NotEnough {
            outcome: outcome(1),
        },
        SweepFailed::Outcome {
            resource: Resource::Gas,
            limit: 2,
            problem: Problem::AnotherResult,
            outcome: outcome(2),
        },
    ]
}

fn problems() -> Vec<Problem> {
    vec![
        Problem::UsedMore,
        Problem::AnotherResult,
        Problem::AnotherFailure,
        Problem::AccountsChanged,
        Problem::ReturnData,
        Problem::Logs,
        Problem::LessWasEnough { enough: 49 },
    ]
}

#[test]
fn every_error_has_an_example() {
    let all = tests::variants::variants();
    let seen = messages().seen;
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(
        missing.is_empty(),
        "add examples of {missing:?} to tests/tests/errors/messages.rs"
    );
    let unknown: Vec<_> = seen.difference(&all).collect();
    assert!(unknown.is_empty(), "the source has no {unknown:?}");
}

#[test]
fn every_message_is_committed() {
    // `UPDATE_EXPECT=1` writes the file.
    expect_test::expect_file!["../../messages.txt"].assert_eq(&messages().text);
}
