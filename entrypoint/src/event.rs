//! Events: bytes in the log, for programs that watch the chain.

use bytemuck::NoUninit;

use abi::program_address::const_sha256;

use crate::hash::slices_of;
use crate::target::syscalls as raw;

/// Logs parts of bytes as one event. [`emit!`](crate::emit!) is the convenient form.
///
/// The loader logs one line: `Program data: `, and each part in base64.
///
/// ```
/// use entrypoint::log_data;
/// use entrypoint::testing::Host;
///
/// let (_, record) = Host::new().run(|| log_data(&[b"transfer", &5_u64.to_le_bytes()]));
/// assert_eq!(record.events[0], [&b"transfer"[..], &[5, 0, 0, 0, 0, 0, 0, 0]]);
/// ```
#[inline]
pub fn log_data<const N: usize>(parts: &[&[u8]; N]) {
    let parts = slices_of(parts);
    // SAFETY: `parts` has the addresses and the lengths of live slices.
    unsafe { raw::rlo_log_data(parts.as_ptr().cast(), N as u64) };
}

/// A struct that a program logs as an event, with [`emit!`](crate::emit!).
///
/// The event has one part: the discriminator, by which a watcher knows the struct, and the bytes of
/// the struct as they are in memory. The struct is [`NoUninit`]: `repr(C)`, and without padding.
///
/// ```
/// use bytemuck::NoUninit;
/// use entrypoint::testing::Host;
/// use entrypoint::{Event, Pubkey, emit};
///
/// /// A payer has put kelvins into a vault.
/// #[derive(Clone, Copy, NoUninit)]
/// #[repr(C)]
/// struct Deposited {
///     payer: Pubkey,
///     kelvins: u64,
/// }
///
/// impl Event for Deposited {
///     const NAME: &'static str = "Deposited";
/// }
///
/// let (_, record) = Host::new().run(|| {
///     emit!(Deposited { payer: Pubkey::new([7; 32]), kelvins: 5 });
/// });
/// let bytes = &record.events[0][0];
/// assert_eq!(bytes[..8], Deposited::DISCRIMINATOR);
/// assert_eq!(bytes[8..40], [7; 32]);
/// assert_eq!(bytes[40..], [5, 0, 0, 0, 0, 0, 0, 0]);
/// ```
pub trait Event: NoUninit {
    /// The name of the event, which stays the same when you rename the struct.
    const NAME: &'static str;

    /// The first eight bytes of the event: by default those of the SHA-256 of `event:` and the
    /// name, which the compiler calculates. Give your own if watchers expect others.
    const DISCRIMINATOR: [u8; 8] = {
        let hash = const_sha256(&[b"event:", Self::NAME.as_bytes()]);
        let [a, b, c, d, e, f, g, h, ..] = hash;
        [a, b, c, d, e, f, g, h]
    };
}

/// Logs a value of an [`Event`].
///
/// It needs no heap. [`log_data`](crate::log_data) logs bytes of any form.
///
/// ```
/// use bytemuck::NoUninit;
///
/// #[derive(Clone, Copy, NoUninit)]
/// #[repr(C)]
/// struct Started(u64);
///
/// impl entrypoint::Event for Started {
///     const NAME: &'static str = "Started";
/// }
///
/// let started = Started(5);
/// entrypoint::emit!(started);
/// ```
#[macro_export]
macro_rules! emit {
    ($event:expr $(,)?) => {
        $crate::__private::emit(&$event)
    };
}

/// Logs an event.
#[inline]
pub fn emit<E: Event>(event: &E) {
    /// A discriminator and an event without a gap, because both are bytes.
    #[repr(C, packed)]
    struct Whole<E>([u8; 8], E);

    let whole = Whole(E::DISCRIMINATOR, *event);
    let first = (&raw const whole).cast::<u8>();
    // SAFETY: so many bytes are in the struct, which lives until the syscall returns. They are
    // initialized: the struct is packed, and by `NoUninit` the event has no padding.
    let bytes = unsafe { core::slice::from_raw_parts(first, size_of::<Whole<E>>()) };
    log_data(&[bytes]);
}
