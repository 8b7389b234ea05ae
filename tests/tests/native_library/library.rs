//! Programs as libraries of this machine: they export what their host calls, and need nothing but
//! the C library's memory functions.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use std::collections::BTreeSet;

use object::{File, Object, ObjectSymbol};
use tests::{EXAMPLES, example, guest};

/// What a library exports, and what it needs.
fn symbols(library: &[u8]) -> [BTreeSet<String>; 2] {
    let file = File::parse(library).expect("a library");
    let named = |is_wanted: fn(&object::Symbol<'_, '_>) -> bool| {
        let symbols = file.dynamic_symbols().filter(is_wanted);
        let names = symbols.map(|symbol| symbol.name().expect("a name").to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    [
        named(|symbol| symbol.is_definition()),
        named(|symbol| symbol.is_undefined() && !symbol.is_weak()),
    ]
}

/// What the compiled code may call of the C library.
const NEEDED: [&str; 6] = ["abort", "bcmp", "memcmp", "memcpy", "memmove", "memset"];

/// What every library has: the entry, and names that the compiler's own libraries need.
const EXPORTED: [&str; 4] = [
    "_Unwind_Resume",
    "entrypoint",
    "entrypoint_native_host",
    "rust_eh_personality",
];

fn check(name: &str, library: &[u8], has_header: bool) {
    let [exported, needed] = symbols(library);
    let mut wanted: BTreeSet<String> = EXPORTED.map(str::to_owned).into();
    if has_header {
        wanted.insert("entrypoint_heap_bump".to_owned());
    }
    assert_eq!(exported, wanted, "{name}");
    let unknown = needed.iter().find(|need| !NEEDED.contains(&need.as_str()));
    assert_eq!(unknown, None, "{name} needs more than a C library has");
}

#[test]
fn libraries_export_the_contract() {
    for name in EXAMPLES {
        let library = tests::native::build(&example(name));
        check(name, &library, name != "custom_heap");
    }
    // It panics, and uses more of `alloc` than any other.
    check("probe", &tests::native::build(&guest("probe")), true);
}
