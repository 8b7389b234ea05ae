//! The syscalls: functions of the loader that a program calls.
//!
//! The names and signatures are those of the Rialo runtime (crate `rialo-s-define-syscall` 0.12,
//! `risc_v.rs`), as far as it has the syscall. Both sides expand one table,
//! [`for_each_import!`](crate::for_each_import): this crate into [`Import`], and the guest runtime
//! into the declarations that the program links.
//!
//! # Price
//!
//! A syscall costs the one unit of its instruction. The host's work on guest memory costs one more
//! unit for every 8 bytes or part of them ([`gas_for_bytes`]). Without that price, a single
//! instruction could make the host move gigabytes.

/// Calls `$callback! { … }` with the table of syscalls.
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
            /// Returns the remaining gas, after the price of this syscall.
            RemainingComputeUnits = rlo_remaining_compute_units() -> u64;
            /// Replaces the return data.
            SetReturnData = rlo_set_return_data(data: *const u8, length: u64) -> ();
            /// Copies up to `length` bytes of the return data, and the id of the program that set
            /// it.
            ///
            /// Returns the length of all return data. If it copies no bytes, it does not write the
            /// id either.
            GetReturnData =
                rlo_get_return_data(data: *mut u8, length: u64, program_id: *mut u8) -> u64;
            /// Ends the program without a status. [`crate::report`] describes the arguments.
            Abort = rlo_abort(report: *const u8, magic: u64) -> ();
            /// Copies `length` bytes between ranges that do not overlap.
            Memcpy = rlo_memcpy_(destination: *mut u8, source: *const u8, length: u64) -> ();
            /// Copies `length` bytes between ranges that may overlap.
            Memmove = rlo_memmove_(destination: *mut u8, source: *const u8, length: u64) -> ();
            /// Sets `length` bytes to the low byte of `value`.
            Memset = rlo_memset_(destination: *mut u8, value: u32, length: u64) -> ();
            /// Compares `length` bytes, and writes the difference of the first unequal pair, or 0,
            /// to `result`.
            Memcmp =
                rlo_memcmp_(left: *const u8, right: *const u8, length: u64, result: *mut i32) -> ();
            /// Runs another program, with the accounts as they are now: [`crate::call`] has the
            /// structures. Returns 0, or the status of the error.
            InvokeSigned = rlo_invoke_signed_rust(
                instruction: *const u8,
                accounts: *const u8,
                accounts_length: u64,
                signers: *const u8,
                signers_length: u64
            ) -> u64;
            /// Does what [`InvokeSigned`](Self::InvokeSigned) does, with structures that have the
            /// addresses of keys instead of keys.
            InvokeSignedC = rlo_invoke_signed_c(
                instruction: *const u8,
                accounts: *const u8,
                accounts_length: u64,
                signers: *const u8,
                signers_length: u64
            ) -> u64;
            /// Returns the depth of the call: 1 for a program that the host called.
            GetStackHeight = rlo_get_stack_height() -> u64;
            /// Derives an address from seeds and a program's id. Returns 0, or 1 if the seeds give
            /// no valid address.
            CreateProgramAddress = rlo_create_program_address(
                seeds: *const u8,
                seeds_length: u64,
                program_id: *const u8,
                address: *mut u8
            ) -> u64;
            /// Finds the largest bump seed with which the seeds give a valid address. Returns 0, or
            /// 1 if there is none.
            TryFindProgramAddress = rlo_try_find_program_address(
                seeds: *const u8,
                seeds_length: u64,
                program_id: *const u8,
                address: *mut u8,
                bump: *mut u8
            ) -> u64;
            /// Writes the clock. Returns 0.
            GetClockSysvar = rlo_get_clock_sysvar(clock: *mut u8) -> u64;
            /// Writes the rent. Returns 0.
            GetRentSysvar = rlo_get_rent_sysvar(rent: *mut u8) -> u64;
            /// Writes the epoch schedule. Returns 0.
            GetEpochScheduleSysvar = rlo_get_epoch_schedule_sysvar(schedule: *mut u8) -> u64;
            /// Writes the fees. Returns 0.
            GetFeesSysvar = rlo_get_fees_sysvar(fees: *mut u8) -> u64;
            /// Writes the epoch rewards. Returns 0.
            GetEpochRewardsSysvar = rlo_get_epoch_rewards_sysvar(rewards: *mut u8) -> u64;
            /// Writes the last restart slot. Returns 0.
            GetLastRestartSlot = rlo_get_last_restart_slot(slot: *mut u8) -> u64;
            /// Copies `length` bytes of a sysvar from `offset` on. Returns 0, 1 if the sysvar is
            /// shorter, or 2 if there is no such sysvar.
            GetSysvar =
                rlo_get_sysvar(id: *const u8, result: *mut u8, offset: u64, length: u64) -> u64;
            /// Writes the random seed, a u64. Returns 0.
            GetRandomSeed = rlo_get_random_seed(seed: *mut u8) -> u64;
            /// Writes header and data of an account that the instruction does not list, as in an
            /// entry of the input. `entry` is the address of a [`crate::call::LoadedEntry`].
            /// Returns 0, or the status of the error.
            LoadAccount = rlo_load_account(key: *const u8, entry: *mut u8) -> u64;
            /// Logs slices of bytes as one event.
            LogData = rlo_log_data(slices: *const u8, slices_length: u64) -> ();
            /// Hashes slices of bytes with SHA-256. Returns 0.
            Sha256 = rlo_sha256(slices: *const u8, slices_length: u64, hash: *mut u8) -> u64;
            /// Hashes slices of bytes with Keccak-256. Returns 0.
            Keccak256 = rlo_keccak256(slices: *const u8, slices_length: u64, hash: *mut u8) -> u64;
            /// Hashes slices of bytes with BLAKE3. Returns 0.
            Blake3 = rlo_blake3(slices: *const u8, slices_length: u64, hash: *mut u8) -> u64;
            /// Writes the 64 bytes of the public key that signed a hash. Returns 0, 2 if the
            /// recovery id is invalid, or 3 if the signature is.
            Secp256k1Recover = rlo_secp256k1_recover(
                hash: *const u8,
                recovery_id: u64,
                signature: *const u8,
                public_key: *mut u8
            ) -> u64;
            /// Returns 0 if 32 bytes are a point of curve25519: in Edwards form if the curve is 0,
            /// as Ristretto if it is 1. Otherwise returns 1.
            CurveValidatePoint =
                rlo_curve_validate_point(curve: u64, point: *const u8, result: *mut u8) -> u64;
            /// Adds (0) or subtracts (1) two points of curve25519, or multiplies (2) the scalar on
            /// the left with the point on the right. Returns 0, or 1 if an input is invalid.
            CurveGroupOp = rlo_curve_group_op(
                curve: u64,
                operation: u64,
                left: *const u8,
                right: *const u8,
                result: *mut u8
            ) -> u64;
            /// Multiplies scalars with points of curve25519, and adds the products. Returns 0, or 1
            /// if an input is invalid.
            CurveMultiscalarMul = rlo_curve_multiscalar_mul(
                curve: u64,
                scalars: *const u8,
                points: *const u8,
                count: u64,
                result: *mut u8
            ) -> u64;
            /// Adds (0) points of alt_bn128, multiplies (2) one, or checks (3) a product of
            /// pairings. Returns 0, or 1 if the input is invalid.
            AltBn128GroupOp = rlo_alt_bn128_group_op(
                operation: u64,
                input: *const u8,
                input_length: u64,
                result: *mut u8
            ) -> u64;
            /// Compresses (0) or decompresses (1) a point of G1 of alt_bn128, or compresses (2) or
            /// decompresses (3) one of G2. Returns 0, or 1 if the input is invalid.
            AltBn128Compression = rlo_alt_bn128_compression(
                operation: u64,
                input: *const u8,
                input_length: u64,
                result: *mut u8
            ) -> u64;
            /// Hashes numbers of the field of alt_bn128 with Poseidon: parameters 0, byte order 0
            /// for big endian or 1 for little endian. Returns 0, or 1 if an input is invalid.
            Poseidon = rlo_poseidon(
                parameters: u64,
                byte_order: u64,
                slices: *const u8,
                slices_length: u64,
                hash: *mut u8
            ) -> u64;
            /// Writes a power of a large number modulo another. `numbers` has the addresses and
            /// the lengths of base, exponent and modulus. Returns 0.
            BigModExp = rlo_big_mod_exp(numbers: *const u8, result: *mut u8) -> u64;
            /// Writes an instruction that was processed before at the same depth, or its lengths if
            /// `lengths` has others: [`crate::instructions`] has the structures. Returns 1, or 0 if
            /// the instruction does not exist.
            GetProcessedSiblingInstruction = rlo_get_processed_sibling_instruction(
                index: u64,
                lengths: *mut u8,
                program_id: *mut u8,
                data: *mut u8,
                accounts: *mut u8
            ) -> u64;
        }
    };
}

macro_rules! import_enum {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
    )*) => {
        /// A syscall: a function of the loader that a program calls.
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
            /// Every syscall.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The symbol that a program links.
            #[must_use]
            pub const fn symbol(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($symbol),)*
                }
            }

            /// Names and types of the parameters.
            ///
            /// The compiler chooses the spaces inside a type.
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

            /// The return type.
            #[must_use]
            pub const fn return_type(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($return),)*
                }
            }
        }
    };
}

for_each_import!(import_enum);

/// The most arguments of a syscall.
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
    /// Returns the syscall with this symbol, if there is one.
    #[must_use]
    pub fn from_symbol(symbol: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|import| import.symbol().as_bytes() == symbol)
    }
}

/// Returns the gas of a syscall for reading or writing `length` bytes of guest memory.
///
/// It is one unit for every 8 bytes or part of them, over the unit of the instruction.
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
