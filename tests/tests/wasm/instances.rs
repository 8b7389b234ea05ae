//! The memory of a WebAssembly instance that serves many calls.

use tests::wasm_host::{PAGE, Written, account, call, count, machine, withdraw};

/// Makes this number of calls on one instance, in an order with a long period.
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
    // Enough for the longest input, a heap, and the module's own memory.
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

/// The program frees scratch memory when a call starts and when it ends.
#[test]
fn scratch_is_freed_at_both_ends_of_a_call() {
    let mut machine = machine("counter");
    let written = count(1, 0, 2);
    let (_, first) = written.call(&mut machine, false);
    let (_, second) = written.call(&mut machine, false);
    assert_eq!(first, second, "the end of a call frees the input");
    // An allocation that the host does not use is freed too.
    let mut pages = None;
    for _ in 0..100 {
        for _ in 0..3 {
            assert_ne!(machine.alloc(PAGE / 4), 0);
        }
        assert_eq!(written.call(&mut machine, false).0, Some(0));
        assert_eq!(machine.alloc(8), first);
        assert_eq!(machine.pages(), *pages.get_or_insert(machine.pages()));
    }
    // It is freed at the start of the call: another allocation during the call needs no new page.
    let length = 5 * PAGE as u32;
    assert_ne!(machine.alloc(length as usize), 0);
    let pages = machine.pages();
    machine.store.data_mut().alloc_in_log = Some(length);
    assert_eq!(written.call(&mut machine, false).0, Some(0));
    assert_eq!(machine.pages(), pages);
}

#[test]
fn memory_is_constant_with_every_heap() {
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
