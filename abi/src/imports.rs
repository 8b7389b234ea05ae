//! The calls that a program may make of its loader.
//!
//! The names and signatures are those of the Rialo runtime (crate `rialo-s-define-syscall` 0.12,
//! `risc_v.rs`) where it has the call. One table, [`for_each_import!`](crate::for_each_import), is
//! expanded on both sides: here into [`Import`], in the guest runtime into the declarations that
//! the program links.
//!
//! # Price
//!
//! A call costs the one unit of its instruction, like any other, and the host's work on guest
//! memory costs one unit more for every 8 bytes or part of them ([`gas_for_bytes`]). Without that,
//! a single instruction could make the host move gigabytes.

/// Calls `$callback! { … }` with the table of imports.
///
/// Each row reads `/// doc`, `Variant = symbol(parameter: type, …) -> type;`.
#[macro_export]
macro_rules! for_each_import {
    ($callback:ident) => {
        $callback! {
            /// Logs one line of UTF-8 text.
            Log = rlo_log_(message: *const u8, length: u64) -> ();
            /// Logs five numbers in hexadecimal on one line.
            Log64 = rlo_log_64_(a: u64, b: u64, c: u64, d: u64, e: u64) -> ();
            /// Logs the 32 bytes at the address in base58.
            LogPubkey = rlo_log_pubkey(key: *const u8) -> ();
            /// Logs how much gas remains.
            LogComputeUnits = rlo_log_compute_units_() -> ();
            /// The gas that remains, the price of this call already taken off.
            RemainingComputeUnits = rlo_remaining_compute_units() -> u64;
            /// Replaces the return data.
            SetReturnData = rlo_set_return_data(data: *const u8, length: u64) -> ();
            /// Copies up to `length` bytes of the return data and the id of the program that set it;
            /// answers the length of all of it. Writes nothing, not even the id, if it copies nothing.
            GetReturnData = rlo_get_return_data(data: *mut u8, length: u64, program_id: *mut u8) -> u64;
            /// Ends the program without a status. See [`crate::report`] for the arguments.
            Abort = rlo_abort(report: *const u8, magic: u64) -> ();
            /// Copies `length` bytes between places that do not overlap.
            Memcpy = rlo_memcpy_(destination: *mut u8, source: *const u8, length: u64) -> ();
            /// Copies `length` bytes between places that may overlap.
            Memmove = rlo_memmove_(destination: *mut u8, source: *const u8, length: u64) -> ();
            /// Sets `length` bytes to the low byte of `value`.
            Memset = rlo_memset_(destination: *mut u8, value: u32, length: u64) -> ();
            /// Compares `length` bytes and writes the difference of the first pair that differs, or
            /// 0, to `result`.
            Memcmp = rlo_memcmp_(left: *const u8, right: *const u8, length: u64, result: *mut i32) -> ();
        }
    };
}

macro_rules! import_enum {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
    )*) => {
        /// A call that a program may make.
        ///
        /// ```
        /// use abi::imports::Import;
        ///
        /// assert_eq!(Import::Log.symbol(), "rlo_log_");
        /// assert_eq!(Import::from_symbol(b"rlo_log_"), Some(Import::Log));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Import {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Import {
            /// Every import.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name under which a program links it.
            #[must_use]
            pub const fn symbol(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($symbol),)*
                }
            }

            /// Names and types of its parameters. Between the words of a type stands as much space as the compiler
            /// likes.
            ///
            /// ```
            /// use abi::imports::Import;
            ///
            /// assert_eq!(Import::Log.parameters()[1], ("length", "u64"));
            /// ```
            #[must_use]
            pub const fn parameters(self) -> &'static [(&'static str, &'static str)] {
                match self {
                    $(Self::$variant => &[$((stringify!($parameter), stringify!($type)),)*],)*
                }
            }

            /// The type of what it answers.
            #[must_use]
            pub const fn answer(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($return),)*
                }
            }
        }
    };
}

for_each_import!(import_enum);

/// How many arguments an import has at most.
pub const MAX_ARGUMENTS: usize = {
    let mut most = 0;
    let mut imports = Import::ALL;
    while let [import, rest @ ..] = imports {
        let count = import.parameters().len();
        if count > most {
            most = count;
        }
        imports = rest;
    }
    most
};

impl Import {
    /// The import with this name, if there is one.
    #[must_use]
    pub fn from_symbol(symbol: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|import| import.symbol().as_bytes() == symbol)
    }
}

/// The gas that an import costs, over its instruction, for reading or writing `length` bytes of
/// guest memory: one unit for every 8 bytes or part of them.
///
/// ```
/// use abi::imports::gas_for_bytes;
///
/// assert_eq!(gas_for_bytes(0), 0);
/// assert_eq!(gas_for_bytes(1), 1);
/// assert_eq!(gas_for_bytes(16), 2);
/// ```
#[must_use]
pub const fn gas_for_bytes(length: u64) -> u64 {
    length.div_ceil(8)
}
