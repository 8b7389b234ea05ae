//! The syscalls, called with any arguments.

/// The number of a syscall of the embedder's: `own_sum(a: u64, b: u64) -> u64`.
pub const OWN_SUM: u64 = 1 << 32;

/// The number of a syscall of the embedder's: `own_fill(address: *mut u8, length: u64)`.
pub const OWN_FILL: u64 = OWN_SUM + 1;

/// The number of a syscall of the embedder's:
/// `own_mix(a: u32, b: *const u8, c: u64, d: u32, e: u64) -> u64`.
pub const OWN_MIX: u64 = OWN_FILL + 1;

#[cfg(any(
    all(target_arch = "riscv64", target_os = "none"),
    target_arch = "wasm32"
))]
mod guest {
    use abi::imports::{Import, MAX_ARGUMENTS};

    macro_rules! declare {
        ($(
            $(#[doc = $doc:literal])*
            $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
        )*) => {
            #[cfg_attr(target_arch = "riscv64", polkavm_derive::polkavm_import)]
            #[cfg_attr(target_arch = "wasm32", link(wasm_import_module = "env"))]
            unsafe extern "C" {
                $(fn $symbol($($parameter: $type),*) -> $return;)*
            }

            /// Makes the syscall with this number, if there is one.
            pub fn call(syscall: u64, arguments: [u64; MAX_ARGUMENTS]) -> u64 {
                $(if syscall == Import::$variant as u64 {
                    #[allow(unused_mut, unused_variables)]
                    let mut arguments = arguments.into_iter();
                    $(let $parameter = <$type>::from_word(arguments.next().unwrap_or(0));)*
                    // SAFETY: none is claimed; the test checks what the loader does.
                    let returned = unsafe { $symbol($($parameter),*) };
                    return returned.into_word();
                })*
                super::own(syscall, arguments)
            }
        };
    }

    abi::for_each_import!(declare);

    /// An argument of a syscall.
    trait FromWord {
        fn from_word(word: u64) -> Self;
    }

    impl FromWord for u64 {
        fn from_word(word: u64) -> Self {
            word
        }
    }

    impl FromWord for u32 {
        fn from_word(word: u64) -> Self {
            word as u32
        }
    }

    impl<T> FromWord for *const T {
        fn from_word(word: u64) -> Self {
            core::ptr::with_exposed_provenance(word as usize)
        }
    }

    impl<T> FromWord for *mut T {
        fn from_word(word: u64) -> Self {
            core::ptr::with_exposed_provenance_mut(word as usize)
        }
    }

    /// The return value of a syscall.
    trait IntoWord {
        fn into_word(self) -> u64;
    }

    impl IntoWord for u64 {
        fn into_word(self) -> u64 {
            self
        }
    }

    impl IntoWord for () {
        fn into_word(self) -> u64 {
            0
        }
    }
}

#[cfg(any(
    all(target_arch = "riscv64", target_os = "none"),
    target_arch = "wasm32"
))]
pub use guest::call;

/// On other targets, the syscalls of the embedder's alone.
#[cfg(not(any(
    all(target_arch = "riscv64", target_os = "none"),
    target_arch = "wasm32"
)))]
pub fn call(syscall: u64, arguments: [u64; abi::imports::MAX_ARGUMENTS]) -> u64 {
    own(syscall, arguments)
}

#[cfg(feature = "own")]
entrypoint::declare_syscalls! {
    fn own_sum(a: u64, b: u64) -> u64;
    fn own_fill(address: *mut u8, length: u64);
    fn own_mix(a: u32, b: *const u8, c: u64, d: u32, e: u64) -> u64;
}

#[cfg(feature = "own")]
fn own(syscall: u64, [a, b, c, d, e]: [u64; abi::imports::MAX_ARGUMENTS]) -> u64 {
    let pointer = core::ptr::with_exposed_provenance_mut::<u8>;
    match syscall {
        // SAFETY: the syscall accepts any numbers.
        OWN_SUM => unsafe { own_sum(a, b) },
        OWN_FILL => {
            // SAFETY: none is claimed; the test checks what the loader does.
            unsafe { own_fill(pointer(a as usize), b) };
            0
        }
        // SAFETY: none is claimed; the test checks what the loader does.
        OWN_MIX => unsafe { own_mix(a as u32, pointer(b as usize), c, d as u32, e) },
        _ => 0,
    }
}

#[cfg(not(feature = "own"))]
fn own(_: u64, _: [u64; abi::imports::MAX_ARGUMENTS]) -> u64 {
    0
}
