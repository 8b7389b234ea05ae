//! Events: bytes in the log, for programs that watch the chain.

use bytemuck::NoUninit;

use crate::hash::slices_of;
use crate::target::syscalls as raw;

/// Logs parts of bytes as one event. [`emit!`](crate::emit) is the convenient form.
///
/// The host logs each part in base64, on one line.
///
/// ```
/// entrypoint::log_data(&[b"transfer", &5_u64.to_le_bytes()]);
/// ```
#[inline]
pub fn log_data<const N: usize>(parts: &[&[u8]; N]) {
    let parts = slices_of(parts);
    // SAFETY: `parts` has the addresses and the lengths of live slices.
    unsafe { raw::rlo_log_data(parts.as_ptr().cast(), N as u64) };
}

/// A value that a program logs as an event.
///
/// A watcher tells events apart by the discriminator, which [`event!`](crate::event!) derives from
/// a name. The bytes of the value follow it, as they are in memory.
pub trait Event: NoUninit {
    /// The first eight bytes of the event.
    const DISCRIMINATOR: [u8; 8];
}

/// Logs an event: its discriminator, and the bytes of its value.
///
/// [`emit!`](crate::emit) is the same as a macro.
#[inline]
pub fn emit<E: Event>(event: &E) {
    log_data(&[&E::DISCRIMINATOR, bytemuck::bytes_of(event)]);
}
