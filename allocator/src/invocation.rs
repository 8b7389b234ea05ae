//! Scratch memory for what the host passes in during one invocation.

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::ptr::NonNull;

/// The alignment in bytes of every region.
const ALIGNMENT: usize = 8;

/// `N` bytes of scratch memory for what the host passes in during one invocation.
///
/// The host allocates a region ([`alloc`](Self::alloc)), writes there, and passes its address and
/// length to the program. The program checks them ([`bytes`](Self::bytes)), because an address and
/// a length from outside are only numbers. At the start of the next invocation the program frees
/// all regions ([`reset`](Self::reset)).
///
/// | request | result |
/// |---|---|
/// | a region that fits | its address, a multiple of 8 |
/// | an empty region | an address, a multiple of 8 and never 0, even if the arena is full |
/// | a region that does not fit | `None`, without a change |
///
/// ```
/// use allocator::InvocationArena;
///
/// // SAFETY: one thread uses it. It writes only initialized bytes, and not to a borrowed region.
/// let arena = unsafe { InvocationArena::<64>::new() };
/// let region = arena.alloc(5).ok_or("no room")?;
/// assert_eq!(region.addr().get() % 8, 0);
/// // SAFETY: the region has five bytes, an array of bytes has alignment 1, and none is borrowed.
/// unsafe { region.cast::<[u8; 5]>().write(*b"hello") };
///
/// assert_eq!(arena.bytes(region.addr().get(), 5), Some(b"hello".as_slice()));
/// assert_eq!(arena.bytes(region.addr().get(), 6), None);
/// assert_eq!(arena.alloc(57), None);
/// # Ok::<(), &str>(())
/// ```
///
/// # In a static
///
/// It is all zero at first, so a `static` needs no space in the program's file. Its
/// [`capacity`](Self::capacity) is `N` wherever the linker places it: it aligns the address, with
/// seven spare bytes, not an offset. Do not move it: afterwards, earlier addresses refer to other
/// bytes of it, or to none.
///
/// # Contents
///
/// A new region contains whatever was there: zeroes, or the bytes of an earlier invocation.
#[repr(C)]
pub struct InvocationArena<const N: usize> {
    /// Bytes from the start of the first region to the end of the most recent one; at most `N`.
    used: Cell<u32>,
    /// The greatest `used` that a reset has lowered.
    peak: Cell<u32>,
    storage: UnsafeCell<Storage<N>>,
}

/// Storage in which `N` bytes follow the first multiple of [`ALIGNMENT`], wherever it is.
#[repr(C)]
struct Storage<const N: usize> {
    bytes: [u8; N],
    slack: [u8; ALIGNMENT - 1],
}

impl<const N: usize> InvocationArena<N> {
    /// Returns an arena without regions.
    ///
    /// An `N` above `u32::MAX - 7` does not compile.
    ///
    /// # Safety
    ///
    /// - The arena is used from one thread.
    /// - Only initialized bytes are written to it: no padding, no `MaybeUninit::uninit()`.
    /// - As long as a slice from [`bytes`](Self::bytes) is in use, its bytes are not written: not
    ///   by the program through a pointer from [`alloc`](Self::alloc), and not by the host.
    #[must_use]
    pub const unsafe fn new() -> Self {
        const {
            assert!(
                N <= u32::MAX as usize - (ALIGNMENT - 1),
                "an invocation arena has at most u32::MAX - 7 bytes"
            )
        };
        Self {
            used: Cell::new(0),
            peak: Cell::new(0),
            storage: UnsafeCell::new(Storage {
                bytes: [0; N],
                slack: [0; ALIGNMENT - 1],
            }),
        }
    }

    /// Allocates a region of `length` bytes. Returns `None` if it does not fit.
    ///
    /// The address is a multiple of 8. An empty region always succeeds, takes no bytes, and may
    /// have the address of another region.
    ///
    /// Until the next [`reset`](Self::reset), the pointer is valid for reads, and for writes of
    /// initialized bytes while no slice of them from [`bytes`](Self::bytes) is in use. Such a slice
    /// may be requested at any time, so never make a `&mut` to the bytes.
    #[must_use]
    pub fn alloc(&self, length: usize) -> Option<NonNull<u8>> {
        let start = self.start();
        if length == 0 {
            return Some(start);
        }
        // The start is aligned, so this aligns the address. It cannot wrap, because `used` is at
        // most `N`, which `new` limits.
        let offset = self.used().next_multiple_of(ALIGNMENT);
        let room = N.checked_sub(offset)?;
        if length > room {
            return None;
        }
        self.used.set((offset + length) as u32);
        // SAFETY: `length` is not 0 and fits, so `offset` is less than `N`, and `N` bytes follow
        // the start.
        Some(unsafe { start.add(offset) })
    }

    /// Returns the `length` bytes at `address`, if all were allocated since the last
    /// [`reset`](Self::reset).
    ///
    /// Any two numbers are allowed. The result is `None` for a range that includes a byte before
    /// the first region or after the most recent one. The bounds of single regions are not checked.
    /// The same applies to an empty range.
    #[must_use]
    pub fn bytes(&self, address: usize, length: usize) -> Option<&[u8]> {
        let start = self.start();
        let offset = address.checked_sub(start.addr().get())?;
        let rest = self.used().checked_sub(offset)?;
        if length > rest {
            return None;
        }
        // SAFETY: `offset` is at most `used`, which is at most `N`, and `N` bytes follow the start.
        let first = unsafe { start.add(offset) };
        // SAFETY: `offset + length` is at most `used`, so all bytes lie in the storage, which is
        // initialized and lives as long as `self`. No method writes to a region. By the contract of
        // `new`, no other code writes there while the slice is in use, and there is one thread.
        Some(unsafe { core::slice::from_raw_parts(first.as_ptr(), length) })
    }

    /// Frees all regions.
    ///
    /// # Safety
    ///
    /// No slice from [`bytes`](Self::bytes) and no pointer from [`alloc`](Self::alloc) is used any
    /// more.
    pub unsafe fn reset(&self) {
        self.peak.set(self.peak() as u32);
        self.used.set(0);
    }

    /// Returns the bytes in use: from the first region to the end of the most recent one, alignment
    /// gaps included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.get() as usize
    }

    /// Returns the most bytes in use at the same time, in this invocation or an earlier one.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak.get().max(self.used.get()) as usize
    }

    /// Returns the capacity in bytes, `N`. A first region of that length fits.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Returns the first multiple of [`ALIGNMENT`] in the storage. `N` bytes follow it.
    fn start(&self) -> NonNull<u8> {
        let storage = NonNull::from(&self.storage).cast::<u8>();
        let padding = storage.addr().get().wrapping_neg() % ALIGNMENT;
        // SAFETY: `padding` is less than `ALIGNMENT`, so at most the length of the slack. The
        // storage is longer than `N` by the slack.
        unsafe { storage.add(padding) }
    }
}

impl<const N: usize> fmt::Debug for InvocationArena<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InvocationArena")
            .field("used", &self.used())
            .field("peak", &self.peak())
            .field("capacity", &N)
            .finish_non_exhaustive()
    }
}

// SAFETY: a guest has one thread, no interrupts and no re-entry (`docs/machine-model.md`). On other
// targets, the caller of `new` promises one thread.
unsafe impl<const N: usize> Sync for InvocationArena<N> {}
