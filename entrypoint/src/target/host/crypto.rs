//! Replacements of the syscalls of cryptography. A unit test has none of them but the hashes: their
//! results come from crates that only a loader needs.
//!
//! They panic. An error would be a result too, as for an invalid signature, and a test that expects
//! the program to reject something would pass.

macro_rules! missing {
    ($($symbol:ident($($type:ty),*);)*) => {
        $(
            /// Panics.
            pub(crate) unsafe fn $symbol($(_: $type),*) -> u64 {
                panic!(
                    "a unit test does not have the syscall `{}`: write a fixture for this case, \
                     and run it with `program_test::check_fixture`, which calculates on a loader",
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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use crate::crypto::curve25519::Form;
    use crate::crypto::{
        ByteOrder, alt_bn128, big_mod_exp, curve25519, poseidon, secp256k1_recover,
    };

    /// Each function fails by the name of its syscall, and says where it runs.
    #[test]
    fn unit_test_has_no_curves() {
        let functions: [(&str, fn()); 8] = [
            ("rlo_secp256k1_recover", || {
                let _ = secp256k1_recover(&[0; 32], 0, &[0; 64]);
            }),
            ("rlo_curve_validate_point", || {
                let _ = curve25519::is_point(Form::Edwards, &[0; 32]);
            }),
            ("rlo_curve_group_op", || {
                let _ = curve25519::add(Form::Edwards, &[0; 32], &[0; 32]);
            }),
            ("rlo_curve_multiscalar_mul", || {
                let _ = curve25519::multiscalar_multiply(Form::Edwards, &[[0; 32]], &[[0; 32]]);
            }),
            ("rlo_alt_bn128_group_op", || {
                let _ = alt_bn128::add(&[0; 64], &[0; 64]);
            }),
            ("rlo_alt_bn128_compression", || {
                let _ = alt_bn128::compress_g1(&[0; 64]);
            }),
            ("rlo_poseidon", || {
                let _ = poseidon(ByteOrder::Big, &[&[0; 32]]);
            }),
            ("rlo_big_mod_exp", || {
                let _ = big_mod_exp(&[2], &[2], &[5], &mut [0]);
            }),
        ];
        for (syscall, function) in functions {
            let panic = catch_unwind(function).expect_err(syscall);
            let message = panic.downcast_ref::<&str>().expect("a message");
            assert!(message.contains(syscall), "{message}");
            assert!(message.contains("program_test::check_fixture"), "{message}");
        }
    }
}
