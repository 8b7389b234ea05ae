//! The library.

use std::error::Error;
use std::mem;
use std::path::{Path, absolute};

use abi::entry::ENTRYPOINT_EXPORT;
use abi::heap::BUMP_HEAP_EXPORT;
use abi::native::{NATIVE_HOST_EXPORT, NativeHost};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::End;

type Entry = unsafe extern "C" fn(input: *mut u8) -> u64;
type TakeHost = unsafe extern "C" fn(host: *const NativeHost);

/// A program that is open. It is never closed: what it has left behind may point into it.
#[derive(Debug)]
pub struct Program {
    entry: Entry,
    take_host: TakeHost,
    keeps_header: bool,
}

impl Program {
    /// Opens a library.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or does not export what a program does.
    pub fn open(path: &Path) -> Result<Self, End> {
        // A name without a folder would be looked for where the system's libraries are. Links stay,
        // because a file without a name has one only at `/proc`.
        let path = absolute(path)
            .map_err(|error| End::no_program(format!("cannot open {}: {error}", path.display())))?;
        // SAFETY: `Library::open` requires that the library's constructors are sound to run. They
        // are the program's code, which is untrusted; this process exists to run it, and contains
        // nothing else.
        let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|error| {
            // The error itself names only the failed call.
            let reason = error.source().unwrap_or(&error);
            End::no_program(format!("cannot open {}: {reason}", path.display()))
        })?;
        // SAFETY: `get` requires that the symbol has the type `Entry`. The contract defines this
        // type for the export.
        let entry = unsafe { library.get::<Entry>(ENTRYPOINT_EXPORT.as_bytes()) };
        // SAFETY: `get` requires that the symbol has the type `TakeHost`, which the contract
        // defines.
        let take_host = unsafe { library.get::<TakeHost>(NATIVE_HOST_EXPORT.as_bytes()) };
        // SAFETY: `get` requires that the symbol has the given type. The export is a marker, and
        // this crate never calls it.
        let marker = unsafe { library.get::<extern "C" fn()>(BUMP_HEAP_EXPORT.as_bytes()) };
        let program = Self {
            entry: *entry.map_err(|_| lacks(&path, ENTRYPOINT_EXPORT))?,
            take_host: *take_host.map_err(|_| lacks(&path, NATIVE_HOST_EXPORT))?,
            keeps_header: marker.is_ok(),
        };
        mem::forget(library);
        Ok(program)
    }

    /// Whether the program declares that its heap has the header of [`abi::heap`].
    #[must_use]
    pub fn keeps_header(&self) -> bool {
        self.keeps_header
    }

    /// Passes the host to the program, and calls it. Returns the status.
    ///
    /// # Safety
    ///
    /// `host` and `input` must be valid: only the program accesses the heap and the input, both are
    /// mapped for reads and writes in their whole lengths, and the program may call `host.call`.
    #[must_use]
    pub unsafe fn enter(&self, host: &NativeHost, input: *mut u8) -> u64 {
        // SAFETY: `take_host` requires a host that stays valid until the entry returns. `host` is
        // borrowed until then, and the caller promises that its fields are valid.
        unsafe { (self.take_host)(host) };
        // SAFETY: `entry` requires an input that the program may read and write in its whole
        // length. The caller promises that, and `host.input_length` is the length.
        unsafe { (self.entry)(input) }
    }
}

fn lacks(path: &Path, export: &str) -> End {
    End::no_program(format!(
        "{} is not a native program: it does not export `{export}`; build it with `cargo entrypoint build --target native`",
        path.display()
    ))
}
