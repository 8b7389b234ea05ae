//! An instance that has served an invocation serves the next one as a new instance does: memory,
//! globals, tables, segments, gas and the growth of the memory.

use loader::Limits;

use super::engine::{ALLOC, call, load, run};

/// What a program does before it returns: each leaves something for the next invocation.
const LEFT: [(&str, &str); 9] = [
    ("nothing", ""),
    ("secrets in all of the memory", "(call $fill)"),
    (
        "secrets in globals",
        "(global.set $i (i32.const 99)) (global.set $l (i64.const 98))
        (global.set $f (f64.const 97))",
    ),
    (
        "a global that the module exports",
        "(global.set $own (i32.const 96))",
    ),
    ("a longer memory", "(drop (memory.grow (i32.const 1)))"),
    (
        "secrets in a longer memory",
        "(drop (memory.grow (i32.const 1))) (call $fill)",
    ),
    ("another table", "(table.set (i32.const 0) (ref.null func))"),
    (
        "a longer table",
        "(drop (table.grow (ref.null func) (i32.const 3)))",
    ),
    ("no segment", "(data.drop $passive)"),
];

/// A program that returns what it finds, and then leaves something.
fn program(left: &str) -> String {
    format!(
        r#"(module
        (memory (export "memory") 2)
        (table $table 4 funcref)
        (elem (i32.const 0) $fill)
        (global $i (mut i32) (i32.const 1))
        (global $fixed i32 (i32.const 2))
        (global $l (mut i64) (i64.const 3))
        (global $f (mut f64) (f64.const 4))
        (global $own (export "own") (mut i32) (i32.const 5))
        (data (i32.const 65528) "some data across pages")
        (data $passive "passive")
        {ALLOC}
        (func $end (result i32) (i32.mul (memory.size) (i32.const 65536)))
        (func $fill (local $at i32)
            (loop $next
                (i64.store (local.get $at) (i64.const 0x7365637265747321))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $next (i32.lt_u (local.get $at) (call $end)))))
        (func $found (result i64) (local $at i32) (local $sum i64)
            (loop $next
                (local.set $sum (i64.add
                    (i64.mul (local.get $sum) (i64.const 31)) (i64.load (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $next (i32.lt_u (local.get $at) (call $end))))
            (local.get $sum))
        (func (export "entrypoint") (param i32 i32) (result i64) (local $found i64)
            (local.set $found (call $found))
            (local.set $found (i64.xor (local.get $found) (i64.extend_i32_u (global.get $i))))
            (local.set $found (i64.add (local.get $found) (global.get $l)))
            (local.set $found (i64.add (local.get $found)
                (i64.reinterpret_f64 (global.get $f))))
            (local.set $found (i64.add (local.get $found)
                (i64.extend_i32_u (global.get $own))))
            (local.set $found (i64.add (local.get $found)
                (i64.extend_i32_u (ref.is_null (table.get (i32.const 0))))))
            (local.set $found (i64.add (local.get $found)
                (i64.extend_i32_u (table.size $table))))
            (memory.init $passive (i32.const 512) (i32.const 0) (i32.const 0))
            {left}
            (local.get $found)))"#
    )
}

#[test]
fn program_finds_nothing_of_the_invocation_before() {
    let call = call().gas(1 << 40);
    for (what, left) in LEFT {
        let text = program(left);
        let fresh = run(&text, &call);
        assert!(fresh.status.is_some(), "{what}: {fresh:?}");
        let program = load(&text, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
        for number in 0..6 {
            let outcome = program
                .invoke(&call)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(outcome, fresh, "{what}: {number}");
        }
    }
}

#[test]
fn requests_of_different_lengths_have_instances_of_their_own() {
    let text = program("(call $fill)");
    let program = load(&text, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    for round in 0..4 {
        for length in [0, 8, 8, 3_000] {
            let call = call().gas(1 << 40).data(vec![7; length]);
            let outcome = program
                .invoke(&call)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(outcome, run(&text, &call), "{round}: {length}");
        }
    }
}

#[test]
fn a_program_that_fails_leaves_nothing() {
    // It fails in each second invocation: the first byte of the instruction data says so.
    let fail = "(if (i32.load8_u offset=8 (local.get 0)) (then (call $fill) unreachable))";
    let text = program(fail);
    let program = load(&text, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    for number in 0..8 {
        for data in [[0], [1]] {
            let call = call().gas(1 << 40).data(data);
            let outcome = program
                .invoke(&call)
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(outcome, run(&text, &call), "{number}: {data:?}");
        }
    }
}
