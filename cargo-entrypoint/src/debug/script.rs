//! The commands for gdb: symbols and sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use loader::display::function_name;
use object::{Object, ObjectSection};
use program_build::dependencies;
use program_build::files;
use program_build::package::ProgramPackage;
use program_build::toolchain;

/// Writes the commands with which gdb debugs a program: which file has the symbols, and where the
/// sources are.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write(path: &Path, elf: &Path, package: &ProgramPackage) -> Result<()> {
    // For Linux, which is the default, gdb would step with breakpoints of its own.
    let mut text = String::from(
        "# Written by `cargo entrypoint debug`.\nset confirm off\nset pagination off\n\
         set language rust\nset breakpoint pending off\nset osabi none\n",
    );
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    // The debug information has no paths of a computer: those of the program are relative to its
    // workspace, those of `core` to a commit of the compiler, and those of packages outside of the
    // workspace start with their names.
    if let Some(library) = toolchain::library_sources(&package.folder) {
        for prefix in library_prefixes(&bytes) {
            let library = library.display();
            writeln!(text, "set substitute-path {prefix}/library \"{library}\"")?;
        }
    }
    for (name, folder) in dependencies::foreign_folders(package) {
        writeln!(text, "set substitute-path {name} \"{}\"", folder.display())?;
    }
    let mut folders = vec![package.workspace_folder.clone()];
    folders.extend(toolchain::registry_sources());
    for folder in folders.iter().rev() {
        writeln!(text, "directory \"{}\"", folder.display())?;
    }
    writeln!(text, "file \"{}\"", elf.display())?;
    // At the end: a gdb without Python reads no further.
    writeln!(text, "python\nSHORT_NAMES = {{")?;
    for (symbol, name) in short_names(&bytes)? {
        writeln!(text, "    \"{symbol}\": {name:?},")?;
    }
    writeln!(text, "}}\n{}end", include_str!("names.py"))?;
    files::write_whole(path, text.into_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The names that the compiler gives to the folder of its own sources: `/rustc/` and a commit.
fn library_prefixes(elf: &[u8]) -> BTreeSet<String> {
    const START: &[u8] = b"/rustc/";
    const COMMIT: usize = 40;
    let length = START.len() + COMMIT;
    let found = elf.windows(length).filter(|bytes| {
        let commit = bytes.strip_prefix(START);
        commit.is_some_and(|commit| commit.iter().all(u8::is_ascii_hexdigit))
    });
    found
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect()
}

/// The names of the functions in the debug information, by their symbols.
fn short_names(elf: &[u8]) -> Result<BTreeMap<&str, String>> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let section = file.section_by_name(".debug_str");
    let texts = section.map_or(Ok(&[][..]), |section| section.data())?;
    let symbols = texts.split(|byte| *byte == 0).filter_map(|text| {
        let is_symbol = text.starts_with(b"_R")
            && text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        is_symbol.then(|| std::str::from_utf8(text).ok())?
    });
    Ok(symbols
        .map(|symbol| (symbol, function_name(symbol)))
        .collect())
}
