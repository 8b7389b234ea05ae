//! Programs on WebAssembly, under a host of the test's own: what they export, what they do, and how much memory an instance
//! takes that serves one call after the other.

#[path = "support_input.rs"]
mod input;
#[path = "support_wasm.rs"]
mod wasm;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use entrypoint::input::Field;
use input::{Account, Entry, Expected, Span};
use loader::{Engine, Loader, Program};
use tests::{EXAMPLES, example, guest};
use wasm::{Abort, Machine, PAGE};

/// Pages of memory that an instance may have.
const PAGES: usize = 200;

/// The module of a program with some of its features, compiled once.
fn module(name: &'static str, features: &'static [&'static str]) -> &'static [u8] {
    type Modules = HashMap<(&'static str, &'static [&'static str]), &'static [u8]>;
    static MODULES: OnceLock<Mutex<Modules>> = OnceLock::new();
    let mut modules = MODULES
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    modules.entry((name, features)).or_insert_with(|| {
        let folder = if EXAMPLES.contains(&name) {
            example(name)
        } else {
            guest(name)
        };
        tests::wasm::build(&folder, features).leak()
    })
}

/// A fresh instance of a program, its heap announced if it is to be.
fn machine(name: &'static str) -> Machine {
    let mut machine = Machine::new(module(name, &[]), PAGES);
    machine.announce_heap(1);
    machine
}

/// An input, and where its fields stand, so that what the program leaves can be read.
struct Written {
    expected: Expected,
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl Written {
    fn new(expected: Expected) -> Self {
        let (bytes, spans) = expected.write();
        Self {
            expected,
            bytes,
            spans,
        }
    }

    /// Calls the program, and returns the status and where the input is. `None` is a trap.
    fn call(&self, machine: &mut Machine, with_table: bool) -> (Option<u64>, u32) {
        let table = if with_table {
            8 * self.expected.entries.len() + 16
        } else {
            0
        };
        let address = machine.alloc(self.bytes.len() + table);
        assert_ne!(address, 0, "no room");
        assert_eq!(address % 8, 0);
        machine.write(address, &self.bytes);
        let mut length = self.bytes.len();
        if with_table {
            let mut bytes = Vec::new();
            self.expected
                .append_table(&mut bytes, &self.spans, address.into());
            machine.write(address + length as u32, &bytes);
            length += bytes.len();
        }
        (machine.enter(address, length), address)
    }

    /// The first occurrences as the program has left them.
    fn read_back(&self, machine: &Machine, address: u32) -> Vec<Account> {
        let of = |field: Field, position: usize| {
            let mut spans = self.spans.iter();
            let span = spans.find(|span| span.field == field && span.account == Some(position));
            span.expect("an entry has each field").bytes.start
        };
        let input = machine.read(address, self.bytes.len());
        let word = |at: usize| u64::from_le_bytes(*input[at..].first_chunk().expect("a word"));
        let entries = self.expected.entries.iter().enumerate();
        entries
            .filter_map(|(position, entry)| {
                let Entry::First(before) = entry else {
                    return None;
                };
                let header = of(Field::AccountHeader, position);
                let length = word(of(Field::DataLength, position)) as usize;
                Some(Account {
                    key: *input[header..].first_chunk()?,
                    owner: *input[header + 32..].first_chunk()?,
                    kelvins: word(header + 64),
                    data: input[of(Field::Data, position)..][..length].to_vec(),
                    ..before.clone()
                })
            })
            .collect()
    }
}

const ID: [u8; 32] = [9; 32];

/// An account of the program's, which it may write and which has signed.
fn account(number: u8, kelvins: u64, data: &[u8]) -> Entry {
    Entry::First(Account {
        is_signer: true,
        is_writable: true,
        executable: false,
        key: [number; 32],
        owner: ID,
        kelvins,
        data: data.to_vec(),
        rent_epoch: u64::MAX,
    })
}

fn call(instruction_data: &[u8], entries: Vec<Entry>) -> Written {
    Written::new(Expected {
        program_id: ID,
        instruction_data: instruction_data.to_vec(),
        entries,
    })
}

/// Adds to a count, with more data behind it and as many more accounts.
fn count(step: u64, more_data: usize, more_accounts: u8) -> Written {
    let mut data = 41_u64.to_le_bytes().to_vec();
    data.resize(8 + more_data, 7);
    let mut entries = vec![account(1, 5, &data)];
    entries.extend((0..more_accounts).map(|number| account(100 + number, 1, b"more")));
    entries.push(Entry::Repeat(0));
    call(&step.to_le_bytes(), entries)
}

fn withdraw(amount: u64) -> Written {
    let data = [&[1][..], &amount.to_le_bytes()].concat();
    let entries = vec![
        account(1, 1_000, &[2; 32]),
        account(2, 5, &[]),
        account(3, 7, &[]),
    ];
    call(&data, entries)
}

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

/// The lines that do not tell what is on the heap: where there is no table, a list of the accounts is, but not here.
fn of_any_heap(logs: &[String]) -> Vec<&String> {
    let lines = logs.iter();
    lines
        .filter(|line| !line.contains(" allocations"))
        .collect()
}

/// The program's blob, on the loader's interpreter.
fn program(name: &str) -> Program {
    let blob = cargo_entrypoint::testing::build(example(name));
    let loader = Loader::new(Engine::Interpreter).expect("an engine");
    loader.load(&blob).expect("a program")
}

#[test]
fn programs_do_what_they_do_on_the_vm() {
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
fn a_program_exports_what_its_host_calls() {
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

/// Asks for room in the middle of a call, as a host does that answers an import with bytes.
#[test]
fn what_the_host_asks_for_during_a_call_is_nobody_elses() {
    for (name, written) in calls() {
        for with_table in [true, false] {
            for room in [1, 100, PAGE as u32, 3 * PAGE as u32] {
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
fn a_hundred_thousand_calls_take_no_more_memory_than_the_first_ones() {
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
fn a_program_that_gives_up_says_why() {
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
fn a_heap_that_nobody_announced_is_said_to_be_missing() {
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
fn a_memory_that_is_full_is_no_missing_heap() {
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
fn a_list_of_accounts_without_room_is_out_of_memory() {
    let fewest = Machine::new(module("counter", &[]), PAGES).pages() as usize;
    let mut machine = Machine::new(module("counter", &[]), fewest + 1);
    // No byte of the page is left behind the input.
    let written = count(1, PAGE - count(1, 0, 0).bytes.len(), 0);
    assert_eq!(written.bytes.len(), PAGE);
    let given = gives_up(&mut machine, &written, false);
    assert_eq!(given, abort(2, [16, 8, 0, 0]));
}
