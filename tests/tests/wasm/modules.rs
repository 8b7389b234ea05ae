//! Modules that the loader rejects, and the limits of the others.

use loader::{Engine, Limits, LoadError, Loader};

use super::engine::{ALLOC, MEMORY, call, load, program, refusal, run};

#[test]
fn invalid_module_is_rejected_with_the_reason() {
    let entry = r#"(func (export "entrypoint") (param i32 i32) (result i64) i64.const 0)"#;
    let cases = [
        (
            format!("(module {MEMORY} {ALLOC})"),
            "the program does not export `entrypoint`; it exports `alloc`, `memory`",
        ),
        (
            format!("(module {MEMORY} {entry})"),
            "invalid WebAssembly module: no export `alloc`",
        ),
        (
            format!("(module (memory 1) {ALLOC} {entry})"),
            "invalid WebAssembly module: no export `memory` that is a 32-bit memory",
        ),
        (
            format!(
                r#"(module {MEMORY} {ALLOC} (func (export "entrypoint") (param i32) (result i64) i64.const 0))"#
            ),
            "invalid WebAssembly module: the export `entrypoint` is not a function of the type (i32, i32) -> (i64)",
        ),
        (
            format!(r#"(module {MEMORY} {entry} (global (export "alloc") i32 (i32.const 8)))"#),
            "invalid WebAssembly module: the export `alloc` is not a function of the type (i32) -> (i32)",
        ),
        (
            format!(
                r#"(module {MEMORY} {ALLOC} {entry} (func (export "entrypoint_heap") (param i64)))"#
            ),
            "invalid WebAssembly module: the export `entrypoint_heap` is not a function of the type (i32, i32) -> ()",
        ),
        (
            program(r#"(import "env" "file_open" (func))"#, "i64.const 0"),
            "the program imports `file_open`, which the loader does not offer",
        ),
        (
            program(
                r#"(import "wasi" "rlo_log_" (func (param i32 i64)))"#,
                "i64.const 0",
            ),
            "the program imports `rlo_log_`, which the loader does not offer",
        ),
        (
            program(
                r#"(import "env" "rlo_log_" (func (param i32 i32)))"#,
                "i64.const 0",
            ),
            "invalid WebAssembly module: the import `rlo_log_` is not a function of the type (i32, i64) -> ()",
        ),
        (
            program(r#"(import "env" "rlo_log_" (global i32))"#, "i64.const 0"),
            "invalid WebAssembly module: the import `rlo_log_` is not a function of the type (i32, i64) -> ()",
        ),
        (
            program("(import \"env\" \"\\1b[31m\" (func))", "i64.const 0"),
            "the program imports `\\u{1b}[31m`, which the loader does not offer",
        ),
        (
            format!(
                r#"(module {MEMORY} {ALLOC} {entry} (func (export "\1b[31m")) (func (export "\1b[31m")))"#
            ),
            "invalid WebAssembly module: duplicate export name `\\u{1b}[31m` already defined (at offset 0x4e)",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(&text).to_string(), expected, "{text}");
    }
}

#[test]
fn module_with_a_start_function_is_rejected() {
    let text = format!(
        r#"(module {MEMORY} {ALLOC} (func $start (loop br 0)) (start $start)
        (func (export "entrypoint") (param i32 i32) (result i64) i64.const 0))"#
    );
    assert_eq!(refusal(&text).kind(), "InvalidModule");
}

/// The size and the limit of the code, if that is why the module is rejected.
fn too_much_code(text: &str, limit: u32) -> Option<(u64, u32)> {
    match load(text, Limits::default().code(limit)) {
        Ok(_) => None,
        Err(LoadError::MemoryTooLarge {
            what: "code",
            size,
            limit,
        }) => Some((size, limit)),
        Err(error) => panic!("{error}"),
    }
}

/// Each of these takes a few bytes of a module for much of the loader's time, and counts as so much
/// code.
#[test]
fn costly_code_counts_as_much_code() {
    let smallest = program("", "i64.const 0");
    let (least, _) = too_much_code(&smallest, 0).expect("it has code");
    // Two functions, of four and five bytes, with two and three parameters and results.
    assert_eq!(least, 2 * 32 + 4 + 5 + 2 + 3);
    let more = |functions: &str, code: &str| {
        let text = program(functions, code);
        let (size, _) = too_much_code(&text, 0).expect("it has code");
        let exact = u32::try_from(size).unwrap();
        assert_eq!(too_much_code(&text, exact), None);
        assert_eq!(too_much_code(&text, exact - 1), Some((size, exact - 1)));
        size - least
    };
    // A body of one byte, one for the number of kinds of locals, three for the kind.
    let locals = format!("(func (local {}))", "i64 ".repeat(4_000));
    assert_eq!(more(&locals.repeat(2), "i64.const 0"), 2 * (32 + 5 + 4_000));
    let many = format!("(type $many (func (param {})))", "i64 ".repeat(900));
    let call = format!("{many} (func $all (type $many) unreachable)");
    let code = format!("{} call $all i64.const 0", "i64.const 0 ".repeat(900));
    // The function has these parameters, and the call passes them.
    assert_eq!(more(&call, &code) - 2 * 900, 32 + 3 + 2 + 2 * 900);
}

/// The engine compiles these in quadratic time, or with recursion that ended the process.
#[test]
fn costly_extensions_are_rejected() {
    let pair = program(
        "(func (result i64 i64) i64.const 0 i64.const 0)",
        "i64.const 0",
    );
    assert_eq!(refusal(&pair).kind(), "InvalidModule");
    let block = "(type $block (func (param i32) (result i32)))";
    let code = "i32.const 0 block (type $block) end drop i64.const 0";
    assert_eq!(refusal(&program(block, code)).kind(), "InvalidModule");
    let sum = format!("i32.const 0 {}", "i32.const 1 i32.add ".repeat(200_000));
    for item in [
        format!("(global i32 {sum})"),
        format!("(table 1 funcref) (elem (offset {sum}) func)"),
        format!(r#"(data (offset {sum}) "")"#),
    ] {
        assert_eq!(
            refusal(&program(&item, "i64.const 0")).kind(),
            "InvalidModule"
        );
    }
}

/// A section may claim any number of items, and a module may repeat it.
#[test]
fn repeated_sections_are_rejected() {
    for section in [4, 6, 9, 11] {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([section, 5, 0xff, 0xff, 0xff, 0xff, 0x0f, section, 1, 2]);
        let loader = Loader::new(Engine::Wasm).unwrap();
        let error = loader
            .load(&module)
            .expect_err("a module that repeats a section");
        assert_eq!(error.kind(), "InvalidModule");
    }
}

/// What each instance makes anew has fixed limits.
#[test]
fn globals_tables_and_segments_have_limits() {
    let repeated = |item: &'static str| move |count: usize| item.repeat(count);
    let items: [(usize, &dyn Fn(usize) -> String); 8] = [
        (1_000, &repeated("(global i32 (i32.const 0))")),
        (100, &repeated("(table 0 funcref)")),
        (1_000, &repeated("(elem funcref)")),
        (1_000, &repeated(r#"(data "")"#)),
        // Two more are the types of the entry and of `alloc`.
        (9_998, &repeated("(type (func))")),
        (65_536, &|count| {
            format!("(table 1 funcref) (table {} funcref)", count - 1)
        }),
        (65_536, &|count| {
            let items = "(ref.null func)".repeat(count - 1);
            format!("(elem funcref (ref.null func)) (elem funcref {items})")
        }),
        (4_000, &|count| {
            format!("(func (local {}))", "i64 ".repeat(count))
        }),
    ];
    for (limit, module) in items {
        let text = program(&module(limit), "i64.const 0");
        if let Err(error) = load(&text, Limits::default()) {
            panic!("{error}");
        }
        let error = refusal(&program(&module(limit + 1), "i64.const 0"));
        assert_eq!(error.kind(), "InvalidModule");
        assert!(error.to_string().contains("; the limit is "), "{error}");
    }
}

/// A program with a table of short functions, as a `match` or an array of function pointers
/// compiles to, and a function with more parameters than most.
#[test]
fn many_short_functions_and_many_parameters_are_fine() {
    let functions: String = (0..2_000)
        .map(|number| format!("(func $f{number} (result i64) i64.const {number})"))
        .collect();
    let names: String = (0..2_000).map(|number| format!("$f{number} ")).collect();
    let wide = format!(
        "(func $wide (param {}) (result i64) local.get 39)",
        "i64 ".repeat(40)
    );
    let table = format!("(type $short (func (result i64))) (table funcref (elem {names}))");
    let given: String = (0..40)
        .map(|number| format!("i64.const {number} "))
        .collect();
    let code = format!("i32.const 1234 call_indirect (type $short) {given} call $wide i64.add");
    let text = program(&format!("{table} {functions} {wide}"), &code);
    assert_eq!(run(&text, &call()).status, Some(1_234 + 39));
}

#[test]
fn declared_memory_is_limited() {
    let limits = Limits::default();
    let pages = (limits.program_data + limits.stack) / 65_536;
    let with = |pages: u32| {
        program("", "i64.const 0")
            .replace(MEMORY, &format!(r#"(memory (export "memory") {pages})"#))
    };
    assert!(load(&with(pages), limits).is_ok());
    let error = load(&with(pages + 1), limits).unwrap_err();
    assert_eq!(error.kind(), "MemoryTooLarge");
    assert_eq!(refusal(&with(65_536)).kind(), "MemoryTooLarge");
}

#[test]
fn table_size_is_bounded() {
    let text = program("(table 4000000000 funcref)", "i64.const 0");
    let error = load(&text, Limits::default()).map(|program| program.invoke(&call()));
    assert!(matches!(error, Err(_) | Ok(Err(_))), "{error:?}");
}
