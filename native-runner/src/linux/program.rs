//! The library.

use std::error::Error;
use std::mem;
use std::path::Path;

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
        // A name without a folder would be looked for where the system's libraries are.
        let path = path
            .canonicalize()
            .map_err(|error| End::no_program(format!("cannot open {}: {error}", path.display())))?;
        // SAFETY: its constructors run. What they do, the program does in a process of its own, which is there for that.
        let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|error| {
            // The error itself says no more than which call has failed.
            let reason = error.source().unwrap_or(&error);
            End::no_program(format!("cannot open {}: {reason}", path.display()))
        })?;
        // SAFETY: the contract says of what type this export is.
        let entry = unsafe { library.get::<Entry>(ENTRYPOINT_EXPORT.as_bytes()) };
        // SAFETY: as above.
        let take_host = unsafe { library.get::<TakeHost>(NATIVE_HOST_EXPORT.as_bytes()) };
        // SAFETY: it exists for its name, and nobody calls it.
        let marker = unsafe { library.get::<extern "C" fn()>(BUMP_HEAP_EXPORT.as_bytes()) };
        let program = Self {
            entry: *entry.map_err(|_| lacks(&path, ENTRYPOINT_EXPORT))?,
            take_host: *take_host.map_err(|_| lacks(&path, NATIVE_HOST_EXPORT))?,
            keeps_header: marker.is_ok(),
        };
        mem::forget(library);
        Ok(program)
    }

    /// Whether it says that its heap keeps the header of [`abi::heap`].
    #[must_use]
    pub fn keeps_header(&self) -> bool {
        self.keeps_header
    }

    /// Tells the program where everything is, and calls it. Returns the status.
    ///
    /// # Safety
    ///
    /// The host says what is so: its heap and the input can be read and written by the program alone, and its `call` may be called by
    /// the program.
    #[must_use]
    pub unsafe fn enter(&self, host: &NativeHost, input: *mut u8) -> u64 {
        // SAFETY: the host stays where it is until the entry has returned, and says what is so, as the caller does.
        unsafe { (self.take_host)(host) };
        // SAFETY: the input can be read and written, as the caller says, and the program was told how long it is.
        unsafe { (self.entry)(input) }
    }
}

fn lacks(path: &Path, export: &str) -> End {
    End::no_program(format!(
        "{} is not a native program: it does not export `{export}`; build it with `cargo entrypoint build --target native`",
        path.display()
    ))
}
