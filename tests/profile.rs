//! A profile accounts for every unit of gas, and watching changes nothing.

use cargo_entrypoint::guest::{self, DebugInfo};
use cargo_entrypoint::package::ProgramPackage;
use loader::fixture::Fixture;
use loader::profile::{FrameKind, HeapProfile, Profiled, Stack};
use loader::{Engine, Invocation, Loader, Program};
use probe::Command;
use tests::{call, example, probe};

/// What must hold of every profile.
#[track_caller]
fn profile(program: &Program, invocation: &Invocation) -> Profiled {
    let profiled = program
        .profile(invocation)
        .unwrap_or_else(|error| panic!("{error}"));
    let mut ordinary = program
        .invoke(invocation)
        .unwrap_or_else(|error| panic!("{error}"));
    ordinary.engine = Engine::Interpreter;
    assert_eq!(profiled.outcome, ordinary, "watching changes nothing");
    assert_eq!(profiled.gas.total(), ordinary.gas_used, "every unit once");
    let sum: u64 = profiled.gas.stacks().map(|stack| stack.gas).sum();
    assert_eq!(sum, ordinary.gas_used);
    let stacks: Vec<Stack<'_>> = profiled.gas.stacks().collect();
    for (index, stack) in stacks.iter().enumerate() {
        assert!(stack.gas > 0 && !stack.frames.is_empty());
        let again = stacks[..index]
            .iter()
            .any(|other| other.frames == stack.frames);
        assert!(!again, "a stack stands there twice: {stack:?}");
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

#[test]
fn every_unit_of_every_example_is_accounted_for() {
    for name in [
        "counter",
        "counter",
        "custom_heap",
        "heap_state",
        "hello",
        "no_alloc",
        "segregated_heap",
        "vault",
    ] {
        let program = build(name, &[], DebugInfo::Keep);
        for name_of_fixture in package(name).fixtures() {
            let profiled = profile(&program, &fixture(name, &name_of_fixture));
            assert!(profiled.gas.has_debug_info());
            println!("{name} {name_of_fixture} {:?}", profiled.heap.samples.len());
            for s in profiled.gas.stacks().take(300) {
                println!(
                    "{} {}",
                    s.gas,
                    s.frames
                        .iter()
                        .map(|f| f.function.as_str())
                        .collect::<Vec<_>>()
                        .join(";")
                );
            }
        }
    }
}
