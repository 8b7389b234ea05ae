//! A build for a debugger: the blob, an ELF file with all debug information, and what connects the
//! two.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, SectionKind};

use super::addresses::{self, Addresses};
use super::{DebugInfo, Target, locked, riscv64};
use crate::files;
use crate::package::ProgramPackage;
use crate::records;

/// The address at which the ELF file for the debugger begins. Addresses of a running program are
/// below it, so that the two cannot be mixed up.
pub const IMAGE_BASE: u64 = 1 << 32;

/// How much the compiler optimizes a build for a debugger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptLevel {
    /// As the program is deployed: the same code, and the same gas.
    #[default]
    AsDeployed,
    /// Little: more variables have values, and lines run in order. Gas and code are others.
    Little,
}

/// A program that was built for a debugger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugBuild {
    /// The blob, with the names of the functions.
    pub blob: Vec<u8>,
    /// The ELF file with all debug information. Its addresses start at [`IMAGE_BASE`].
    pub elf: PathBuf,
    /// The addresses of the blob's instructions in that ELF file, less [`IMAGE_BASE`].
    pub addresses: Addresses,
}

/// Builds a program for a debugger. `core` and `alloc` are compiled for it once, with their debug
/// information.
///
/// ```no_run
/// use program_build::guest::{OptLevel, build_for_debugger};
/// use program_build::package::ProgramPackage;
///
/// let package = ProgramPackage::in_folder("examples/counter".as_ref())?;
/// let build = build_for_debugger(&package, OptLevel::AsDeployed)?;
/// assert!(build.addresses.get(0).is_some());
/// println!("gdb-multiarch {}", build.elf.display());
/// # anyhow::Ok(())
/// ```
///
/// # Errors
///
/// As for [`build`](super::build).
pub fn build_for_debugger(package: &ProgramPackage, opt_level: OptLevel) -> Result<DebugBuild> {
    locked(package, &Target::Riscv64.to_string(), &[], |compilation| {
        let profile: &[&str] = match opt_level {
            OptLevel::AsDeployed => &["debug=\"full\""],
            OptLevel::Little => &["debug=\"full\"", "opt-level=1"],
        };
        let library = riscv64::compile(compilation, profile, &UNWINDING)?;
        let folder = package.guest_folder();
        let path = |extension| folder.join(format!("{}.{extension}", package.name));
        let (plain, linked) = (path("debug-plain.elf"), path("debug-linked.elf"));
        let elf = path("debug.elf");
        let linker = &compilation.toolchain.linker;
        riscv64::link(linker, &library, &plain, &[])?;
        let base = format!("--image-base={IMAGE_BASE:#x}");
        let script = path("debug.ld");
        fs::write(&script, merged_debug_sections())
            .with_context(|| format!("cannot write {}", script.display()))?;
        let merged = format!("--script={}", script.display());
        riscv64::link(linker, &library, &linked, &[&base, &merged])?;
        let read = |path: &PathBuf| {
            fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let (bytes, mut based) = (read(&plain)?, read(&linked)?);
        check_same_code(&bytes, &based)?;
        // PolkaVM's linker cannot read all of it. The names of the symbols are left.
        let without = addresses::without_debug_info(&bytes)?;
        let blob = riscv64::blob_of_elf(&without, package.stack, DebugInfo::Keep)?;
        let addresses = Addresses::of(&bytes, package.stack, &blob)?;
        let entry = addresses.entry_of(&blob)?;
        set_producer(&mut based);
        set_header(&mut based, entry.map_or(0, |entry| entry + IMAGE_BASE))?;
        // A debugger may be reading the last one.
        files::write_whole(&elf, &based)?;
        // Of no use to a debugger, which could only take them for that one.
        for file in [plain, linked] {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        let blob = records::attach(blob, &read(&library)?, DebugInfo::Keep)?;
        Ok(DebugBuild {
            blob,
            elf,
            addresses,
        })
    })
}

/// The compiler's flag with which functions that never return, as those of a panic, save where they
/// were called. Without it a debugger finds no caller of them.
const UNWINDING: [&str; 1] = ["-Cforce-unwind-tables=yes"];

/// The start of the compiler's name in the debug information, and what gdb gets to read instead.
///
/// For the code of other compilers than GNU's, gdb guesses from the order of source lines where a
/// function has saved its registers. In optimized code it can guess another function. For GNU's it
/// stops where the function starts.
const PRODUCER: [&[u8; 17]; 2] = [b"clang LLVM (rustc", b"GNU R 5.0  (rustc"];

/// Names another compiler in the debug information.
fn set_producer(elf: &mut [u8]) {
    let [written, replaced] = PRODUCER;
    let length = written.len();
    let mut start = 0;
    while let Some(found) = elf[start..]
        .windows(length)
        .position(|bytes| bytes == written)
    {
        elf[start + found..start + found + length].copy_from_slice(replaced);
        start += found + length;
    }
}

/// Where the header of an ELF file has the entry and the flags.
const ENTRY: usize = 0x18;
const FLAGS: usize = 0x30;

/// Sets what gdb reads in the header: the entry, at which it ends a stack, and not the flag for 16
/// registers, because gdb takes a file with it for one of 32 bits.
fn set_header(elf: &mut [u8], entry: u64) -> Result<()> {
    let header = elf
        .get_mut(..FLAGS + 1)
        .context("the ELF file ends early")?;
    header[ENTRY..ENTRY + 8].copy_from_slice(&entry.to_le_bytes());
    header[FLAGS] &= !(object::elf::EF_RISCV_RVE as u8);
    Ok(())
}

/// A script for the linker that makes one section of all debug sections of a name: gdb reads one.
/// PolkaVM's linker wants a section for each function, and so each input has its own by default.
fn merged_debug_sections() -> String {
    let sections = DEBUG_SECTIONS.map(|name| format!("  .debug_{name} 0 : {{ *(.debug_{name}) }}"));
    format!(
        "SECTIONS {{\n  /DISCARD/ : {{ *(.debug_names) }}\n{}\n}} INSERT AFTER .comment;\n",
        sections.join("\n")
    )
}

/// The sections of debug information in DWARF 5, after `.debug_`. The index of all names is left
/// out: gdb makes its own, and does not read several that are joined.
const DEBUG_SECTIONS: [&str; 11] = [
    "abbrev",
    "info",
    "addr",
    "line",
    "line_str",
    "loclists",
    "rnglists",
    "str",
    "str_offsets",
    "aranges",
    "frame",
];

/// Checks that the second file has the code of the first one, higher by the base.
fn check_same_code(plain: &[u8], based: &[u8]) -> Result<()> {
    let sections = |elf| -> Result<Vec<(u64, u64)>> {
        let file = object::File::parse(elf).context("not an ELF file")?;
        let text = file
            .sections()
            .filter(|section| section.kind() == SectionKind::Text);
        Ok(text
            .map(|section| (section.address(), section.size()))
            .collect())
    };
    let mut plain = sections(plain)?;
    for (address, _) in &mut plain {
        *address += IMAGE_BASE;
    }
    ensure!(
        plain == sections(based)?,
        "the linker laid the same code out differently, so a debugger cannot know where an \
         instruction comes from"
    );
    Ok(())
}
