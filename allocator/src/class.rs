//! The size classes of [`SegregatedBumpAllocator`](crate::SegregatedBumpAllocator).

use core::alloc::Layout;

use crate::grain::GRAIN;

/// The size of the smallest class. Every size is a multiple of it.
pub(crate) const LEAST: usize = 16;

/// The number of small classes, of 16, 32, 64 and 128 bytes.
pub(crate) const SMALL: usize = 4;

/// The size of the largest small class.
const SMALL_MOST: usize = LEAST << (SMALL - 1);

/// The binary logarithm of the number of long classes in each doubling.
const STEPS_BITS: u32 = 2;

/// The bits of the length of the longest heap, which has at most `u32::MAX` and `isize::MAX` bytes.
const HEAP_BITS: u32 = if usize::BITS > 32 {
    32
} else {
    usize::BITS - 1
};

/// The number of long classes that a heap can have blocks of.
pub(crate) const LONG: usize = ((HEAP_BITS - SMALL_MOST.ilog2()) as usize) << STEPS_BITS;

/// A size class.
///
/// Small and long ones are two cases, so that the compiler makes two paths, and the first is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The class of `LEAST << index` bytes, for an index below [`SMALL`].
    Small { index: usize },
    /// A class of more bytes. Its index is from [`LONG`] on if it is longer than any heap.
    Long { index: usize, size: usize },
}

impl Class {
    /// Returns the class of a layout, or `None` if its alignment is above [`GRAIN`].
    #[inline(always)]
    pub(crate) const fn of(layout: Layout) -> Option<Self> {
        if layout.align() > GRAIN {
            return None;
        }
        Some(Self::of_size(layout.size()))
    }

    /// Returns the class of the block around one with an alignment of more than [`GRAIN`], or
    /// `None` if no block is that long.
    pub(crate) fn around(layout: Layout) -> Option<Self> {
        let size = layout.size().checked_add(layout.align())?;
        (size <= isize::MAX as usize).then(|| Self::of_size(size))
    }

    /// Returns the shortest class that covers a size, which is from 1 to `isize::MAX`.
    #[inline(always)]
    const fn of_size(size: usize) -> Self {
        let last = size.wrapping_sub(1);
        // How often the size must be halved to be in the smallest class.
        let index = (usize::BITS - (last / LEAST).leading_zeros()) as usize;
        if index < SMALL {
            return Self::Small { index };
        }
        // The bits after the highest one number the steps of a doubling.
        let doubling = last.ilog2() - SMALL_MOST.ilog2();
        let shift = doubling + SMALL_MOST.ilog2() - STEPS_BITS;
        let step = (last >> shift) - (1 << STEPS_BITS);
        Self::Long {
            index: ((doubling as usize) << STEPS_BITS) + step,
            size: ((last >> shift) + 1) << shift,
        }
    }

    /// Returns the longest class of at most `length` bytes, or `None` if there is none.
    pub(crate) const fn within(length: usize) -> Option<Self> {
        if length < LEAST {
            return None;
        }
        let bits = length.ilog2();
        let size = if length < SMALL_MOST {
            1 << bits
        } else {
            length >> (bits - STEPS_BITS) << (bits - STEPS_BITS)
        };
        Some(Self::of_size(size))
    }

    /// Returns every class that a heap can have blocks of, the shortest first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let mut next = Self::of_size(1);
        (0..SMALL + LONG).map(move |_| {
            let class = next;
            next = Self::of_size(class.size() + 1);
            class
        })
    }

    /// Returns the size of a block of the class in bytes.
    #[inline(always)]
    pub(crate) const fn size(self) -> usize {
        match self {
            Self::Small { index } => LEAST << index,
            Self::Long { size, .. } => size,
        }
    }

    /// Returns the layout of a block of the class, or `None` if no layout is that long.
    #[inline(always)]
    pub(crate) fn layout(self) -> Option<Layout> {
        Layout::from_size_align(self.size(), GRAIN).ok()
    }

    /// Returns the layout of a block of the class.
    ///
    /// # Safety
    ///
    /// There is a block of this class.
    #[inline(always)]
    pub(crate) const unsafe fn layout_unchecked(self) -> Layout {
        // SAFETY: `GRAIN` is a power of two. A block lies in one allocation, so by the contract the
        // size is at most `isize::MAX`. As a multiple of `GRAIN`, it stays so when rounded up.
        unsafe { Layout::from_size_align_unchecked(self.size(), GRAIN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_documented() {
        let mut sizes = Class::all().map(Class::size);
        for size in [16, 32, 64, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640] {
            assert_eq!(sizes.next(), Some(size));
        }
    }

    /// By walking over all classes.
    #[test]
    fn every_size_is_in_the_shortest_class_that_covers_it() {
        let mut shorter = 0;
        for (number, class) in Class::all().enumerate() {
            match class {
                Class::Small { index } => assert_eq!(index, number),
                Class::Long { index, size } => {
                    assert_eq!(index, number - SMALL);
                    assert!((size - shorter) * 5 <= size, "at most a fifth is rounding");
                }
            }
            assert!(class.size() > shorter && class.size().is_multiple_of(LEAST));
            for size in [shorter + 1, shorter + 7, class.size() - 1, class.size()] {
                assert_eq!(Class::of_size(size), class, "{size}");
            }
            for longer in [0, 1, LEAST - 1] {
                assert_eq!(Class::within(class.size() + longer), Some(class));
            }
            if shorter >= LEAST {
                assert_eq!(
                    Class::within(class.size() - 1).map(Class::size),
                    Some(shorter)
                );
            }
            shorter = class.size();
        }
        assert_eq!(shorter.ilog2(), HEAP_BITS);
        assert_eq!(Class::within(LEAST - 1), None);
    }

    #[test]
    fn longer_than_any_heap() {
        let most = isize::MAX as usize;
        for size in [most, most - 15] {
            let class = Class::of_size(size);
            assert!(class.size() >= size);
            assert_eq!(class.layout(), None);
        }
        let layout = Layout::from_size_align(most - 63, 64).expect("a valid layout");
        assert_eq!(Class::around(layout), None);
    }
}
