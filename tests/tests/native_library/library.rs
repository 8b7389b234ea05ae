//! Native libraries of programs: they export what the host calls, and import only memory functions
//! of the C library.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use std::collections::BTreeSet;

use object::{File, Object, ObjectSymbol};
use tests::{EXAMPLES, example, guest};

/// The names that a library exports, and the names that it imports.
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

/// The functions of the C library that compiled code may call.
const NEEDED: [&str; 6] = ["abort", "bcmp", "memcmp", "memcpy", "memmove", "memset"];

/// The exports of every library: the entry, and names that the compiler's own libraries need.
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
    assert_eq!(unknown, None, "{name} imports a name that is not allowed");
}

#[test]
fn libraries_export_the_contract() {
    for name in EXAMPLES {
        let library = tests::native::build(&example(name));
        check(name, &library, name != "custom_heap");
    }
    // This guest panics, and uses more of `alloc` than any other.
    check("probe", &tests::native::build(&guest("probe")), true);
}
