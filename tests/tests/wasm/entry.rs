//! Programs on WebAssembly, under a host of the test's own: their exports, their results, and their
//! failures.

use entrypoint::input::Field;
use loader::{Engine, Loader, Program};
use tests::example;
use tests::input::Entry;
use tests::wasm_host::{
    Abort, Machine, PAGE, PAGES, Written, account, call, count, machine, module, withdraw,
};

/// The calls for which the targets are compared.
fn calls() -> Vec<(&'static str, Written)> {
    vec![
        ("hello", call(b"", vec![])),
        ("hello", call("wörld".as_bytes(), vec![account(1, 1, b"")])),
        ("hello", call(&[0xFF; 70_000], vec![])),
        ("counter", count(1, 0, 0)),
        ("counter", count(1 << 40, 70_000, 3)),
        ("counter", count(u64::MAX, 1, 0)),
        ("counter", call(b"", vec![])),
        ("counter", call(b"odd", vec![account(1, 1, &[0; 8])])),
        (
            "vault",
            call(&[0], vec![account(1, 10, &[]), account(2, 0, &[])]),
        ),
        ("vault", withdraw(300)),
        ("vault", withdraw(1_001)),
        (
            "vault",
            call(&[0], vec![account(1, 10, &[1]), account(2, 0, &[])]),
        ),
        ("custom_heap", call(b"some words and other words", vec![])),
        ("custom_heap", call(b"", vec![account(1, 1, b"data")])),
        (
            "heap_state",
            call(b"aaabccccd", vec![account(1, 1, b"data")]),
        ),
        ("heap_state", call(&[5; 70_000], vec![])),
        ("arena", call(b"two words\nand three more\n", vec![])),
        (
            "no_alloc",
            call(b"", vec![account(1, 10, b""), account(2, 20, b"")]),
        ),
        ("segregated_heap", call(b"", vec![account(1, 10, b"")])),
    ]
}

/// The lines that do not report allocations: PolkaVM lists the accounts on the heap if the input
/// has no table, and WebAssembly does not.
fn without_allocations(logs: &[String]) -> Vec<&String> {
    let lines = logs.iter();
    lines
        .filter(|line| !line.contains(" allocations"))
        .collect()
}

/// The program's blob, on the loader's interpreter.
fn program(name: &str) -> Program {
    let blob = program_test::build(example(name));
    let loader = Loader::new(Engine::Interpreter).expect("an engine");
    loader.load(&blob).expect("a program")
}

#[test]
fn programs_match_the_vm() {
    for (name, written) in calls() {
        let program = program(name);
        for with_table in [true, false] {
            let invocation = written.expected.invocation().account_table(with_table);
            let outcome = program.invoke(&invocation).expect("a valid call");
            let mut machine = machine(name);
            let (status, address) = written.call(&mut machine, with_table);
            let place = format!("{name}, {}", if with_table { "table" } else { "walk" });
            assert_eq!(status, outcome.status, "{place}");
            let logs = &machine.store.data().logs;
            if with_table {
                assert_eq!(*logs, outcome.logs, "{place}");
            } else {
                assert_eq!(
                    without_allocations(logs),
                    without_allocations(&outcome.logs),
                    "{place}"
                );
            }
            if status == Some(0) {
                assert_eq!(
                    machine.store.data().return_data,
                    outcome.return_data,
                    "{place}"
                );
                let found = written.read_back(&machine, address);
                assert_eq!(found.len(), outcome.accounts.len(), "{place}");
                for (found, expected) in found.iter().zip(&outcome.accounts) {
                    assert_eq!(found.key, expected.key.to_bytes(), "{place}");
                    assert_eq!(found.owner, expected.owner.to_bytes(), "{place}");
                    assert_eq!(found.kelvins, expected.kelvins, "{place}");
                    assert_eq!(found.data, expected.data, "{place}");
                }
            }
        }
    }
}

/// Names of a module's exports, in alphabetical order. What the linker itself adds is left out.
fn exports(name: &'static str, features: &'static [&'static str]) -> Vec<String> {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, module(name, features)).expect("a valid module");
    let exports = module.exports().map(|export| export.name().to_owned());
    let mut names: Vec<String> = exports
        .filter(|name| !["__data_end", "__heap_base"].contains(&name.as_str()))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn program_exports_the_contract() {
    for name in [
        "arena",
        "counter",
        "hello",
        "no_alloc",
        "segregated_heap",
        "vault",
    ] {
        assert_eq!(
            exports(name, &[]),
            ["alloc", "entrypoint", "memory"],
            "{name}"
        );
    }
    assert_eq!(
        exports("custom_heap", &[]),
        ["alloc", "entrypoint", "entrypoint_heap", "memory"]
    );
    let named = [
        "alloc",
        "entrypoint",
        "entrypoint_heap",
        "entrypoint_heap_bump",
        "memory",
    ];
    assert_eq!(exports("heap_state", &[]), named);
    let with_arena = [
        "alloc",
        "entrypoint",
        "guest_alloc",
        "memory",
        "reset_arena",
    ];
    assert_eq!(exports("host_return", &[]), with_arena);
}

#[test]
fn every_entry_sees_the_same_accounts() {
    let entries = || vec![account(1, 10, b"first"), account(2, 20, b"the second")];
    let variants: [&'static [&'static str]; 4] =
        [&["no_alloc"], &["lazy"], &["reject"], &["no_alloc_reject"]];
    let return_data = |features, with_table| {
        let mut machine = Machine::new(module("entries", features), PAGES);
        let (status, _) = call(b"data", entries()).call(&mut machine, with_table);
        assert_eq!(status, Some(0), "{features:?}");
        machine.store.data().return_data.clone()
    };
    let expected = return_data(&[], true);
    assert!(expected.len() > 200);
    for features in variants {
        for with_table in [true, false] {
            assert_eq!(return_data(features, with_table), expected, "{features:?}");
        }
    }
}

/// Only a table with the accounts in another order shows that the program uses the table.
#[test]
fn program_sees_the_account_table() {
    let data = 41_u64.to_le_bytes();
    let written = call(b"", vec![account(1, 0, &data), account(2, 0, &data)]);
    let starts = written
        .spans
        .iter()
        .filter(|span| span.field == Field::Marker);
    let starts: Vec<usize> = starts.map(|span| span.bytes.start).collect();
    let mut machine = machine("counter");
    let length = written.bytes.len();
    let address = machine.alloc(length + 32);
    machine.write(address, &written.bytes);
    let table = [
        starts[1] as u64 + u64::from(address),
        starts[0] as u64 + u64::from(address),
        2,
    ];
    let table = table.map(u64::to_le_bytes).concat();
    machine.write(address + length as u32, &table);
    machine.write(address + length as u32 + 24, b"ACCTABLE");
    assert_eq!(machine.enter(address, length + 32), Some(0));
    let accounts = written.read_back(&machine, address);
    assert_eq!(accounts[0].data, 41_u64.to_le_bytes());
    assert_eq!(accounts[1].data, 42_u64.to_le_bytes());
}

/// The host allocates scratch memory during a call, as for the reply to a call of the program.
#[test]
fn scratch_of_a_call_is_not_shared() {
    for (name, written) in calls() {
        for with_table in [true, false] {
            for room in [100, 3 * PAGE as u32] {
                let mut machine = machine(name);
                let (expected, address) = written.call(&mut machine, with_table);
                let accounts = written.read_back(&machine, address);
                let logs = machine.store.data().logs.clone();
                // A second call on the same instance would start in another state, so use another
                // instance.
                let mut machine = self::machine(name);
                machine.store.data_mut().alloc_in_log = Some(room);
                let (status, address) = written.call(&mut machine, with_table);
                assert_eq!(status, expected, "{name}");
                assert_eq!(written.read_back(&machine, address), accounts, "{name}");
                assert_eq!(machine.store.data().logs, logs, "{name}");
            }
        }
    }
}

/// The report of a call that aborts; `None` if the call returns a status.
fn abort_report(machine: &mut Machine, written: &Written, with_table: bool) -> Option<Abort> {
    let (status, _) = written.call(machine, with_table);
    assert_eq!(status.is_none(), machine.store.data().abort.is_some());
    machine.store.data_mut().abort.take()
}

fn abort(kind: u32, values: [u64; 4]) -> Option<Abort> {
    Some(Abort {
        kind,
        values,
        file: String::new(),
        message: String::new(),
    })
}

#[test]
fn aborting_program_reports_the_cause() {
    let mut probe = Machine::new(module("probe", &[]), PAGES);
    let data = tests::probe_data(probe::Command::Panic, &[17]);
    let panicked = abort_report(&mut probe, &call(&data, vec![]), true).expect("a report");
    assert_eq!(
        (panicked.kind, panicked.message.as_str()),
        (1, "probe number 17")
    );
    assert!(
        panicked.file.ends_with("probe/src/lib.rs"),
        "{}",
        panicked.file
    );
    assert!(panicked.values[0] > 0 && panicked.values[1] > 0);
    assert_eq!(panicked.values[2..], [0, 0]);

    let five = || call(b"", (0..5).map(|number| account(number, 1, b"")).collect());
    let twice = || {
        call(
            b"",
            vec![account(1, 1, b""), account(2, 1, b""), Entry::Repeat(1)],
        )
    };
    for with_table in [true, false] {
        let mut no_alloc = machine("no_alloc");
        let report = abort_report(&mut no_alloc, &five(), with_table);
        assert_eq!(report, abort(3, [5, 4, 0, 0]));
        let mut no_alloc = machine("no_alloc");
        let report = abort_report(&mut no_alloc, &twice(), with_table);
        assert_eq!(report, abort(4, [2, 1, 0, 0]));
    }
}

#[test]
fn unannounced_heap_is_reported() {
    for (name, data) in [
        ("custom_heap", b"some words"),
        ("heap_state", b"some bytes"),
    ] {
        let mut machine = Machine::new(module(name, &[]), PAGES);
        let report = abort_report(&mut machine, &call(data, vec![]), true).expect("a report");
        assert_eq!(report.kind, 5, "{name}: {report:?}");
        assert!(report.values[0] > 0);
    }
}

#[test]
fn full_memory_is_not_a_missing_heap() {
    // The module's own memory, and one page for the input.
    let fewest = Machine::new(module("segregated_heap", &[]), PAGES).pages() as usize;
    let mut machine = Machine::new(module("segregated_heap", &[]), fewest + 1);
    let report = abort_report(&mut machine, &call(b"", vec![]), true).expect("a report");
    assert_eq!(report.kind, 2, "{report:?}");
    // A small announced heap fills up too.
    let mut machine = Machine::new(module("custom_heap", &[]), PAGES);
    machine.announce_heap(1);
    let report = abort_report(&mut machine, &call(&b"w ".repeat(50_000), vec![]), true);
    assert_eq!(report.expect("a report").kind, 2);
    // Scratch memory larger than the whole memory cannot be allocated.
    let mut machine = Machine::new(module("hello", &[]), PAGES);
    assert_eq!(machine.alloc(PAGES * PAGE), 0);
    assert_eq!(machine.alloc(usize::MAX), 0);
    assert_ne!(machine.alloc(0), 0);
    let (status, _) = call(b"", vec![]).call(&mut machine, true);
    assert_eq!(status, Some(0), "the instance still works");
}

/// The program reports that there is no memory for the list of accounts.
#[test]
fn unallocated_account_list_is_out_of_memory() {
    let fewest = Machine::new(module("counter", &[]), PAGES).pages() as usize;
    // One account more than the list on the stack has room for. The input fills its pages to the
    // last byte.
    let empty = count(1, 0, 63).bytes.len();
    let pages = empty.div_ceil(PAGE);
    let written = count(1, pages * PAGE - empty, 63);
    assert_eq!(written.bytes.len(), pages * PAGE);
    let mut machine = Machine::new(module("counter", &[]), fewest + pages);
    let report = abort_report(&mut machine, &written, false).expect("a report");
    assert_eq!(report.kind, 2, "{report:?}");
    assert!(report.values[0] >= 65 * 4, "{report:?}");
}
