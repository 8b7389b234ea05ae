//! WebAssembly handlers, as the loader calls them: their arguments, their host calls, their
//! results, and the memory of an instance that serves many calls.

use std::collections::HashMap;
use std::sync::OnceLock;

use loader::handler::{Answer, CallError, Handler, Host, Instance};
use loader::{Engine, Failure, Limits, Loader, Target};
use program_test as testing;
use proptest::prelude::*;
use tests::{call, example, guest};

/// The example `edge_handler`.
fn edge_handler() -> &'static [u8] {
    static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
    MODULE.get_or_init(|| testing::build_for(example("edge_handler"), Target::Wasm32))
}

/// The guest whose handlers do what a test needs.
fn handlers() -> &'static [u8] {
    static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
    MODULE.get_or_init(|| testing::build_for(guest("handlers"), Target::Wasm32))
}

/// The headers of a request, and the names of the requested ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Request {
    headers: HashMap<String, Vec<u8>>,
    asked: Vec<String>,
}

impl Request {
    fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.insert(name.to_owned(), value.as_ref().into());
        self
    }
}

fn host() -> Host<Request> {
    Host::new().function("header", |request: &mut Request, name: &[u8]| {
        let name = String::from_utf8(name.into()).expect("a name");
        request.asked.push(name.clone());
        request.headers.get(&name).cloned()
    })
}

fn instance(host: &Host<Request>) -> Instance<Request> {
    host.load(edge_handler()).unwrap().instance().unwrap()
}

fn text<T>(answer: &Answer<T>) -> &str {
    let bytes = answer.bytes.as_deref().expect("an answer");
    std::str::from_utf8(bytes).expect("text")
}

fn response(request: Request, path: &str) -> String {
    let answer = instance(&host()).call("handle", request, Some(path.as_bytes()));
    text(&answer.unwrap()).to_owned()
}

#[test]
fn absent_and_empty_headers_differ() {
    let greeting = |language: &str, text: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-language: {language}\r\n\r\n{text}\n")
    };
    for (request, path, expected) in [
        (
            Request::default(),
            "/",
            greeting(
                "en",
                "Hello, stranger! This is for no browser that says so.",
            ),
        ),
        (
            Request::default()
                .header("user-agent", "")
                .header("accept-language", ""),
            "/Ada",
            greeting("en", "Hello, Ada! This is for a browser without a name."),
        ),
        (
            Request::default()
                .header("user-agent", "Mosaic/0.9")
                .header("accept-language", "nl, de-CH;q=0.9, fr"),
            "/Grace",
            greeting("de", "Hallo, Grace! This is for Mosaic/0.9."),
        ),
    ] {
        assert_eq!(response(request, path), expected);
    }
}

#[test]
fn missing_and_empty_arguments_differ() {
    let mut instance = instance(&host());
    let asked = Request::default().header("user-agent", "a");
    let nothing = instance.call("handle", asked.clone(), None).unwrap();
    assert_eq!(nothing.bytes, None);
    assert_eq!(nothing.state, asked, "the handler makes no host call");
    let empty = instance.call("handle", asked, Some(b"")).unwrap();
    assert!(text(&empty).contains("Hello, stranger! This is for a."));
    assert_eq!(empty.state.asked, ["accept-language", "user-agent"]);
}

#[test]
fn header_of_any_length_arrives() {
    let mut instance = instance(&host().gas(u64::MAX));
    for length in [1, 7, 8, 9, 127, 129, 65_535, 65_536, 65_537, 1_000_000] {
        let browser: String = ('a'..='z').cycle().take(length).collect();
        let request = Request::default().header("user-agent", &browser);
        let answer = instance.call("handle", request, Some(b"/")).unwrap();
        let expected = format!(" This is for {browser}.\n");
        assert!(text(&answer).ends_with(&expected), "{length}");
    }
}

#[test]
fn every_client_request_gets_a_reply() {
    let small = host().limits(Limits::default().heap(256 * 1024));
    let mut instance = instance(&small);
    let bad = Request::default().header("accept-language", b"\xff");
    let answer = instance.call("handle", bad, Some(b"/")).unwrap();
    assert_eq!(text(&answer), "HTTP/1.1 400 Bad Request\r\n\r\n");
    let answer = instance.call("handle", Request::default(), Some(b"/\xff"));
    assert_eq!(text(&answer.unwrap()), "HTTP/1.1 400 Bad Request\r\n\r\n");
    let long = Request::default().header("user-agent", vec![b'a'; 256 * 1024 + 1]);
    let answer = instance.call("handle", long, Some(b"/")).unwrap();
    let too_large = "HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n";
    assert_eq!(text(&answer), too_large);
    let path = vec![b'a'; 256 * 1024 + 1];
    let error = instance.call("handle", Request::default(), Some(&path));
    let no_room = CallError::NoRoom {
        length: 256 * 1024 + 1,
    };
    assert_eq!(error.unwrap_err(), no_room);
    let answer = instance.call("handle", Request::default(), Some(b"/Ada"));
    assert!(text(&answer.unwrap()).contains("Hello, Ada!"));
}

#[test]
fn less_than_sufficient_gas_ends_the_instance() {
    let request = Request::default().header("user-agent", "Mosaic");
    let expected = instance(&host()).call("handle", request.clone(), Some(b"/Ada"));
    let expected = expected.unwrap();
    let enough = expected.gas_used;
    let with = |gas| {
        let mut instance = instance(&host().gas(gas));
        let answer = instance.call("handle", request.clone(), Some(b"/Ada"));
        (answer, instance)
    };
    assert_eq!(with(enough).0.unwrap(), expected);
    for gas in (0..enough).step_by(97).chain([enough - 1]) {
        let (answer, mut instance) = with(gas);
        let error = answer.unwrap_err();
        let CallError::Failed(Failure::OutOfGas { limit, .. }) = error else {
            panic!("{gas}: {error}")
        };
        assert_eq!(limit, gas);
        let again = instance.call("handle", request.clone(), None);
        assert_eq!(again.unwrap_err(), CallError::Dead);
    }
}

/// The host of the test handlers: it returns nothing for `nothing`, and otherwise the bytes twice.
fn echoing() -> Host<()> {
    Host::new()
        .function("question", |(), bytes: &[u8]| {
            (bytes != b"nothing").then(|| bytes.repeat(2))
        })
        .function("alone", |(), bytes: &[u8]| {
            Some(format!("{} bytes", bytes.len()).into_bytes())
        })
}

fn handler() -> &'static Handler<()> {
    static HANDLER: OnceLock<Handler<()>> = OnceLock::new();
    HANDLER.get_or_init(|| echoing().load(handlers()).unwrap())
}

fn new() -> Instance<()> {
    handler().instance().unwrap()
}

fn answer(
    instance: &mut Instance<()>,
    export: &str,
    argument: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, CallError> {
    instance
        .call(export, (), argument)
        .map(|answer| answer.bytes)
}

#[test]
fn every_kind_of_result_arrives() {
    let mut instance = new();
    let mut answer = |export, argument| answer(&mut instance, export, argument).unwrap();
    let bytes = |bytes: &[u8]| Some(bytes.to_vec());
    for argument in [None, Some(&b""[..]), Some(b"a"), Some(&[7; 100_000])] {
        assert_eq!(answer("echo", argument).as_deref(), argument);
    }
    assert_eq!(answer("fill", Some(b"0")), bytes(b""));
    assert_eq!(answer("fill", Some(b"70000")), bytes(&[b'x'; 70_000]));
    assert_eq!(answer("nothing", Some(b"a")), None);
    assert_eq!(answer("no_error", None), None);
    assert_eq!(answer("count", None), bytes(&1_u64.to_le_bytes()));
    assert_eq!(answer("count", None), bytes(&2_u64.to_le_bytes()));
    assert_eq!(answer("see", None), bytes(b"Ok(None) Ok(None)"));
    assert_eq!(answer("see", Some(b"")), bytes(b"Ok(Some(0)) Ok(Some(0))"));
    assert_eq!(
        answer("see", Some(b"ab\xff")),
        bytes(b"Ok(Some(3)) Err(NotUtf8 { valid_up_to: 2 })")
    );
}

#[test]
fn every_host_reply_arrives() {
    let mut instance = new();
    let mut answer = |export, argument| answer(&mut instance, export, argument).unwrap();
    let bytes = |bytes: &[u8]| Some(bytes.to_vec());
    assert_eq!(answer("ask", Some(b"nothing")), None);
    assert_eq!(answer("ask", Some(b"")), bytes(b""));
    assert_eq!(answer("ask", Some(b"ab")), bytes(b"abab"));
    assert_eq!(answer("ask_alone", None), bytes(b"0 bytes"));
    assert_eq!(answer("ask_text", Some(b"nothing")), bytes(b"Ok(None)"));
    assert_eq!(answer("ask_text", Some(b"")), bytes(b"Ok(Some(\"\"))"));
    assert_eq!(
        answer("ask_text", Some(b"ab")),
        bytes(b"Ok(Some(\"abab\"))")
    );
    assert_eq!(answer("ask_twice", Some(b"ab")), bytes(b"ababababababab"));
    let long = vec![b'z'; 70_000];
    assert_eq!(answer("ask_twice", Some(&long)), bytes(&long.repeat(7)));
}

#[test]
fn failed_handler_reports_why_and_stays_dead() {
    for (export, argument, message) in [
        ("give_up", &b"this"[..], "given up on Ok(Some(\"this\"))"),
        ("error", b"", "rejected by the handler"),
        ("fill", b"many", "invalid digit found in string"),
    ] {
        let mut instance = new();
        let error = answer(&mut instance, export, Some(argument)).unwrap_err();
        let CallError::Failed(Failure::Panicked {
            message: found,
            location: Some(location),
        }) = error
        else {
            panic!("{error}")
        };
        assert_eq!(found.as_deref(), Some(message));
        // An error has the line of the macro that exports the handler.
        let file = &location.file;
        assert!(file.ends_with("handlers/src/lib.rs"), "{file}");
        for export in ["count", "alloc", "no such export"] {
            let error = answer(&mut instance, export, None).unwrap_err();
            assert_eq!(error, CallError::Dead);
        }
    }
}

#[test]
fn full_heap_is_out_of_memory() {
    let error = answer(&mut new(), "fill", Some(b"80000000")).unwrap_err();
    assert!(
        matches!(
            error,
            CallError::Failed(Failure::OutOfMemory {
                size: 80_000_000,
                ..
            })
        ),
        "{error:?}"
    );
}

#[test]
fn result_without_memory_keeps_the_instance() {
    let host = echoing().limits(Limits::default().heap(3 * 65_536));
    let mut instance = host.load(handlers()).unwrap().instance().unwrap();
    // The heap takes two pages, so one page is left for the copy.
    let error = answer(&mut instance, "fill", Some(b"100000")).unwrap_err();
    assert_eq!(error, CallError::NoRoomForAnswer);
    let filled = answer(&mut instance, "fill", Some(b"60000")).unwrap();
    assert_eq!(filled, Some(vec![b'x'; 60_000]));
    let asked = answer(&mut instance, "ask", Some(&[b'y'; 60_000])).unwrap();
    assert_eq!(asked, Some(b"NoRoom".to_vec()));
}

#[test]
fn each_call_has_its_own_logs() {
    let mut instance = new();
    for line in ["first", "second"] {
        let answer = instance.call("say", (), Some(line.as_bytes())).unwrap();
        assert_eq!(answer.logs, [line]);
    }
    assert!(instance.call("nothing", (), None).unwrap().logs.is_empty());
}

#[test]
fn export_of_another_type_is_named() {
    let mut instance = new();
    for export in ["alloc", "memory", "entrypoint", "", "handle"] {
        let error = answer(&mut instance, export, None).unwrap_err();
        let expected = format!(
            "the handler does not export `{export}` as a function of the type (i64) -> (i64)"
        );
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(answer(&mut instance, "nothing", None), Ok(None));
}

#[test]
fn one_module_can_be_program_and_handler() {
    // The engine for programs does not offer an embedder's functions.
    let program = Loader::new(Engine::Wasm).unwrap().load(handlers());
    let refused = program.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("`question`") || refused.contains("`alone`"));
    let blob = testing::build(guest("handlers"));
    let program = Loader::new(Engine::Interpreter)
        .unwrap()
        .load(&blob)
        .unwrap();
    let outcome = program.invoke(&call(probe::Command::Panic, &[])).unwrap();
    assert_eq!(outcome.logs, ["1 bytes"]);
}

/// A request whose path and headers have lengths that depend on this one.
fn request(length: usize) -> (Request, String) {
    let request = Request::default()
        .header("user-agent", "u".repeat(length))
        .header("accept-language", "l".repeat(length / 2));
    (request, "p".repeat(length / 3))
}

fn serve(instance: &mut Instance<Request>, length: usize) {
    let (request, path) = request(length);
    let answer = instance
        .call("handle", request, Some(path.as_bytes()))
        .unwrap_or_else(|error| panic!("{length}: {error}"));
    let answer = answer.bytes.expect("a response");
    assert!(answer.len() > path.len() + length, "{length}");
}

#[test]
fn memory_is_constant_over_100_000_calls() {
    const LENGTHS: [usize; 10] = [40, 0, 1, 130, 500, 8_000, 100_000, 64_000, 300_000, 200];
    let mut instance = instance(&host().gas(u64::MAX));
    for length in LENGTHS {
        serve(&mut instance, length);
    }
    let memory = instance.memory_length();
    for number in 0..100_000_usize {
        // The order has a long period. Long requests are rare, so that the test is quick.
        let index = number * number / 7;
        let length = match number % 1_000 {
            0 => LENGTHS[index % 10],
            _ => LENGTHS[index % 5],
        };
        serve(&mut instance, length);
        assert_eq!(instance.memory_length(), memory, "call {number}");
    }
    // The module itself takes some three pages; then scratch memory for requests and responses, and
    // the longest response on the heap.
    assert!(memory <= 64 * 65_536, "{} pages", memory / 65_536);
}

/// A handler named as a function of the C library was called in its place, or not exported, without
/// a word from the linker.
#[test]
fn handler_may_have_any_name() {
    let module = handlers();
    let host = Host::<()>::new()
        .function("question", |(), _: &[u8]| None::<Vec<u8>>)
        .function("alone", |(), _: &[u8]| None::<Vec<u8>>);
    let mut instance = host.load(module).unwrap().instance().unwrap();
    for name in [
        "log", "exp", "pow", "sqrt", "floor", "round", "sin", "cos", "fmod", "memcmp", "type",
        "größe",
    ] {
        let answer = instance.call(name, (), Some(b"7.5")).unwrap();
        let said = name.replace("type", "r#type");
        assert_eq!(text(&answer), format!("{said} 0.5 true"));
    }
    let is_left = |word: &[u8]| module.windows(word.len()).any(|window| window == word);
    assert!(
        !is_left(b"entrypoint_exports"),
        "the declarations stay in the module"
    );
}

/// Blocks that are longer than the small size classes, in both orders. In one page of heap, a block
/// that was lost with each call would end this soon.
#[test]
fn local_variables_of_a_million_calls_take_no_more_memory() {
    let host = Host::<()>::new()
        .limits(Limits::default().heap(1 << 20))
        .gas(1_000_000)
        .function("question", |(), _: &[u8]| None::<Vec<u8>>)
        .function("alone", |(), _: &[u8]| None::<Vec<u8>>);
    let mut instance = host.load(handlers()).unwrap().instance().unwrap();
    let [reversed, ordered] = [b"x".repeat(410), b">".repeat(410)];
    let mut memory = 0;
    for number in 0..500_000 {
        for argument in [&reversed, &ordered] {
            let answer = instance.call("locals", (), Some(argument));
            assert_eq!(answer.unwrap().bytes, None, "call {number}");
        }
        if number == 0 {
            memory = instance.memory_length();
        }
    }
    assert_eq!(instance.memory_length(), memory);
}

#[test]
fn memory_is_bounded_by_the_longest_request() {
    let mut instance = instance(&host().gas(u64::MAX));
    for number in 0..50_000_usize {
        let maximum = if number % 250 == 0 { 100_000 } else { 400 };
        serve(&mut instance, number * 7_919 % (maximum + 1));
        // Scratch memory takes at most four times its content: a path, two headers and the
        // response, 317 kB. The response on the heap doubles as it grows, and moves when scratch
        // memory has taken the next pages.
        let pages = instance.memory_length() / 65_536;
        assert!(pages <= 40, "{pages} pages in call {number}");
    }
}

#[test]
fn repeated_call_costs_what_the_first_cost() {
    let mut instance = instance(&host());
    let request = Request::default().header("user-agent", "Mosaic/0.9");
    let mut first = None;
    for number in 0..20_000 {
        let answer = instance.call("handle", request.clone(), Some(b"/Ada"));
        let answer = (answer.unwrap().bytes, instance.memory_length());
        assert_eq!(*first.get_or_insert(answer.clone()), answer, "{number}");
    }
}

#[derive(Clone, Debug)]
struct Step(&'static str, Option<Vec<u8>>);

fn step() -> impl Strategy<Value = Step> {
    let exports = prop::sample::select(vec!["echo", "ask", "ask_twice", "see"]);
    let bytes = prop::option::of(prop::collection::vec(any::<u8>(), 0..300));
    (exports, bytes).prop_map(|(export, bytes)| Step(export, bytes))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn the_order_of_calls_does_not_matter(steps in prop::collection::vec(step(), 1..20)) {
        let mut instance = new();
        for Step(export, argument) in steps {
            let argument = argument.as_deref();
            let fresh = answer(&mut new(), export, argument);
            prop_assert_eq!(answer(&mut instance, export, argument), fresh.clone());
            if export == "echo" {
                let echoed = fresh.unwrap();
                prop_assert_eq!(echoed.as_deref(), argument);
            }
        }
    }
}
