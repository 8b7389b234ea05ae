//! A program's file declares what the program needs, and every loader and tool knows it from there.

use std::sync::{Arc, OnceLock};

use abi::contract::{self, Contract, EntryKind, HeapKind, PanicKind};
use caller::Script;
use ledger::{Instruction, Ledger, Transaction};
use loader::debug::Edges;
use loader::inspect::SectionKind;
use loader::sweep::Sweep;
use loader::{
    Engine, Environment, Failure, Host, InvalidCall, Invocation, InvocationError, Limits,
    LoadError, Loader, Outcome, Program, Target,
};
use program_build::guest::{DebugInfo, build_for};
use program_build::package::ProgramPackage;
use tests::caller_guest::{A, B, call, calling, invocation, program};
use tests::hostile::blob::set_length;
use tests::{PROGRAM_ID, guest, published_vm};

const NEEDED: u32 = 64 * 1024;

/// The guest `deep`, which needs 64 KiB of heap, as it is deployed.
fn deep(target: Target) -> &'static [u8] {
    static BLOB: OnceLock<Vec<u8>> = OnceLock::new();
    static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
    let file = match target {
        Target::Riscv64 => &BLOB,
        _ => &MODULE,
    };
    file.get_or_init(|| {
        let package = ProgramPackage::in_folder(&guest("deep")).expect("a program");
        build_for(&package, target, &[], DebugInfo::Strip)
            .unwrap_or_else(|error| panic!("{error:?}"))
    })
}

fn load(engine: Engine) -> Program {
    let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
    let program = loader.load(deep(engine.target()));
    program.unwrap_or_else(|error| panic!("{error}"))
}

fn call_of_deep() -> Invocation {
    Invocation::new(PROGRAM_ID).data(3_u64.to_le_bytes())
}

/// The blob with other contents of the section of the contract: with none, without the section.
fn with_sections(contents: &[&[u8]]) -> Vec<u8> {
    let blob = deep(Target::Riscv64);
    let inspection = tests::inspection::inspect(blob);
    let mut sections = inspection.sections.iter();
    let section = sections.find(|section| section.kind == SectionKind::Contract);
    let section = section.expect("a contract");
    let (start, length) = (section.offset as usize, section.length as usize);
    let mut changed = blob[..start].to_vec();
    for content in contents {
        changed.extend([contract::BLOB_SECTION, content.len() as u8]);
        changed.extend(*content);
    }
    changed.extend(&blob[start + length..]);
    set_length(&mut changed);
    changed
}

fn heap_of(outcome: Outcome) -> u32 {
    assert_eq!(outcome.failure, None);
    outcome.heap.limit
}

#[test]
fn every_engine_gives_the_heap_that_the_program_needs() {
    let contract = Contract {
        entry: EntryKind::Entrypoint,
        heap: HeapKind::Bump,
        heap_size: NEEDED,
        panic: PanicKind::Message,
        max_accounts: None,
        rejects_duplicates: false,
        has_heap_trace: false,
        version: [0, 1, 0],
    };
    let mut programs = vec![load(Engine::Wasm)];
    programs.extend(tests::polkavm().map(load));
    let published = published_vm::loader(Engine::Interpreter);
    programs.push(published.load(deep(Target::Riscv64)).expect("a program"));
    for program in programs {
        let engine = program.engine();
        assert_eq!(program.contract(), Some(&contract), "{engine}");
        let run = |call: &Invocation| program.invoke(call);
        let heap = run(&call_of_deep()).map(heap_of);
        assert_eq!(heap, Ok(NEEDED), "{engine}");
        let larger = run(&call_of_deep().heap_size(2 * NEEDED)).map(heap_of);
        assert_eq!(larger, Ok(2 * NEEDED), "{engine}");
        let size = NEEDED - 1;
        let error = run(&call_of_deep().heap_size(size)).expect_err("too little");
        let needed = NEEDED;
        assert_eq!(error, InvocationError::LessHeapThanNeeded { size, needed });
        assert_eq!(
            error.to_string(),
            "the program needs a heap of 65,536 bytes, and the invocation has 65,535; request a heap \
             of 65,536 bytes"
        );
    }
}

#[test]
fn tools_give_the_heap_too() {
    let program = load(Engine::Interpreter);
    let profiled = program.profile(&call_of_deep()).expect("a profile");
    assert_eq!(heap_of(profiled.outcome), NEEDED);
    let host: Arc<dyn Host> = Arc::new(Environment::new());
    let tracer = program.tracer().expect("a tracer");
    let covered = tracer.cover_with(&host, &call_of_deep(), &mut Edges::new());
    assert_eq!(covered.map(|covered| heap_of(covered.outcome)), Ok(NEEDED));
    let swept = Sweep::new().dense(0).stride(NEEDED.into());
    let report = swept.heap(&program, &call_of_deep()).expect("a sweep");
    assert!(report.enough <= NEEDED.into());
    // Each refuses less, as a run does.
    let less = call_of_deep().heap_size(32 * 1024);
    let kind = |error: InvocationError| error.kind();
    let kinds = [
        program.profile(&less).map(drop).map_err(kind),
        tracer.record(&less, 1).map(drop).map_err(kind),
    ];
    assert_eq!(kinds, [Err("LessHeapThanNeeded"); 2]);
}

/// The section costs ten bytes and no gas.
#[test]
fn contract_is_ten_bytes_of_the_file() {
    let blob = deep(Target::Riscv64);
    let without = with_sections(&[]);
    assert_eq!(blob.len() - without.len(), 10);
    let run = |file: &[u8]| {
        let loader = Loader::new(Engine::Interpreter).expect("an engine");
        let program = loader.load(file).expect("a program");
        let outcome = program.invoke(&call_of_deep().heap_size(NEEDED));
        outcome.expect("an outcome")
    };
    assert_eq!(run(blob), run(&without));
}

#[test]
fn loader_rejects_a_program_that_needs_more_than_its_limit() {
    let limits = Limits::default().heap(NEEDED - 1);
    let loader = Loader::new(Engine::Interpreter)
        .expect("an engine")
        .limits(limits);
    let error = loader.load(deep(Target::Riscv64)).expect_err("too much");
    assert_eq!(
        error.to_string(),
        "the program needs 65,536 bytes of heap; the limit is 65,535; lower `heap_size` in its \
         `entrypoint!`"
    );
    let inspection = loader.inspect(deep(Target::Riscv64)).expect("a blob");
    assert_eq!(inspection.refusals, [error]);

    let limits = Limits::default().stack(64 * 1024);
    let loader = Loader::new(Engine::Interpreter)
        .expect("an engine")
        .limits(limits);
    let error = loader.load(deep(Target::Riscv64)).expect_err("too much");
    assert_eq!(
        error.to_string(),
        "the program has 262,144 bytes of stack; the limit is 65,536; lower `stack` in its \
         `package.metadata.entrypoint`"
    );
}

#[test]
fn ledger_names_the_heap_to_request() {
    let mut ledger = Ledger::new();
    ledger
        .deploy(PROGRAM_ID, deep(Target::Riscv64))
        .expect("a program");
    let instruction = Instruction::new(PROGRAM_ID).data(3_u64.to_le_bytes());
    let error = |transaction: Transaction, ledger: &mut Ledger| {
        let outcome = ledger.send(transaction);
        outcome.error.map(|error| error.to_string())
    };
    let transaction = Transaction::new([instruction]);
    assert_eq!(
        error(transaction.clone(), &mut ledger).as_deref(),
        Some(
            "instruction 0 was not run: the program needs a heap of 65,536 bytes, and the invocation \
             has 32,768; request a heap of 65,536 bytes"
        )
    );
    assert_eq!(error(transaction.heap(NEEDED), &mut ledger), None);
}

/// A called program has the heap of its caller, as the transaction requests it.
#[test]
fn called_program_needs_its_heap_too() {
    let host: Arc<dyn Host> = Arc::new(Environment::new().program(B, load(Engine::Interpreter)));
    let script = calling(&call(B, 0, Script(3_u64.to_le_bytes().to_vec())));
    let invocation = invocation(script, []);
    let run = |invocation: &Invocation| {
        let outcome = program(Engine::Interpreter).invoke_with(&host, invocation);
        outcome.expect("an outcome").failure
    };
    assert_eq!(invocation.program_id, A);
    assert_eq!(
        run(&invocation),
        Some(Failure::InvalidCall(InvalidCall::NotCalled {
            program_id: B,
            error: InvocationError::LessHeapThanNeeded {
                size: 32 * 1024,
                needed: NEEDED,
            },
        }))
    );
    assert_eq!(run(&invocation.heap_size(NEEDED)), None);
}

#[test]
fn damaged_contract_is_an_error_and_an_unknown_one_is_ignored() {
    let load = |file: &[u8]| {
        let loader = Loader::new(Engine::Interpreter).expect("an engine");
        let loaded = loader.load(file);
        let refusals = loader.inspect(file).expect("a blob").refusals;
        let error = loaded.as_ref().err().cloned();
        assert_eq!(refusals, error.into_iter().collect::<Vec<_>>());
        loaded.map(|program| program.contract().copied())
    };
    let valid = [1, 0, 0, 0, 1, 0, 64, 0];
    let damaged = |reason: &str| {
        Err(LoadError::InvalidContract {
            reason: reason.to_owned(),
        })
    };
    let file = |contents: &[&[u8]]| load(&with_sections(contents)).map(|read| read.is_some());
    assert_eq!(file(&[&valid]), Ok(true));
    // None, and those of another layout.
    assert_eq!(file(&[]), Ok(false));
    assert_eq!(file(&[&[]]), Ok(false));
    assert_eq!(file(&[b"something else"]), Ok(false));
    assert_eq!(file(&[&[2; 100]]), Ok(false));
    // Damaged ones.
    assert_eq!(file(&[&valid[..7]]), damaged("it has 7 bytes and not 8"));
    assert_eq!(file(&[&[1; 100]]), damaged("it has 100 bytes and not 8"));
    assert_eq!(
        file(&[&valid, &valid]),
        damaged("the file has more than one")
    );
    for (bits, reason) in [(3, "its field entry is 3"), (0xfc, "its field heap is 3")] {
        let mut record = valid;
        record[1] = bits;
        assert_eq!(file(&[&record]), damaged(reason));
    }
    // A heap that no loader gives.
    let greedy = [1, 0, 0, 0, 1, 0, 0xff, 0xff];
    let limits = Limits::default().heap(1 << 20);
    let loader = Loader::new(Engine::Interpreter)
        .expect("an engine")
        .limits(limits);
    let error = loader
        .load(&with_sections(&[&greedy]))
        .expect_err("too much");
    assert_eq!(error.kind(), "MemoryTooLarge");
}
