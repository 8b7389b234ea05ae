//! Handlers under a host that breaks the rules: a handler must reject a range that the host did not
//! allocate during the call.

use std::sync::OnceLock;

use abi::packed::PackedSlice;
use loader::Target;
use program_test as testing;
use tests::guest;
use wasmi::{Caller, Engine, Func, Instance, Linker, Memory, Module, Store, TypedFunc};

/// The reply of the host to every call: it first allocates `room` bytes, if any, and then returns
/// the value.
#[derive(Clone, Copy, Default)]
struct Reply {
    room: Option<u32>,
    value: u64,
}

struct Machine {
    store: Store<Reply>,
    instance: Instance,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
}

fn answer(mut caller: Caller<'_, Reply>) -> u64 {
    let reply = *caller.data();
    let Some(length) = reply.room else {
        return reply.value;
    };
    let alloc = caller
        .get_export("alloc")
        .and_then(|export| export.into_func());
    let alloc = alloc.expect("a handler exports `alloc`");
    let alloc = alloc.typed::<u32, u32>(&caller).expect("its type");
    let address = alloc.call(&mut caller, length).expect("room");
    // The value is relative to the allocation.
    (u64::from(address) << 32).wrapping_add(reply.value)
}

impl Machine {
    fn new() -> Self {
        static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
        let module = MODULE.get_or_init(|| testing::build_for(guest("handlers"), Target::Wasm32));
        let engine = Engine::default();
        let module = Module::new(&engine, module).expect("a module");
        let mut store = Store::new(&engine, Reply::default());
        let mut linker = Linker::new(&engine);
        for import in module.imports() {
            let type_ = import.ty().func().expect("imports are functions").clone();
            let function = Func::new(&mut store, type_, |caller, _, answers| {
                if let [place] = answers {
                    *place = answer(caller).cast_signed().into();
                }
                Ok(())
            });
            linker.define("env", import.name(), function).expect("once");
        }
        let instance = linker
            .instantiate_and_start(&mut store, &module)
            .expect("an instance");
        let memory = instance.get_memory(&store, "memory").expect("memory");
        let alloc = instance.get_typed_func(&store, "alloc").expect("`alloc`");
        Self {
            store,
            instance,
            memory,
            alloc,
        }
    }

    fn alloc(&mut self, length: u32) -> u32 {
        let address = self.alloc.call(&mut self.store, length).expect("room");
        assert!(address != 0 && address.is_multiple_of(8));
        address
    }

    fn give(&mut self, bytes: &[u8]) -> u64 {
        let address = self.alloc(bytes.len() as u32);
        let memory = self.memory.data_mut(&mut self.store);
        memory[address as usize..][..bytes.len()].copy_from_slice(bytes);
        pack(address, bytes.len() as u32)
    }

    /// Calls a handler that returns text.
    fn call(&mut self, export: &str, argument: u64) -> String {
        let handler = self
            .instance
            .get_typed_func::<u64, u64>(&self.store, export);
        let handler = handler.expect("a handler");
        let answer = handler.call(&mut self.store, argument).expect("an answer");
        let (address, length) = ((answer >> 32) as usize, answer as u32 as usize);
        let bytes = self.memory.data(&self.store)[address..][..length].to_vec();
        String::from_utf8(bytes).expect("text")
    }

    /// How the handler `see` reads an argument.
    fn see(&mut self, argument: u64) -> String {
        self.call("see", argument)
    }

    /// How a handler that was called with an argument reads the host's reply.
    fn ask(&mut self, argument: u64, room: Option<u32>, value: u64) -> String {
        *self.store.data_mut() = Reply { room, value };
        self.call("ask", argument)
    }
}

fn pack(address: u32, length: u32) -> u64 {
    u64::from(address) << 32 | u64::from(length)
}

fn outside(address: u32, length: u32) -> String {
    format!("OutsideArena {{ address: {address}, length: {length} }}")
}

/// What `see` returns for an invalid argument.
fn refused(error: &str) -> String {
    format!("Err({error}) Err({error})")
}

#[test]
fn argument_not_from_alloc_is_an_error() {
    let mut machine = Machine::new();
    let given = machine.give(b"argument");
    let address = (given >> 32) as u32;
    assert_eq!(machine.see(given), "Ok(Some(8)) Ok(Some(8))");
    // The call has freed all of it.
    assert_eq!(machine.see(given), refused(&outside(address, 8)));
    for (address, length) in [(1, 1), (1_024, 4), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
        let result = machine.see(pack(address, length));
        assert_eq!(result, refused(&outside(address, length)));
    }
    let given = machine.give(b"argument");
    let result = machine.see(given + 1);
    assert_eq!(result, refused(&outside((given >> 32) as u32, 9)));
    assert_eq!(machine.see(5), refused("Malformed { length: 5 }"));
    assert_eq!(
        machine.see(PackedSlice::NO_ROOM.to_u64()),
        refused("NoRoom")
    );
    assert_eq!(machine.see(0), "Ok(None) Ok(None)");
    let empty = "Ok(Some(0)) Ok(Some(0))";
    for address in [1, 8, address, u32::MAX] {
        assert_eq!(machine.see(pack(address, 0)), empty);
    }
}

#[test]
fn reply_from_an_earlier_call_is_an_error() {
    let mut machine = Machine::new();
    let unused = machine.give(b"unused");
    let argument = machine.give(b"argument");
    // A call frees what was allocated before it, and its argument cannot be the reply.
    for value in [unused, argument] {
        let (address, length) = ((value >> 32) as u32, value as u32);
        assert_eq!(machine.ask(argument, None, value), outside(address, length));
    }
    for (address, length) in [(1_024, 8), (u32::MAX, u32::MAX)] {
        let result = machine.ask(0, None, pack(address, length));
        assert_eq!(result, outside(address, length));
    }
    assert_eq!(machine.ask(0, None, 7), "Malformed { length: 7 }");
    let no_room = PackedSlice::NO_ROOM.to_u64();
    assert_eq!(machine.ask(0, None, no_room), "NoRoom");
    // The whole allocation, then one byte more.
    assert_eq!(machine.ask(0, Some(16), 16).len(), 16);
    assert!(machine.ask(0, Some(16), 17).starts_with("OutsideArena"));
    let behind = (1 << 32) + 16;
    assert!(machine.ask(0, Some(16), behind).starts_with("OutsideArena"));
}

#[test]
fn scratch_is_freed_at_both_ends_of_a_call() {
    let mut machine = Machine::new();
    let first = machine.alloc(8);
    machine.see(0);
    assert_eq!(
        machine.alloc(8),
        first,
        "the end of a call frees an unused allocation"
    );
    let given = machine.give(b"argument");
    machine.see(given);
    assert_eq!(
        machine.alloc(8),
        first,
        "the end of a call frees its argument"
    );
    // Memory that a call does not use is freed after the call.
    let pages = machine.memory.size(&machine.store);
    for _ in 0..1_000 {
        machine.alloc(1_000);
        let given = machine.give(b"argument");
        assert_eq!(machine.see(given), "Ok(Some(8)) Ok(Some(8))");
    }
    assert_eq!(machine.memory.size(&machine.store), pages);
}
