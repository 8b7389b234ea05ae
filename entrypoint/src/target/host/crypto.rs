//! Replacements of the syscalls of cryptography. A unit test has none of them: their results come
//! from crates that only a loader needs.

macro_rules! missing {
    ($($symbol:ident($($type:ty),*);)*) => {
        $(
            /// Panics.
            pub(crate) unsafe fn $symbol($(_: $type),*) -> u64 {
                panic!(
                    "a unit test does not have the syscall `{}`: test the program with a fixture, \
                     on a loader",
                    stringify!($symbol)
                )
            }
        )*
    };
}

missing! {
    rlo_secp256k1_recover(*const u8, u64, *const u8, *mut u8);
    rlo_curve_validate_point(u64, *const u8, *mut u8);
    rlo_curve_group_op(u64, u64, *const u8, *const u8, *mut u8);
    rlo_curve_multiscalar_mul(u64, *const u8, *const u8, u64, *mut u8);
    rlo_alt_bn128_group_op(u64, *const u8, u64, *mut u8);
    rlo_alt_bn128_compression(u64, *const u8, u64, *mut u8);
    rlo_poseidon(u64, u64, *const u8, u64, *mut u8);
    rlo_big_mod_exp(*const u8, *mut u8);
}
