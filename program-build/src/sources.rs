//! What the sources of a package say before it is built.

use std::fs;
use std::path::Path;

use crate::files;

/// The macros that make a crate a program, or a crate of handlers.
const MACROS: [&str; 5] = [
    "entrypoint",
    "entrypoint_no_alloc",
    "entrypoint_lazy",
    "handler",
    "export_handler",
];

/// Returns whether a source file in a folder, or below it, invokes a macro that makes a program or
/// a handler.
///
/// It reads text, so it does not see an invocation in the expansion of another macro.
pub fn invoke_entry_macro(folder: &Path) -> bool {
    let mut entries = files::list(folder).unwrap_or_default();
    // Files before folders: most programs have their entry in the first file.
    entries.sort_by_key(|path| path.is_dir());
    entries.iter().any(|path| {
        if path.is_dir() {
            // A link may lead back to a folder above.
            return !path.is_symlink() && invoke_entry_macro(path);
        }
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        is_source && fs::read_to_string(path).is_ok_and(|text| text.lines().any(is_invocation))
    })
}

/// Returns whether a crate has `no_std` in its root file. A guest has no `std`.
pub fn are_no_std(root: &Path) -> bool {
    fs::read_to_string(root).is_ok_and(|text| {
        let mut lines = text.lines().map(str::trim_start);
        lines.any(|line| line.starts_with("#![") && line.contains("no_std"))
    })
}

/// Returns whether a line begins with an invocation, such as `entrypoint::entrypoint!(`.
fn is_invocation(line: &str) -> bool {
    let line = line.trim_start();
    let Some((path, arguments)) = line.split_once('!') else {
        return false;
    };
    let is_path = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let name = path.rsplit("::").next().unwrap_or_default();
    path.chars().all(is_path)
        && MACROS.contains(&name)
        && arguments.trim_start().starts_with(['(', '{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_begin_a_line() {
        for line in [
            "entrypoint!(process_instruction);",
            "    ::entrypoint::entrypoint_lazy!(process, heap = custom);",
            "ep::entrypoint_no_alloc! {",
            "facade::program::handler!(serve);",
        ] {
            assert!(is_invocation(line), "{line}");
        }
        for line in [
            "//! entrypoint!(process_instruction);",
            "macro_rules! entrypoint {",
            "let text = \"entrypoint!(f)\";",
            "my_entrypoint!(f);",
            "entrypoint != (1)",
            "if !handler(1) {",
            "",
        ] {
            assert!(!is_invocation(line), "{line}");
        }
    }

    #[test]
    fn this_crate_is_not_a_program() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert!(!invoke_entry_macro(&source));
        assert!(!are_no_std(&source.join("lib.rs")));
    }
}
