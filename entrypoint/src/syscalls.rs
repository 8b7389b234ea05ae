//! The syscalls, as safe functions.
//!
//! Names and signatures come from the table in [`abi::imports`]. The module `target` has the
//! declarations for each target.

use abi::Pubkey;

use crate::target::syscalls as raw;

/// Logs one line. [`msg!`](crate::msg) is the convenient form.
#[inline]
pub fn log(message: &str) {
    // SAFETY: the pointer and the length are those of one text.
    unsafe { raw::rlo_log_(message.as_ptr(), message.len() as u64) };
}

/// Logs five numbers in hexadecimal on one line. The host formats, so the guest pays for one
/// syscall.
#[inline]
pub fn log_64(a: u64, b: u64, c: u64, d: u64, e: u64) {
    // SAFETY: the syscall accepts any numbers.
    unsafe { raw::rlo_log_64_(a, b, c, d, e) };
}

/// Logs a key in base58. The loader encodes, so the guest pays for one syscall.
#[inline]
pub fn log_pubkey(key: &Pubkey) {
    // SAFETY: 32 bytes are readable at a key.
    unsafe { raw::rlo_log_pubkey(key.as_bytes().as_ptr()) };
}

/// Logs the remaining gas.
#[inline]
pub fn log_compute_units() {
    // SAFETY: the syscall has no arguments.
    unsafe { raw::rlo_log_compute_units_() };
}

/// Returns the remaining gas.
#[inline]
#[must_use]
pub fn remaining_compute_units() -> u64 {
    // SAFETY: the syscall has no arguments.
    unsafe { raw::rlo_remaining_compute_units() }
}

/// Replaces the return data, which the host keeps if the program succeeds.
///
/// The loader ends a program that sets more than its limit, 1,024 bytes by default.
#[inline]
pub fn set_return_data(data: &[u8]) {
    // SAFETY: the pointer and the length are those of one slice.
    unsafe { raw::rlo_set_return_data(data.as_ptr(), data.len() as u64) };
}

/// Copies as much of the return data as fits into `buffer`.
///
/// Returns the length of all return data and the program that set it, or `None` if there is none.
/// The buffer may be empty.
pub fn get_return_data(buffer: &mut [u8]) -> Option<(usize, Pubkey)> {
    let mut program_id = [0; 32];
    // The host writes the id only if it copies at least one byte.
    let mut one_byte = [0];
    let buffer = if buffer.is_empty() {
        &mut one_byte
    } else {
        buffer
    };
    // SAFETY: the pointer and the length are those of one slice, and 32 bytes are writable at the
    // id.
    let length = unsafe {
        raw::rlo_get_return_data(
            buffer.as_mut_ptr(),
            buffer.len() as u64,
            program_id.as_mut_ptr(),
        )
    };
    (length != 0).then(|| (length as usize, Pubkey::new(program_id)))
}

// The guest `probe` does the same under a loader.
#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use abi::Pubkey;

    use super::{get_return_data, set_return_data};
    use crate::{input, testing};

    /// Reads an input, which names the program of this thread.
    fn program_id() -> Pubkey {
        let mut bytes = testing::one_account(&[]);
        *input::read(&mut bytes).unwrap().program_id
    }

    #[test]
    fn return_data_is_kept_with_its_setter() {
        let id = program_id();
        assert_ne!(id, Pubkey::new([0; 32]));
        set_return_data(b"0123456789");
        for length in 0..=11 {
            let mut buffer = [b'-'; 11];
            let found = get_return_data(&mut buffer[..length]);
            assert_eq!(found, Some((10, id)), "{length}");
            let copied = length.min(10);
            assert_eq!(buffer[..copied], b"0123456789"[..copied]);
            assert!(buffer[copied..].iter().all(|byte| *byte == b'-'));
        }
        set_return_data(b"ab");
        assert_eq!(get_return_data(&mut []), Some((2, id)));
        set_return_data(b"");
        assert_eq!(get_return_data(&mut [0; 4]), None);
    }

    #[test]
    fn each_thread_has_its_own_return_data() {
        set_return_data(b"here");
        let elsewhere = std::thread::spawn(|| get_return_data(&mut [])).join();
        assert_eq!(elsewhere.unwrap(), None);
        let mut buffer = Vec::from([0; 4]);
        assert!(get_return_data(&mut buffer).is_some());
        assert_eq!(buffer, b"here");
    }
}
