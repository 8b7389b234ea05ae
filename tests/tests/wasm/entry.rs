//! Programs on WebAssembly, under a host of the test's own: what they export, what they do, and how
//! they give up.

use entrypoint::input::Field;
use loader::{Engine, Loader, Program};
use tests::example;
use tests::input::Entry;
use tests::wasm_host::{
    Abort, Machine, PAGE, PAGES, Written, account, call, count, machine, module, withdraw,
};

/// The calls by which the programs are compared.
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

/// The lines that do not tell what is on the heap: where there is no table, a list of the accounts
/// is, but not here.
fn of_any_heap(logs: &[String]) -> Vec<&String> {
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
                assert_eq!(of_any_heap(logs), of_any_heap(&outcome.logs), "{place}");
            }
            if status == Some(0) {
                assert_eq!(
                    machine.store.data().return_data,
                    outcome.return_data,
                    "{place}"
                );
                let found = written.read_back(&machine, address);
                assert_eq!(found.len(), outcome.accounts.len(), "{place}");
                for (found, wanted) in found.iter().zip(&outcome.accounts) {
                    assert_eq!(found.key, wanted.key.to_bytes(), "{place}");
                    assert_eq!(found.owner, wanted.owner.to_bytes(), "{place}");
                    assert_eq!(found.kelvins, wanted.kelvins, "{place}");
                    assert_eq!(found.data, wanted.data, "{place}");
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
fn other_entries_see_their_accounts_too() {
    let entries = || vec![account(1, 10, b"first"), account(2, 20, b"the second")];
    let variants: [&'static [&'static str]; 4] =
        [&["no_alloc"], &["lazy"], &["reject"], &["no_alloc_reject"]];
    let seen = |features, with_table| {
        let mut machine = Machine::new(module("entries", features), PAGES);
        let (status, _) = call(b"data", entries()).call(&mut machine, with_table);
        assert_eq!(status, Some(0), "{features:?}");
        machine.store.data().return_data.clone()
    };
    let wanted = seen(&[], true);
    assert!(wanted.len() > 200);
    for features in variants {
        for with_table in [true, false] {
            assert_eq!(seen(features, with_table), wanted, "{features:?}");
        }
    }
}

/// Nothing else tells a table from a walk: one that has the accounts in another order is believed.
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

/// Asks for room in the middle of a call, as a host does that answers an import with bytes.
#[test]
fn scratch_of_a_call_is_not_shared() {
    for (name, written) in calls() {
        for with_table in [true, false] {
            for room in [100, 3 * PAGE as u32] {
                let mut machine = machine(name);
                let (wanted, address) = written.call(&mut machine, with_table);
                let accounts = written.read_back(&machine, address);
                let logs = machine.store.data().logs.clone();
                // The same instance again is not the same state, and so this is another.
                let mut machine = self::machine(name);
                machine.store.data_mut().intrusion = Some(room);
                let (status, address) = written.call(&mut machine, with_table);
                assert_eq!(status, wanted, "{name}");
                assert_eq!(written.read_back(&machine, address), accounts, "{name}");
                assert_eq!(machine.store.data().logs, logs, "{name}");
            }
        }
    }
}

/// The program gives up; `None` is a status.
fn gives_up(machine: &mut Machine, written: &Written, with_table: bool) -> Option<Abort> {
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
    let panicked = gives_up(&mut probe, &call(&data, vec![]), true).expect("a report");
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
        let given = gives_up(&mut no_alloc, &five(), with_table);
        assert_eq!(given, abort(3, [5, 4, 0, 0]));
        let mut no_alloc = machine("no_alloc");
        let given = gives_up(&mut no_alloc, &twice(), with_table);
        assert_eq!(given, abort(4, [2, 1, 0, 0]));
    }
}

#[test]
fn unannounced_heap_is_reported() {
    for (name, data) in [
        ("custom_heap", b"some words"),
        ("heap_state", b"some bytes"),
    ] {
        let mut machine = Machine::new(module(name, &[]), PAGES);
        let given = gives_up(&mut machine, &call(data, vec![]), true).expect("a report");
        assert_eq!(given.kind, 5, "{name}: {given:?}");
        assert!(given.values[0] > 0);
    }
}

#[test]
fn full_memory_is_not_a_missing_heap() {
    // As much as the module has itself, and a page for the input.
    let fewest = Machine::new(module("segregated_heap", &[]), PAGES).pages() as usize;
    let mut machine = Machine::new(module("segregated_heap", &[]), fewest + 1);
    let given = gives_up(&mut machine, &call(b"", vec![]), true).expect("a report");
    assert_eq!(given.kind, 2, "{given:?}");
    // The announced one is full too, some time.
    let mut machine = Machine::new(module("custom_heap", &[]), PAGES);
    machine.announce_heap(1);
    let given = gives_up(&mut machine, &call(&b"w ".repeat(50_000), vec![]), true);
    assert_eq!(given.expect("a report").kind, 2);
    // And one page too few for the input is no room.
    let mut machine = Machine::new(module("hello", &[]), PAGES);
    assert_eq!(machine.alloc(PAGES * PAGE), 0);
    assert_eq!(machine.alloc(usize::MAX), 0);
    assert_ne!(machine.alloc(0), 0);
    let (status, _) = call(b"", vec![]).call(&mut machine, true);
    assert_eq!(status, Some(0), "it goes on");
}

/// Where no room is left for the list of accounts, the program says so.
#[test]
fn unallocated_account_list_is_out_of_memory() {
    let fewest = Machine::new(module("counter", &[]), PAGES).pages() as usize;
    let mut machine = Machine::new(module("counter", &[]), fewest + 1);
    // No byte of the page is left behind the input.
    let written = count(1, PAGE - count(1, 0, 0).bytes.len(), 0);
    assert_eq!(written.bytes.len(), PAGE);
    let given = gives_up(&mut machine, &written, false);
    assert_eq!(given, abort(2, [16, 8, 0, 0]));
}
