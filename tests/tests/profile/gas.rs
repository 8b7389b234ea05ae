//! A profile accounts for every unit of gas, and profiling does not change the outcome.

use cargo_entrypoint::profile::costs::Costs;
use cargo_entrypoint::profile::inlining::Inlining;
use loader::fixture::Fixture;
use loader::profile::{Frame, FrameKind, HeapProfile, Profiled, Stack};
use loader::{Engine, Invocation, Loader, Program};
use probe::Command;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;
use tests::{EXAMPLES, call, example, probe};

/// Profiles a call and checks the rules for every profile.
#[track_caller]
fn profile(program: &Program, invocation: &Invocation) -> Profiled {
    let profiled = program
        .profile(invocation)
        .unwrap_or_else(|error| panic!("{error}"));
    let mut ordinary = program
        .invoke(invocation)
        .unwrap_or_else(|error| panic!("{error}"));
    ordinary.engine = Engine::Interpreter;
    assert_eq!(
        profiled.outcome, ordinary,
        "profiling does not change the outcome"
    );
    assert_eq!(
        profiled.gas.total(),
        ordinary.gas_used,
        "the profile counts every unit once"
    );
    let sum: u64 = profiled.gas.stacks().map(|stack| stack.gas).sum();
    assert_eq!(sum, ordinary.gas_used);
    let stacks: Vec<Stack<'_>> = profiled.gas.stacks().collect();
    for (index, stack) in stacks.iter().enumerate() {
        assert!(stack.gas > 0 && !stack.frames.is_empty());
        let again = stacks[..index]
            .iter()
            .any(|other| other.frames == stack.frames);
        assert!(!again, "a duplicate stack: {stack:?}");
    }
    profiled
}

fn package(name: &str) -> ProgramPackage {
    ProgramPackage::in_folder(&example(name)).unwrap_or_else(|error| panic!("{error:?}"))
}

fn build(name: &str, features: &[&str], debug_info: DebugInfo) -> Program {
    let blob = guest::build_with_features(&package(name), features, debug_info)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let loader = Loader::new(Engine::Interpreter).unwrap_or_else(|error| panic!("{error}"));
    loader.load(&blob).unwrap_or_else(|error| panic!("{error}"))
}

fn fixture(name: &str, fixture: &str) -> Invocation {
    let path = package(name)
        .fixture(fixture)
        .unwrap_or_else(|error| panic!("{error:?}"));
    Fixture::read(&path)
        .unwrap_or_else(|error| panic!("{error}"))
        .invocation
}

/// The functions of a stack, from the outermost one inwards.
fn path(stack: &Stack<'_>) -> String {
    let names: Vec<&str> = stack.frames.iter().map(|frame| &*frame.function).collect();
    names.join(";")
}

/// The gas of the stacks that end in a frame of this kind.
fn gas_of(profiled: &Profiled, kind: FrameKind) -> u64 {
    let stacks = profiled.gas.stacks();
    stacks
        .filter(|stack| stack.frames.last().is_some_and(|frame| frame.kind == kind))
        .map(|stack| stack.gas)
        .sum()
}

#[test]
fn every_unit_of_gas_is_accounted_for() {
    for name in EXAMPLES {
        let program = build(name, &[], DebugInfo::Keep);
        for name_of_fixture in package(name).fixtures().expect("a folder") {
            let profiled = profile(&program, &fixture(name, &name_of_fixture));
            assert!(profiled.gas.has_debug_info());
            // A program that aborts has prepaid an instruction that it does not reach.
            let is_aborted = profiled.outcome.status.is_none();
            let prepaid = gas_of(&profiled, FrameKind::Prepaid);
            assert_eq!(prepaid, u64::from(is_aborted), "{name}");
            let entry = format!("{name}::entrypoint");
            for stack in profiled.gas.stacks() {
                let is_entry = |frame: &&Frame| frame.function == entry;
                assert!(is_entry(&stack.frames[0]), "{}", path(&stack));
                // The entry is called once, and is not recursive.
                assert!(!stack.frames[1..].iter().any(is_entry), "{}", path(&stack));
            }
        }
    }
}

#[test]
fn stripped_program_has_addresses_and_same_gas() {
    let invocation = fixture("counter", "default");
    let profiled = profile(&build("counter", &[], DebugInfo::Strip), &invocation);
    assert!(!profiled.gas.has_debug_info());
    let stacks: Vec<Stack<'_>> = profiled.gas.stacks().collect();
    let calls = |stack: &Stack<'_>| path(stack).starts_with("entrypoint;function at 0x");
    assert!(stacks.iter().any(calls));
    assert!(
        stacks
            .iter()
            .flat_map(|stack| &stack.frames)
            .all(|frame| frame.location.is_none())
    );
}

#[test]
fn call_names_its_caller_and_line() {
    let profiled = profile(
        &build("counter", &[], DebugInfo::Keep),
        &fixture("counter", "default"),
    );
    let write = profiled
        .gas
        .stacks()
        .find(|stack| {
            let last = stack.frames.last().map(|frame| &*frame.function);
            last == Some("core::fmt::write")
        })
        .expect("a formatter");
    let functions = write.frames.iter().map(|frame| &*frame.function);
    let functions: Vec<&str> = functions.collect();
    assert_eq!(
        functions,
        [
            "counter::entrypoint",
            "entrypoint::glue::enter",
            "entrypoint::glue::enter_with",
            "counter::process_instruction",
            "entrypoint::log::log_arguments",
            "entrypoint::log::log_formatted",
            "core::fmt::write"
        ]
    );
    // Those in between are inlined, and their lines are those of the calls.
    for (function, file, source, text) in [
        (
            "counter::process_instruction",
            "examples/counter/src/lib.rs",
            include_str!("../../../examples/counter/src/lib.rs"),
            "msg!(\"count: {count}\")",
        ),
        (
            "entrypoint::log::log_formatted",
            "entrypoint/src/log.rs",
            include_str!("../../../entrypoint/src/log.rs"),
            "fmt::write(",
        ),
    ] {
        let mut frames = write.frames.iter();
        let frame = frames.find(|frame| frame.function == function);
        let place = frame.expect("a frame").location.as_ref();
        let place = place.expect("a line");
        assert!(place.file.ends_with(file), "{place}");
        let line = source.lines().nth(place.line as usize - 1);
        assert!(line.is_some_and(|line| line.contains(text)), "{place}");
    }
}

#[test]
fn syscall_is_a_frame_with_its_gas() {
    let profiled = profile(
        &build("counter", &[], DebugInfo::Keep),
        &fixture("counter", "default"),
    );
    let calls: Vec<(String, u64)> = profiled
        .gas
        .stacks()
        .filter(|stack| {
            stack
                .frames
                .last()
                .is_some_and(|frame| frame.kind == FrameKind::Import)
        })
        .map(|stack| (path(&stack), stack.gas))
        .collect();
    // One unit for the instruction, and 2 for the 9 bytes of "count: 42".
    let [(path, gas)] = calls.as_slice() else {
        panic!("{calls:?}");
    };
    // The stack of this call has no frame of the formatter that returned before.
    let start = "counter::entrypoint;entrypoint::glue::enter;";
    assert!(path.starts_with(start), "{path}");
    let calls = ";counter::process_instruction;entrypoint::log::log_arguments;\
                 entrypoint::log::log_formatted;entrypoint::syscalls::log;";
    assert!(path.contains(calls), "{path}");
    assert!(path.ends_with(";rlo_log_"), "{path}");
    assert_eq!(*gas, 1 + 2);
}

#[test]
fn gas_of_a_failed_program_is_accounted_for() {
    for engine in tests::polkavm() {
        let program = probe(engine);
        for (command, numbers) in [
            (Command::Fail, &[7][..]),
            (Command::Panic, &[9]),
            (Command::Index, &[5]),
            (Command::Allocate, &[100_000]),
            (Command::AllocateForEver, &[]),
            (Command::LogForEver, &[]),
            (Command::Recurse, &[]),
            (Command::Peek, &[0]),
            (Command::Poke, &[0, 1]),
            (Command::LogAt, &[0, 8]),
            (Command::Abort, &[0, 0]),
            (Command::Boxes, &[50]),
        ] {
            let _ = profile(&program, &call(command, numbers));
        }
    }
}

#[test]
fn prepaid_instructions_are_separate() {
    let profiled = profile(&probe(Engine::Interpreter), &call(Command::Peek, &[0]));
    let failure = profiled.outcome.failure.as_ref().expect("a trap");
    assert_eq!(failure.kind(), "Trapped");
    assert!(gas_of(&profiled, FrameKind::Prepaid) > 0);
}

#[test]
fn any_gas_limit_is_accounted_for() {
    let program = probe(Engine::Interpreter);
    let needed = profile(&program, &call(Command::ReturnData, &[100]))
        .outcome
        .gas_used;
    for gas in 0..=needed {
        let profiled = profile(&program, &call(Command::ReturnData, &[100]).gas(gas));
        assert_eq!(profiled.outcome.is_success(), gas == needed);
        assert_eq!(profiled.gas.stacks().count() == 0, gas == 0);
    }
    let profiled = profile(&program, &call(Command::Loop, &[]).gas(12_345));
    assert_eq!(profiled.outcome.gas_used, 12_345);
}

#[test]
fn profile_shows_the_depth_of_a_recursion() {
    let profiled = profile(&probe(Engine::Interpreter), &call(Command::Recurse, &[]));
    let count = |stack: &Stack<'_>| {
        let functions = stack.frames.iter().map(|frame| &*frame.function);
        functions.filter(|name| *name == "probe::recurse").count()
    };
    let deepest = profiled.gas.stacks().map(|stack| count(&stack)).max();
    // A recursive function's total counts its gas once.
    let costs = Costs::new(&profiled.gas, &Inlining::default());
    assert_eq!(costs.gas, profiled.outcome.gas_used);
    let own: u64 = costs.functions.iter().map(|cost| cost.own).sum();
    assert_eq!(own, costs.gas);
    for cost in &costs.functions {
        assert!(
            cost.own <= cost.total && cost.total <= costs.gas,
            "{cost:?}"
        );
    }
    for cost in &costs.lines {
        assert!(
            cost.own <= cost.total && cost.total <= costs.gas,
            "{cost:?}"
        );
    }
    assert_eq!(costs.stacks.values().sum::<u64>(), costs.gas);
    // Each frame takes half a kilobyte of the 64 KiB of stack.
    assert!(deepest > Some(100) && deepest < Some(200), "{deepest:?}");
}

#[test]
fn profiles_are_reproducible() {
    let program = build("vault", &[], DebugInfo::Keep);
    let invocation = fixture("vault", "default");
    assert_eq!(
        profile(&program, &invocation),
        profile(&program, &invocation)
    );
}

/// Checks the rules for every heap history.
#[track_caller]
fn check_heap(profiled: &Profiled) -> &HeapProfile {
    let heap = &profiled.heap;
    let (first, last) = (heap.samples.first(), heap.samples.last());
    assert_eq!(first.map(|sample| sample.used), Some(0));
    assert_eq!(
        last.map(|sample| (sample.gas, Some(sample.used), Some(sample.peak))),
        Some((
            profiled.outcome.gas_used,
            profiled.outcome.heap.used,
            profiled.outcome.heap.peak
        ))
    );
    for pair in heap.samples.windows(2) {
        assert!(pair[0].gas <= pair[1].gas && pair[0].peak <= pair[1].peak);
    }
    for sample in &heap.samples {
        assert!(sample.used <= sample.peak && sample.peak <= heap.limit);
        if let Some(counts) = sample.counts {
            assert!(
                counts.live + counts.leaked <= sample.used.into(),
                "{sample:?}"
            );
        }
    }
    heap
}

#[test]
fn heap_history_is_recorded() {
    let history = |name: &str| {
        let program = build(name, &[], DebugInfo::Strip);
        let profiled = profile(&program, &fixture(name, "default"));
        check_heap(&profiled).clone()
    };
    // A node of a tree is allocated and freed.
    let samples = history("heap_state").samples;
    let used: Vec<u32> = samples.iter().map(|sample| sample.used).collect();
    assert_eq!(used, [0, 24, 0, 0]);
    assert!(samples.iter().all(|sample| sample.counts.is_none()));

    assert!(history("segregated_heap").samples.len() > 4);
    let samples = history("hello").samples;
    assert!(samples.len() == 2 && samples[1].peak == 0);
}

#[test]
fn unreported_heap_has_no_history() {
    let program = build("custom_heap", &[], DebugInfo::Strip);
    let profiled = profile(&program, &fixture("custom_heap", "default"));
    assert_eq!(profiled.heap.samples, []);
    assert_eq!(profiled.heap.limit, 32_768);
}

#[test]
fn counting_build_reports_live_and_leaked() {
    let counted = |name: &str| {
        let program = build(name, &["entrypoint/heap-trace"], DebugInfo::Strip);
        let invocation = fixture(name, "default").gas(100_000_000);
        let profiled = profile(&program, &invocation);
        let plain = build(name, &[], DebugInfo::Strip).invoke(&invocation);
        let plain = plain.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profiled.outcome.logs, plain.logs);
        check_heap(&profiled).samples.clone()
    };
    // The program frees every block, and no byte is leaked.
    let samples = counted("segregated_heap");
    let counts = samples
        .last()
        .and_then(|sample| sample.counts)
        .expect("counts");
    assert_eq!((counts.live, counts.leaked), (0, 0));
    // The jobs have 32 bytes each, and the queue has eight addresses.
    let most = samples
        .iter()
        .filter_map(|sample| Some(sample.counts?.live))
        .max();
    assert_eq!(most, Some(9 * 32 + 8 * 8));

    // The arena's block is freed.
    let samples = counted("arena");
    let live: Vec<u64> = samples
        .iter()
        .filter_map(|sample| Some(sample.counts?.live))
        .collect();
    assert_eq!(live, [0, 256, 0, 0]);
    let last = samples.last().expect("samples");
    let counts = last.counts.expect("counts");
    assert_eq!((counts.leaked, last.used), (0, 0));
}

#[test]
fn ordinary_blob_has_no_counting_code() {
    let export = b"entrypoint_heap_trace";
    let has_export = |name: &str, features: &[&str]| {
        let blob = guest::build_with_features(&package(name), features, DebugInfo::Strip);
        let blob = blob.unwrap_or_else(|error| panic!("{error:?}"));
        blob.windows(export.len()).any(|bytes| bytes == export)
    };
    for name in EXAMPLES {
        assert!(!has_export(name, &[]), "{name}");
    }
    // A heap named in `entrypoint!` is counted; a heap of the program's own is not.
    for (name, is_counted) in [
        ("counter", true),
        ("segregated_heap", true),
        ("heap_state", false),
        ("custom_heap", false),
    ] {
        assert_eq!(
            has_export(name, &["entrypoint/heap-trace"]),
            is_counted,
            "{name}"
        );
    }
}
