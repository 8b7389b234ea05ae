//! Scratch memory for what the host hands in during one invocation.

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::ptr::NonNull;

/// Every region starts at a multiple of this many bytes.
const ALIGNMENT: usize = 8;

/// `N` bytes of scratch memory inside itself, for what the host hands in during one invocation.
///
/// The host asks for a region ([`alloc`](Self::alloc)), writes there, and tells the program where; the
/// program looks that up ([`bytes`](Self::bytes)), because an address and a length that come from outside
/// are numbers and nothing more. At the start of the next invocation everything is taken back at once
/// ([`reset`](Self::reset)).
///
/// | asked | answered |
/// |---|---|
/// | a region that fits | its address, a multiple of 8 |
/// | an empty region | an address, a multiple of 8 and never 0, even when the arena is full |
/// | a region that does not fit | `None`, and nothing has changed |
///
/// ```
/// use allocator::InvocationArena;
///
/// // SAFETY: one thread uses it, and writes no region of which it has borrowed bytes.
/// let arena = unsafe { InvocationArena::<64>::new() };
/// let region = arena.alloc(5).ok_or("no room")?;
/// assert_eq!(region.addr().get() % 8, 0);
/// // SAFETY: the region has five bytes, of any alignment, and nobody has borrowed them.
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
/// All of it is zero at first, so that a `static` takes no space in the program's file. It has
/// [`capacity`](Self::capacity) `N` wherever the linker puts it: the address is aligned, with seven bytes
/// that it keeps for that, not an offset from wherever it stands. It is meant to stay where it is; after a
/// move, addresses that it gave before name other bytes of it or none.
///
/// # Contents
///
/// A region that is handed out holds whatever was there: zeroes, or what an earlier invocation has left.
#[repr(C)]
pub struct InvocationArena<const N: usize> {
    /// Bytes from the start of the first region to the end of the most recent one; at most `N`.
    used: Cell<u32>,
    /// The greatest `used` that a reset has lowered.
    peak: Cell<u32>,
    storage: UnsafeCell<Storage<N>>,
}

/// The first multiple of [`ALIGNMENT`] in here has `N` bytes behind it, wherever `self` is.
#[repr(C)]
struct Storage<const N: usize> {
    bytes: [u8; N],
    slack: [u8; ALIGNMENT - 1],
}

impl<const N: usize> InvocationArena<N> {
    /// An arena of which nothing is handed out.
    ///
    /// An `N` of more than `u32::MAX - 7` does not compile.
    ///
    /// # Safety
    ///
    /// - The arena is used from one thread.
    /// - Nothing but initialized bytes is written to it: no padding, no `MaybeUninit::uninit()`.
    /// - As long as a slice that [`bytes`](Self::bytes) has lent is in use, nobody writes to it, neither
    ///   the program through a pointer from [`alloc`](Self::alloc) nor a host that knows the address.
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

    /// Hands out a region of `length` bytes; `None` if there is no room for it.
    ///
    /// The address is a multiple of 8. An empty region always has one, takes nothing, and may stand
    /// where another region does.
    ///
    /// Until the next [`reset`](Self::reset) the bytes may be read, and written with initialized bytes, through the
    /// pointer, but not written while a slice of them from [`bytes`](Self::bytes) is in use. Anybody may ask for such
    /// a slice at any time, so no `&mut` to them may be made.
    #[must_use]
    pub fn alloc(&self, length: usize) -> Option<NonNull<u8>> {
        let start = self.start();
        if length == 0 {
            return Some(start);
        }
        // The start is aligned, so this aligns the address. It cannot wrap, because `used` is at most
        // `N` and `new` has bounded that.
        let offset = self.used().next_multiple_of(ALIGNMENT);
        let room = N.checked_sub(offset)?;
        if length > room {
            return None;
        }
        self.used.set((offset + length) as u32);
        // SAFETY: `offset` is less than `N`, and `N` bytes stand behind the start.
        Some(unsafe { start.add(offset) })
    }

    /// The `length` bytes at `address`, if they are bytes that were handed out since the last
    /// [`reset`](Self::reset).
    ///
    /// Takes any two numbers. `None` is the answer for a range that touches a byte before the first
    /// region or behind the most recent one; where the regions between them begin and end is not checked.
    /// An empty range is held to the same.
    #[must_use]
    pub fn bytes(&self, address: usize, length: usize) -> Option<&[u8]> {
        let start = self.start();
        let offset = address.checked_sub(start.addr().get())?;
        let rest = self.used().checked_sub(offset)?;
        if length > rest {
            return None;
        }
        // SAFETY: `offset` is at most `used`, which is at most `N`, and `N` bytes stand behind the start.
        let first = unsafe { start.add(offset) };
        // SAFETY: `offset + length` is at most `used`, so all of it lies in the storage, which is
        // initialized from the beginning and lives as long as `self`. Nothing here writes to a region,
        // `new` promises that nobody else does while the slice is in use, and there is one thread.
        Some(unsafe { core::slice::from_raw_parts(first.as_ptr(), length) })
    }

    /// Takes everything back.
    ///
    /// # Safety
    ///
    /// Neither a slice that [`bytes`](Self::bytes) has lent nor a pointer from [`alloc`](Self::alloc) is
    /// used any more.
    pub unsafe fn reset(&self) {
        self.peak.set(self.peak() as u32);
        self.used.set(0);
    }

    /// Bytes in use: from the first region to the end of the most recent one, alignment gaps included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.get() as usize
    }

    /// The most bytes that were ever in use at once, in this invocation or an earlier one.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak.get().max(self.used.get()) as usize
    }

    /// How many bytes there are: `N`. A first region of that length fits.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// The first multiple of [`ALIGNMENT`] in the storage, with `N` bytes behind it.
    fn start(&self) -> NonNull<u8> {
        let storage = NonNull::from(&self.storage).cast::<u8>();
        let padding = storage.addr().get().wrapping_neg() % ALIGNMENT;
        // SAFETY: `padding` is less than `ALIGNMENT`, so at most the length of the slack, and the storage
        // is that much longer than `N`.
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

// SAFETY: `docs/machine-model.md`: a guest has one thread, no interrupts and no re-entry. Elsewhere `new`
// makes one thread the caller's promise.
unsafe impl<const N: usize> Sync for InvocationArena<N> {}
