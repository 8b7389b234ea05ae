//! A host for WebAssembly modules that follows `docs/abi.md`, on `wasmi`. It shares no code with
//! the project's own.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use crate::{EXAMPLES, example, guest};
use entrypoint::input::Field;
use wasmi::{
    AsContextMut, Caller, Engine, Error, Extern, Instance, Linker, Memory, Module, Store,
    StoreLimits, StoreLimitsBuilder, TypedFunc,
};

use crate::input::{Account, Entry, Expected, Span};

pub const PAGE: usize = 64 * 1024;

/// The abort report of a program, with its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abort {
    pub kind: u32,
    pub values: [u64; 4],
    pub file: String,
    pub message: String,
}

/// The calls that a program has made.
pub struct Host {
    pub logs: Vec<String>,
    pub return_data: Vec<u8>,
    pub abort: Option<Abort>,
    /// If set, the host allocates this many bytes in each log call, and fills them.
    pub alloc_in_log: Option<u32>,
    limits: StoreLimits,
}

/// An instance of a module.
pub struct Machine {
    pub store: Store<Host>,
    pub instance: Instance,
    pub memory: Memory,
    alloc: TypedFunc<u32, u32>,
    entrypoint: TypedFunc<(u32, u32), u64>,
}

fn memory(caller: &Caller<'_, Host>) -> Memory {
    let exported = caller.get_export("memory").and_then(Extern::into_memory);
    exported.expect("a program exports its memory")
}

fn read<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    *bytes[at..].first_chunk().expect("as many bytes")
}

fn bytes(caller: &Caller<'_, Host>, address: u32, length: u64) -> Vec<u8> {
    memory(caller).data(caller)[address as usize..][..length as usize].to_vec()
}

fn log(mut caller: Caller<'_, Host>, address: u32, length: u64) -> Result<(), Error> {
    let line = bytes(&caller, address, length);
    let line = String::from_utf8(line).expect("a log line is text");
    caller.data_mut().logs.push(line);
    let Some(length) = caller.data().alloc_in_log else {
        return Ok(());
    };
    let alloc = caller.get_export("alloc").and_then(Extern::into_func);
    let alloc = alloc.expect("a program exports `alloc`");
    let alloc: TypedFunc<u32, u32> = alloc.typed(&caller)?;
    let address = alloc.call(caller.as_context_mut(), length)?;
    assert_ne!(address, 0, "no room");
    let memory = memory(&caller);
    memory.data_mut(&mut caller)[address as usize..][..length as usize].fill(0xA5);
    Ok(())
}

fn abort(mut caller: Caller<'_, Host>, report: u32, magic: u64) -> Result<(), Error> {
    assert_eq!(magic, u64::from_le_bytes(*b"ABORTREP"));
    let report = bytes(&caller, report, 64);
    assert_eq!(report[..8], *b"ABORTREP");
    let word = |at| u32::from_le_bytes(read(&report, at));
    let text = |at| {
        let text = bytes(&caller, word(at), word(at + 4).into());
        String::from_utf8(text).expect("texts in UTF-8")
    };
    let abort = Abort {
        kind: word(8),
        values: [16, 24, 32, 40].map(|at| u64::from_le_bytes(read(&report, at))),
        file: text(48),
        message: text(56),
    };
    caller.data_mut().abort = Some(abort);
    Err(Error::new("the program aborted"))
}

/// The imports of `docs/abi.md` that the project's programs use.
fn imports(engine: &Engine) -> Linker<Host> {
    let mut imports = Linker::new(engine);
    let mut define = || -> Result<(), Error> {
        imports.func_wrap("env", "rlo_log_", log)?;
        imports.func_wrap("env", "rlo_abort", abort)?;
        imports.func_wrap(
            "env",
            "rlo_set_return_data",
            |mut caller: Caller<'_, Host>, address: u32, length: u64| {
                caller.data_mut().return_data = bytes(&caller, address, length);
            },
        )?;
        imports.func_wrap("env", "rlo_log_compute_units_", || {})?;
        imports.func_wrap("env", "rlo_remaining_compute_units", || 0_u64)?;
        imports.func_wrap("env", "rlo_log_pubkey", |_: u32| {})?;
        imports.func_wrap(
            "env",
            "rlo_log_64_",
            |_: u64, _: u64, _: u64, _: u64, _: u64| {},
        )?;
        imports.func_wrap("env", "rlo_get_return_data", |_: u32, _: u64, _: u32| 0_u64)?;
        Ok(())
    };
    define().expect("distinct imports");
    imports
}

impl Machine {
    /// An instance with at most this many pages of memory. Its heap is not announced.
    pub fn new(module: &[u8], most_pages: usize) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, module).expect("a valid module");
        let limits = StoreLimitsBuilder::new()
            .memory_size(most_pages * PAGE)
            .build();
        let host = Host {
            logs: Vec::new(),
            return_data: Vec::new(),
            abort: None,
            alloc_in_log: None,
            limits,
        };
        let mut store = Store::new(&engine, host);
        store.limiter(|host| &mut host.limits);
        let instance = imports(&engine)
            .instantiate_and_start(&mut store, &module)
            .expect("every import is defined");
        let memory = instance.get_memory(&store, "memory").expect("`memory`");
        let alloc = instance.get_typed_func(&store, "alloc").expect("`alloc`");
        let entrypoint = instance
            .get_typed_func(&store, "entrypoint")
            .expect("`entrypoint`");
        Self {
            store,
            instance,
            memory,
            alloc,
            entrypoint,
        }
    }

    /// Announces a heap of this many pages at the end of the memory, if the host places the heap.
    pub fn announce_heap(&mut self, pages: u32) {
        let announce = self
            .instance
            .get_typed_func::<(u32, u32), ()>(&self.store, "entrypoint_heap");
        if let Ok(announce) = announce {
            let first = self.memory.grow(&mut self.store, pages.into());
            let base = first.expect("pages") as u32 * PAGE as u32;
            announce
                .call(&mut self.store, (base, pages * PAGE as u32))
                .expect("no trap");
        }
    }

    pub fn pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    /// Allocates this many bytes of scratch memory.
    pub fn alloc(&mut self, length: usize) -> u32 {
        self.alloc
            .call(&mut self.store, length as u32)
            .expect("no trap")
    }

    pub fn write(&mut self, address: u32, bytes: &[u8]) {
        let memory = self.memory.data_mut(&mut self.store);
        memory[address as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    pub fn read(&self, address: u32, length: usize) -> &[u8] {
        &self.memory.data(&self.store)[address as usize..][..length]
    }

    /// Calls the entry; `None` if the program traps.
    pub fn enter(&mut self, address: u32, length: usize) -> Option<u64> {
        self.store.data_mut().logs.clear();
        self.store.data_mut().return_data.clear();
        let arguments = (address, length as u32);
        self.entrypoint.call(&mut self.store, arguments).ok()
    }
}

/// The most pages of an instance's memory.
pub const PAGES: usize = 200;

/// The module of a program with these features, compiled once.
pub fn module(name: &'static str, features: &'static [&'static str]) -> &'static [u8] {
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
        crate::wasm::build(&folder, features).leak()
    })
}

/// A new instance of a program. Its heap is announced if the host places it.
pub fn machine(name: &'static str) -> Machine {
    let mut machine = Machine::new(module(name, &[]), PAGES);
    machine.announce_heap(1);
    machine
}

/// An input, and the offsets of its fields, for reading the program's changes.
pub struct Written {
    pub expected: Expected,
    pub bytes: Vec<u8>,
    pub spans: Vec<Span>,
}

impl Written {
    pub fn new(expected: Expected) -> Self {
        let (bytes, spans) = expected.write();
        Self {
            expected,
            bytes,
            spans,
        }
    }

    /// Calls the program, and returns the status (`None` for a trap) and the address of the input.
    pub fn call(&self, machine: &mut Machine, with_table: bool) -> (Option<u64>, u32) {
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

    /// The first occurrences as the program has changed them.
    pub fn read_back(&self, machine: &Machine, address: u32) -> Vec<Account> {
        let of = |field: Field, position: usize| {
            let mut spans = self.spans.iter();
            let span = spans.find(|span| span.field == field && span.account == Some(position));
            span.expect("a field of the entry").bytes.start
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
                    data: input[of(Field::Data, position)..][..length].into(),
                    ..before.clone()
                })
            })
            .collect()
    }
}

pub const ID: [u8; 32] = [9; 32];

/// A writable account that the program owns and that has signed.
pub fn account(number: u8, kelvins: u64, data: &[u8]) -> Entry {
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

pub fn call(instruction_data: &[u8], entries: Vec<Entry>) -> Written {
    Written::new(Expected {
        program_id: ID,
        instruction_data: instruction_data.to_vec(),
        entries,
    })
}

/// A call that adds to a count, with more bytes of data and more accounts.
pub fn count(step: u64, more_data: usize, more_accounts: u8) -> Written {
    let mut data = 41_u64.to_le_bytes().to_vec();
    data.resize(8 + more_data, 7);
    let mut entries = vec![account(1, 5, &data)];
    entries.extend((0..more_accounts).map(|number| account(100 + number, 1, b"more")));
    entries.push(Entry::Repeat(0));
    call(&step.to_le_bytes(), entries)
}

pub fn withdraw(amount: u64) -> Written {
    let data = [&[1][..], &amount.to_le_bytes()].concat();
    let entries = vec![
        account(1, 1_000, &[2; 32]),
        account(2, 5, &[]),
        account(3, 7, &[]),
    ];
    call(&data, entries)
}
