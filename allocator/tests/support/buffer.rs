//! Memory at an address that the test chooses.

use core::mem::MaybeUninit;
use core::ops::Range;

use allocator::{BorrowedHeap, BumpAllocator};
use bytemuck::Zeroable;

use super::{Heap, Memory};

/// The address of a [`Buffer`] is its remainder modulo this number. It is larger than a page, so
/// that tests cover alignments beyond a page.
pub const MODULUS: usize = 65536;

/// The initial contents of a buffer, so that an allocator cannot rely on zeros.
const FILL: u8 = 0xAA;
/// The byte before and after borrowed memory.
pub const SENTINEL: u8 = 0x5C;
const MARGIN: usize = 64;

/// Memory between sentinels, at an address that the test chooses.
pub struct Buffer {
    whole: Box<[MaybeUninit<u8>]>,
    lent: Range<usize>,
}

impl Buffer {
    /// A buffer of `length` bytes of 0xAA, at an address that is `remainder` modulo [`MODULUS`].
    pub fn new(remainder: usize, length: usize) -> Self {
        let mut whole = Box::new_uninit_slice(MARGIN + MODULUS + length + MARGIN);
        let earliest = whole.as_ptr().addr() + MARGIN;
        let start = MARGIN + remainder.wrapping_sub(earliest) % MODULUS;
        let lent = start..start + length;
        whole[start - MARGIN..lent.end + MARGIN].fill(MaybeUninit::new(SENTINEL));
        whole[lent.clone()].fill(MaybeUninit::new(FILL));
        let buffer = Self { whole, lent };
        assert_eq!(buffer.region().start % MODULUS, remainder);
        buffer
    }

    /// The addresses of the bytes between the sentinels.
    pub fn region(&self) -> Range<usize> {
        let start = self.whole.as_ptr().addr();
        start + self.lent.start..start + self.lent.end
    }

    /// Borrows the bytes between the sentinels.
    pub fn lend(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.whole[self.lent.clone()]
    }

    /// An allocator over the buffer.
    pub fn heap<G: Zeroable>(&mut self) -> Heap<'_, BumpAllocator<G, BorrowedHeap<'_>>> {
        let region = self.region();
        let heap = Heap::new(BumpAllocator::from_buffer(self.lend()), region.clone());
        assert_eq!(heap.limit(), region.len());
        heap
    }

    /// The bytes as the last borrower left them.
    pub fn bytes(&self) -> Vec<u8> {
        self.read(self.lent.clone())
    }

    /// The two numbers of the header: `used`, `peak`.
    pub fn header(&self) -> (u32, u32) {
        let word = |at: usize| {
            let bytes = self.read(self.lent.start + at..self.lent.start + at + 4);
            u32::from_le_bytes(bytes.try_into().expect("four bytes"))
        };
        (word(0), word(4))
    }

    /// Asserts that no byte before or after the borrowed ones was written.
    pub fn check_sentinels(&self) {
        let before = self.look(self.lent.start - MARGIN..self.lent.start);
        assert_eq!(before, [SENTINEL; MARGIN], "written before the buffer");
        let behind = self.look(self.lent.end..self.lent.end + MARGIN);
        assert_eq!(behind, [SENTINEL; MARGIN], "written after the buffer");
    }

    fn read(&self, range: Range<usize>) -> Vec<u8> {
        self.look(range).to_vec()
    }

    fn look(&self, range: Range<usize>) -> &[u8] {
        let bytes = &self.whole[range];
        // SAFETY: callers pass the range of the borrowed bytes or of a margin. `new` initialized
        // both, and a borrower that uses `Heap` writes only initialized bytes.
        unsafe { bytes.assume_init_ref() }
    }
}

// SAFETY: the source borrows the buffer. `BorrowedHeap` zeros its bytes, and a `Heap` writes only
// initialized ones.
unsafe impl Memory for Buffer {
    type Source<'memory> = BorrowedHeap<'memory>;
    type Ground<'memory> = Range<usize>;

    fn open(&mut self) -> (Self::Source<'_>, Self::Ground<'_>) {
        let region = self.region();
        (BorrowedHeap::new(self.lend()), region)
    }

    fn check_rest(&self) {
        self.check_sentinels();
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_sentinels();
        }
    }
}
