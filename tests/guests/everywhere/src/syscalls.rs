//! Syscalls, and a static that keeps its value between commands.

use core::sync::atomic::{AtomicU64, Ordering};

use entrypoint::{Pubkey, msg};

use crate::Call;

pub fn keys(call: &Call) {
    entrypoint::log_pubkey(&Pubkey::new([call.numbers[0] as u8; 32]));
    entrypoint::log_pubkey(call.program_id);
    let _gas = core::hint::black_box(entrypoint::remaining_compute_units());
}

pub fn set_return_data(length: u64, first: u64) {
    let mut data = [0; 1_099];
    for (index, byte) in data.iter_mut().enumerate() {
        *byte = (first as u8).wrapping_add(index as u8);
    }
    entrypoint::set_return_data(&data[..(length % 1_100) as usize]);
}

pub fn get_return_data(length: u64) {
    let mut buffer = [0xff; 39];
    let found = entrypoint::get_return_data(&mut buffer[..(length % 40) as usize]);
    msg!("{found:?} {buffer:?}");
}

static COUNTER: AtomicU64 = AtomicU64::new(7);

pub fn count() {
    msg!("{} in a static", COUNTER.fetch_add(1, Ordering::Relaxed));
}
