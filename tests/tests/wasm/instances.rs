//! Instances of programs on WebAssembly that serve one call after the other: how much memory they
//! take in the long run.

use tests::wasm_host::{PAGE, Written, account, call, count, machine, withdraw};

/// Calls that a long-lived instance serves over and over, in an order of no short period.
fn serve(name: &'static str, written: &[Written], times: usize) {
    let mut machine = machine(name);
    let mut pages = 0;
    for number in 0..times {
        // Long inputs are rare, so that the test is quick.
        let index = match number % 64 {
            0 => number / 64 % written.len(),
            _ => number % written.len().min(3),
        };
        let written = &written[index];
        let (status, _) = written.call(&mut machine, number / 3 % 2 == 0);
        assert_eq!(status, Some(0), "{name}, call {number}");
        match number {
            0..1_000 => pages = machine.pages(),
            _ => assert_eq!(machine.pages(), pages, "{name} grew in call {number}"),
        }
    }
    // Room for the longest input, a heap, and what else there was at first.
    assert!(pages <= 24, "{name} takes {pages} pages");
}

#[test]
fn memory_is_constant_over_100_000_calls() {
    let counts = [
        count(1, 0, 0),
        count(2, 100, 2),
        count(3, 0, 1),
        count(4, 70_000, 0),
        count(5, 9, 40),
        count(6, 150_000, 5),
    ];
    serve("counter", &counts, 100_000);
    let open = call(&[0], vec![account(1, 10, &[]), account(2, 0, &[])]);
    serve("vault", &[withdraw(1), withdraw(1_000), open], 20_000);
}

/// What was handed in is taken back at both ends of a call.
#[test]
fn scratch_is_freed_at_both_ends_of_a_call() {
    let mut machine = machine("counter");
    let written = count(1, 0, 2);
    let (_, first) = written.call(&mut machine, false);
    let (_, second) = written.call(&mut machine, false);
    assert_eq!(first, second, "taken back when the entry returned");
    // What the host asked for besides, and never used, does not last longer either.
    let mut pages = None;
    for _ in 0..100 {
        for _ in 0..3 {
            assert_ne!(machine.alloc(PAGE / 4), 0);
        }
        assert_eq!(written.call(&mut machine, false).0, Some(0));
        assert_eq!(machine.alloc(8), first);
        assert_eq!(machine.pages(), *pages.get_or_insert(machine.pages()));
    }
    // During the call it is gone already: what the host asks for then needs no more memory.
    let length = 5 * PAGE as u32;
    assert_ne!(machine.alloc(length as usize), 0);
    let pages = machine.pages();
    machine.store.data_mut().intrusion = Some(length);
    assert_eq!(written.call(&mut machine, false).0, Some(0));
    assert_eq!(machine.pages(), pages);
}

#[test]
fn heaps_that_are_given_back_last_as_long() {
    let words = [
        call(b"some words and other words", vec![]),
        call(b"", vec![account(1, 1, b"data")]),
        call(&b"word ".repeat(20_000), vec![]),
    ];
    serve("custom_heap", &words[..2], 10_000);
    let runs = [
        call(b"aaabccccd", vec![account(1, 1, b"data")]),
        call(b"", vec![]),
        call(&[5; 70_000], vec![]),
    ];
    serve("heap_state", &runs, 10_000);
    serve("hello", &runs, 10_000);
    let jobs = [call(b"", vec![]), call(b"", vec![account(1, 1, b"data")])];
    serve("segregated_heap", &jobs, 300);
}
