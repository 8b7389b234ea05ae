//! The standard collections have the same contents on each of our heaps, on the VM and in
//! WebAssembly, as on the host.

use loader::{Engine, Failure, Invocation, Loader, Outcome, Program};
use tests::{PROGRAM_ID, guest};

const HEAPS: [&str; 2] = ["bump", "segregated"];

fn program(heap: &str, engine: Engine) -> Program {
    let blob = program_test::build(guest(&format!("collections_{heap}")));
    let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
    loader.load(&blob).unwrap_or_else(|error| panic!("{error}"))
}

fn call(program: &Program, rounds: u8, heap_size: u32) -> Outcome {
    let mut invocation = Invocation::new(PROGRAM_ID).data(vec![rounds]);
    invocation.heap_size = heap_size;
    invocation.gas = 100_000_000;
    program
        .invoke(&invocation)
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn collections_match_the_host() {
    let expected: Vec<String> = tests::collections::work(4)
        .lines()
        .map(str::to_owned)
        .collect();
    for heap in HEAPS {
        let [interpreted, compiled] =
            tests::polkavm().map(|engine| call(&program(heap, engine), 4, 512 * 1024));
        assert!(interpreted.is_success(), "{heap}: {interpreted:?}");
        assert_eq!(interpreted.logs, expected, "{heap}");
        assert_eq!(compiled.logs, expected, "{heap}");
        assert_eq!(interpreted.gas_used, compiled.gas_used, "{heap}");
        assert_eq!(interpreted.heap, compiled.heap, "{heap}");
    }
}

#[test]
fn every_heap_size_is_complete_or_out_of_memory() {
    let rounds = 3;
    let expected: Vec<String> = tests::collections::work(rounds.into())
        .lines()
        .map(str::to_owned)
        .collect();
    for heap in HEAPS {
        let program = program(heap, Engine::Interpreter);
        let enough = call(&program, rounds, 512 * 1024)
            .heap
            .peak
            .expect("the heap reports its peak");
        let mut refused = 0;
        // The loader's minimum is 32 KiB.
        for size in (32 * 1024..enough + 2 * 997).step_by(997) {
            let outcome = call(&program, rounds, size);
            if outcome.is_success() {
                assert_eq!(outcome.logs, expected, "{heap} in {size} bytes");
                assert!(size >= enough, "{heap} in {size} bytes");
                continue;
            }
            refused += 1;
            let Some(Failure::OutOfMemory { limit, .. }) = outcome.failure else {
                panic!("{heap} in {size} bytes: {outcome:?}");
            };
            assert_eq!(limit, size);
            // The heap header takes eight bytes in addition to the blocks.
            assert!(size < enough + 8, "{heap} in {size} bytes");
            assert!(outcome.logs.is_empty(), "{heap} in {size} bytes");
        }
        // The heap with size classes uses what one round frees for the next, and needs no more than
        // the least heap.
        assert_eq!(refused > 0, heap == "bump", "{heap}: {enough} bytes");
    }
}
