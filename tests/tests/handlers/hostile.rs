//! Handwritten handlers with invalid results, an invalid `alloc` or invalid memory ranges, and host
//! functions that fail: each is an error of the call.

use std::panic::{AssertUnwindSafe, catch_unwind};

use loader::handler::{CallError, Handler, Host, Instance};
use loader::{Failure, Limits, LoadError};

const PAGE: u32 = 65_536;

/// A module of one page with this code as its handler `handle` and its `alloc`. Parameters are
/// local 0.
fn module(alloc: &str, code: &str) -> String {
    format!(
        r#"(module
        (import "env" "ask" (func $ask (param i32 i32) (result i64)))
        (import "env" "rlo_log_" (func $log (param i32 i64)))
        (memory (export "memory") 1)
        (global $calls (mut i32) (i32.const 0))
        (func (export "alloc") (param i32) (result i32) {alloc})
        (func (export "nothing") (param i64) (result i64) i64.const 0)
        (func (export "handle") (param i64) (result i64) {code}))"#
    )
}

/// An `alloc` that returns one aligned address for every length below 1,000 bytes.
const ALLOC: &str =
    "(select (i32.const 1024) (i32.const 0) (i32.lt_u (local.get 0) (i32.const 1000)))";

/// Calls the host with the eight bytes at 16, and returns the host's reply.
const ASK: &str = "(call $ask (i32.const 16) (i32.const 8))";

type Requests = Vec<Vec<u8>>;

fn host() -> Host<Requests> {
    Host::new().function("ask", |asked: &mut Requests, bytes: &[u8]| {
        asked.push(bytes.to_vec());
        Some(b"answer".to_vec())
    })
}

fn load(text: &str) -> Result<Handler<Requests>, LoadError> {
    let module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    host().load(&module)
}

fn instance(alloc: &str, code: &str) -> Instance<Requests> {
    load(&module(alloc, code)).unwrap().instance().unwrap()
}

type CallResult = Result<Option<Vec<u8>>, CallError>;

fn call(instance: &mut Instance<Requests>, argument: Option<&[u8]>) -> CallResult {
    let answer = instance.call("handle", Vec::new(), argument)?;
    Ok(answer.bytes)
}

fn result_of(code: &str) -> CallResult {
    call(&mut instance(ALLOC, code), None)
}

/// The failure of the call, after which the instance is dead.
fn failure(mut instance: Instance<Requests>, argument: Option<&[u8]>) -> Failure {
    let error = call(&mut instance, argument).unwrap_err();
    let CallError::Failed(failure) = error else {
        panic!("{error}")
    };
    for export in ["handle", "nothing"] {
        let again = instance.call(export, Vec::new(), None).unwrap_err();
        assert_eq!(again, CallError::Dead);
    }
    failure
}

fn trap(instance: Instance<Requests>, argument: Option<&[u8]>) -> String {
    let failure = failure(instance, argument);
    assert_eq!(failure.kind(), "Trapped");
    failure.to_string()
}

fn packed(address: u32, length: u32) -> String {
    let value = u64::from(address) << 32 | u64::from(length);
    format!("i64.const {value}")
}

#[test]
fn result_outside_the_memory_is_an_error() {
    assert_eq!(result_of("i64.const 0"), Ok(None));
    for address in [1, 8, PAGE, u32::MAX] {
        let empty = result_of(&packed(address, 0));
        assert_eq!(empty, Ok(Some(Vec::new())), "{address:#x}");
    }
    for (address, length) in [(1, 1), (8, PAGE - 8), (PAGE - 1, 1), (1, PAGE - 1)] {
        let whole = result_of(&packed(address, length));
        assert_eq!(whole, Ok(Some(vec![0; length as usize])));
    }
    for (address, length) in [
        (PAGE, 1),
        (PAGE - 1, 2),
        (1, PAGE),
        (8, u32::MAX),
        (u32::MAX, 1),
        (u32::MAX, u32::MAX),
        (0x8000_0000, 0x8000_0000),
        // Lengths with a null address.
        (0, 1),
        (0, PAGE),
        (0, u32::MAX - 1),
    ] {
        let mut instance = instance(ALLOC, &packed(address, length));
        let value = u64::from(address) << 32 | u64::from(length);
        let error = call(&mut instance, None).unwrap_err();
        assert_eq!(error, CallError::InvalidAnswer { value });
        assert_eq!(
            error.to_string(),
            format!("the handler returned {value:#018x}, which is not a range of its memory")
        );
        // The handler has returned, so the instance can be called again.
        assert!(instance.call("nothing", Vec::new(), None).is_ok());
    }
    let no_room = result_of(&packed(0, u32::MAX));
    assert_eq!(no_room, Err(CallError::NoRoomForAnswer));
}

#[test]
fn result_may_be_in_added_pages() {
    let code = format!("(drop (memory.grow (i32.const 1))) {}", packed(PAGE, PAGE));
    assert_eq!(result_of(&code), Ok(Some(vec![0; PAGE as usize])));
    let code = format!(
        "(drop (memory.grow (i32.const 1))) {}",
        packed(PAGE, PAGE + 1)
    );
    let error = result_of(&code).unwrap_err();
    assert_eq!(error.kind(), "InvalidAnswer");
}

#[test]
fn memory_limit_holds_for_an_instances_life() {
    let code = "(i64.shl (i64.extend_i32_u (memory.grow (i32.const 1))) (i64.const 32))";
    let module = wat::parse_str(module(ALLOC, code)).unwrap();
    let host = host().limits(Limits::default().heap(3 * PAGE));
    let mut instance = host.load(&module).unwrap().instance().unwrap();
    for pages in [1, 2, 3, 4, 4, 4] {
        // The result is empty, so its address is irrelevant.
        assert_eq!(call(&mut instance, None), Ok(Some(Vec::new())));
        assert_eq!(
            instance.memory_length(),
            (u64::from(PAGE) * (pages + 1)).min(4 * u64::from(PAGE))
        );
    }
}

#[test]
fn argument_is_written_only_to_alloc() {
    for argument in [None, Some(&b""[..]), Some(b"argument"), Some(&[9; 999])] {
        let echoed = call(&mut instance(ALLOC, "local.get 0"), argument);
        assert_eq!(echoed.unwrap().as_deref(), argument);
    }
    let mut no_room = instance(ALLOC, "local.get 0");
    let error = call(&mut no_room, Some(&[9; 1_000])).unwrap_err();
    assert_eq!(error, CallError::NoRoom { length: 1_000 });
    assert_eq!(call(&mut no_room, None), Ok(None));
}

/// Addresses at which eight bytes are misaligned or outside the memory.
const INVALID_ADDRESSES: [i64; 6] = [1_025, 4, 65_532, 65_536, -8, -1];

#[test]
fn invalid_alloc_address_is_not_written() {
    for address in INVALID_ADDRESSES {
        let alloc = format!("i32.const {address}");
        let message = trap(instance(&alloc, "unreachable"), Some(b"argument"));
        assert!(
            message.contains(", where 8 bytes cannot be written"),
            "{message}"
        );
    }
    // During the call: a valid address for the argument, an invalid one for the reply.
    for address in INVALID_ADDRESSES {
        let alloc = format!(
            "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
             (select (i32.const 1024) (i32.const {address}) (i32.eq (global.get $calls) (i32.const 1)))"
        );
        let message = trap(instance(&alloc, ASK), Some(b"argument"));
        assert!(
            message.contains(", where 6 bytes cannot be written"),
            "{message}"
        );
    }
}

#[test]
fn last_bytes_of_the_memory_are_usable() {
    let mut instance = instance("i32.const 65528", ASK);
    assert_eq!(call(&mut instance, None), Ok(Some(b"answer".to_vec())));
}

#[test]
fn failed_reply_allocation_reaches_the_handler() {
    // The handler returns the value that it got from the host, which is `NO_ROOM`.
    let error = call(&mut instance("i32.const 0", ASK), None).unwrap_err();
    assert_eq!(error, CallError::NoRoomForAnswer);
}

#[test]
fn alloc_without_a_return_ends_the_call() {
    let message = trap(instance("unreachable", "unreachable"), Some(b"argument"));
    assert!(message.contains("unreachable"), "{message}");
    let message = trap(instance("unreachable", ASK), None);
    assert!(message.contains("unreachable"), "{message}");
    for (code, argument) in [("unreachable", Some(&b"argument"[..])), (ASK, None)] {
        let looping = instance("(loop br 0) unreachable", code);
        assert_eq!(failure(looping, argument).kind(), "OutOfGas");
    }
    let text = module("call $deep i32.const 0", ASK);
    let deep = "(func $deep (call $deep)) (global";
    let text = text.replace("(global", deep);
    let instance = load(&text).unwrap().instance().unwrap();
    assert_eq!(failure(instance, None).kind(), "StackOverflow");
}

#[test]
fn alloc_cannot_call_the_host() {
    // Each call would lead to the next one, and overflow the host's own stack.
    let alloc = format!("(drop {ASK}) {ALLOC}");
    let message = trap(instance(&alloc, ASK), None);
    assert!(
        message.contains("`alloc` calls a host function"),
        "{message}"
    );
    let message = trap(instance(&alloc, "i64.const 0"), Some(b"argument"));
    assert!(
        message.contains("`alloc` calls a host function"),
        "{message}"
    );
}

#[test]
fn alloc_cannot_call_a_silent_host_function() {
    let host = Host::new().function("ask", |(): &mut (), _: &[u8]| None);
    let alloc = format!("(drop {ASK}) {ALLOC}");
    let module = wat::parse_str(module(&alloc, ASK)).unwrap();
    let mut instance = host.load(&module).unwrap().instance().unwrap();
    // The handler may call it.
    assert_eq!(instance.call("handle", (), None).unwrap().bytes, None);
    let error = instance.call("handle", (), Some(b"argument")).unwrap_err();
    assert_eq!(error.kind(), "Trapped");
}

#[test]
fn empty_bytes_need_no_allocation() {
    let host = Host::new().function("ask", |(): &mut (), _: &[u8]| Some(Vec::new()));
    let module = wat::parse_str(module("unreachable", ASK)).unwrap();
    let mut instance = host.load(&module).unwrap().instance().unwrap();
    let answer = instance.call("handle", (), Some(b"")).unwrap();
    assert_eq!(answer.bytes, Some(Vec::new()));
}

#[test]
fn later_host_function_replaces_one_of_its_name() {
    let host = host().function("ask", |_: &mut Requests, _: &[u8]| {
        Some(b"the last".to_vec())
    });
    let module = wat::parse_str(module(ALLOC, ASK)).unwrap();
    let mut instance = host.load(&module).unwrap().instance().unwrap();
    assert_eq!(call(&mut instance, None), Ok(Some(b"the last".to_vec())));
}

#[test]
fn module_longer_than_the_limit_is_rejected() {
    let module = wat::parse_str(module(ALLOC, ASK)).unwrap();
    let length = module.len();
    let load = |limit| {
        let host = host().limits(Limits::default().blob(limit));
        host.load(&module).map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(load(length), Ok(()));
    assert_eq!(load(length - 1), Err("BlobTooLong"));
}

#[test]
fn log_lines_of_alloc_belong_to_the_call() {
    let alloc = format!("(call $log (i32.const 16) (i64.const 2)) {ALLOC}");
    let mut instance = instance(&alloc, ASK);
    for argument in [Some(&b"argument"[..]), None] {
        let answer = instance.call("handle", Vec::new(), argument).unwrap();
        assert_eq!(answer.logs.len(), 1 + usize::from(argument.is_some()));
    }
    // The log lines of a rejected call do not appear in the next call.
    let error = instance.call("handle", Vec::new(), Some(&[0; 1_000]));
    assert_eq!(error.unwrap_err().kind(), "NoRoom");
    let answer = instance.call("nothing", Vec::new(), None).unwrap();
    assert!(answer.logs.is_empty());
}

#[test]
fn host_call_passes_a_range_of_the_handlers_memory() {
    let ask = |address: u32, length: u32| {
        format!("(call $ask (i32.const {address}) (i32.const {length}))")
    };
    for (address, length) in [
        (16, 8),
        (0, 0),
        (0, 100),
        (PAGE - 1, 1),
        (PAGE, 0),
        (u32::MAX, 0),
    ] {
        let mut instance = instance(ALLOC, &ask(address, length));
        let answer = instance.call("handle", Vec::new(), None).unwrap();
        assert_eq!(answer.state, [vec![0; length as usize]]);
        assert_eq!(answer.bytes.as_deref(), Some(&b"answer"[..]));
    }
    for (address, length) in [
        (PAGE, 1),
        (PAGE - 1, 2),
        (0, PAGE + 1),
        (u32::MAX, 1),
        (8, 1 << 20),
    ] {
        let message = trap(instance(ALLOC, &ask(address, length)), None);
        assert!(
            message.contains("are not in the handler's memory"),
            "{message}"
        );
    }
    // The gas does not suffice for reading this many bytes.
    let huge = instance(ALLOC, &ask(u32::MAX, u32::MAX));
    assert_eq!(failure(huge, None).kind(), "OutOfGas");
}

#[test]
fn bytes_cost_gas_in_both_directions() {
    let gas = |length: u32, answer: usize| {
        let host = Host::new().function("ask", move |(): &mut (), _: &[u8]| Some(vec![1; answer]));
        let code = format!("(call $ask (i32.const 0) (i32.const {length}))");
        let module = wat::parse_str(module("i32.const 32768", &code)).unwrap();
        let mut instance = host.load(&module).unwrap().instance().unwrap();
        instance.call("handle", (), None).unwrap().gas_used
    };
    let least = gas(0, 1);
    assert_eq!(gas(8_000, 1), least + 1_000);
    assert_eq!(gas(8_001, 1), least + 1_001);
    assert_eq!(gas(0, 8_000), least + 999);
    // An empty reply needs no allocation.
    assert!(gas(0, 0) < least);
}

#[test]
fn unpaid_reply_is_not_written() {
    let host = Host::new()
        .gas(10_000)
        .function("ask", |(): &mut (), _: &[u8]| Some(vec![1; 100_000]));
    let module = wat::parse_str(module("unreachable", ASK)).unwrap();
    let mut instance = host.load(&module).unwrap().instance().unwrap();
    let error = instance.call("handle", (), None).unwrap_err();
    assert_eq!(error.kind(), "OutOfGas");
}

#[test]
fn exports_of_other_types_are_not_called() {
    let with = |signature: &str| {
        let plain = module(ALLOC, "i64.const 0");
        plain.replace("(param i64) (result i64) i64.const 0))", signature)
    };
    for signature in [
        "(param i32) (result i64) i64.const 0))",
        "(param i64) (result i32) i32.const 0))",
        "(param i64 i64) (result i64) i64.const 0))",
        "(result i64) i64.const 0))",
        "(param i64)))",
    ] {
        let text = with(signature);
        let mut instance = load(&text).unwrap().instance().unwrap();
        let error = call(&mut instance, None).unwrap_err();
        assert_eq!(error.kind(), "NoExport", "{signature}");
        assert!(instance.call("nothing", Vec::new(), None).is_ok());
    }
}

#[test]
fn invalid_handler_is_rejected_with_the_reason() {
    let plain = module(ALLOC, "i64.const 0");
    for (text, expected) in [
        (
            plain.replace(r#"(export "memory")"#, ""),
            "invalid WebAssembly module: no export `memory` that is a 32-bit memory",
        ),
        (
            plain.replace(r#"(export "alloc")"#, ""),
            "invalid WebAssembly module: no export `alloc`",
        ),
        (
            module("i64.const 0", "i64.const 0")
                .replace("(param i32) (result i32)", "(param i32) (result i64)"),
            "invalid WebAssembly module: the export `alloc` is not a function of the type (i32) -> (i32)",
        ),
        (
            plain.replace("\"ask\"", "\"other\""),
            "the program imports `other`, which the loader does not offer",
        ),
        (
            plain.replace("\"env\" \"ask\"", "\"wasi\" \"ask\""),
            "the program imports `ask`, which the loader does not offer",
        ),
        (
            plain.replace("$ask (param i32 i32)", "$ask (param i32 i64)"),
            "invalid WebAssembly module: the import `ask` is not a function of the type (i32, i32) -> (i64)",
        ),
    ] {
        let error = load(&text).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn host_function_cannot_replace_a_syscall() {
    let host = host().function("rlo_log_", |_: &mut Requests, _: &[u8]| {
        panic!("not this one")
    });
    let code = "(call $log (i32.const 16) (i64.const 2)) i64.const 0";
    let module = wat::parse_str(module(ALLOC, code)).unwrap();
    let mut instance = host.load(&module).unwrap().instance().unwrap();
    let answer = instance.call("handle", Vec::new(), None).unwrap();
    assert_eq!(answer.logs.len(), 1);
}

#[test]
fn panicking_host_function_ends_the_instance() {
    let host = Host::new().function("ask", |(): &mut (), _: &[u8]| panic!("a panic of the host"));
    let module = wat::parse_str(module(ALLOC, ASK)).unwrap();
    let handler = host.load(&module).unwrap();
    let mut instance = handler.instance().unwrap();
    let unwound = catch_unwind(AssertUnwindSafe(|| instance.call("handle", (), None)));
    assert!(unwound.is_err());
    for export in ["handle", "nothing"] {
        let error = instance.call(export, (), None).unwrap_err();
        assert_eq!(error, CallError::Dead);
    }
    // Another instance of the same handler still works.
    let mut other = handler.instance().unwrap();
    assert!(other.call("nothing", (), None).is_ok());
}

#[test]
fn every_damaged_handler_loads_or_is_an_error() {
    let module = wat::parse_str(module(ALLOC, ASK)).unwrap();
    let host = host().gas(10_000);
    let try_it = |bytes: &[u8]| {
        if let Ok(handler) = host.load(bytes)
            && let Ok(mut instance) = handler.instance()
        {
            let _ = instance.call("handle", Vec::new(), Some(b"argument"));
        }
    };
    for length in 0..module.len() {
        try_it(&module[..length]);
    }
    for bit in 0..module.len() * 8 {
        let mut bytes = module.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        try_it(&bytes);
    }
}
