//! Arguments and return values of syscalls as numbers, for the targets whose syscalls are functions
//! of Rust.

/// An argument of a syscall.
pub trait Argument {
    /// The number that the host gets.
    fn to_word(self) -> u64;
}

impl Argument for u64 {
    fn to_word(self) -> u64 {
        self
    }
}

impl Argument for u32 {
    fn to_word(self) -> u64 {
        self.into()
    }
}

// The host reads and writes through this number, so the provenance must be exposed.
impl<T> Argument for *const T {
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

impl<T> Argument for *mut T {
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// The return value of a syscall.
pub trait ReturnValue {
    /// The value that the host returned.
    fn from_word(word: u64) -> Self;
}

impl ReturnValue for u64 {
    fn from_word(word: u64) -> Self {
        word
    }
}

impl ReturnValue for () {
    fn from_word(_word: u64) {}
}

/// Makes a syscall of an embedder's, for [`declare_syscalls!`](crate::declare_syscalls!).
///
/// # Safety
///
/// The arguments fulfil the contract of the syscall with this name.
pub unsafe fn own_syscall<R: ReturnValue, const N: usize>(name: &str, given: [u64; N]) -> R {
    const {
        assert!(
            N <= abi::imports::MAX_ARGUMENTS,
            "EP0050: a syscall has at most five parameters: pass the address of a struct"
        );
    }
    let mut arguments = [0; abi::imports::MAX_ARGUMENTS];
    arguments[..N].copy_from_slice(&given);
    // SAFETY: by the contract, the arguments fulfil that of the syscall.
    R::from_word(unsafe { super::syscalls::own(name, &arguments) })
}
