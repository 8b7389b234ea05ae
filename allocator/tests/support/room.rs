//! The arena for the host's bytes in pages, which checks each of its regions.

use core::ops::Range;
use core::ptr::NonNull;

use allocator::PagedInvocationArena;

use super::{Ground, Pages};

/// An allocated region, and the byte that fills it.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    pub pointer: NonNull<u8>,
    pub length: usize,
    fill: u8,
}

impl Region {
    pub fn addresses(&self) -> Range<usize> {
        let start = self.pointer.addr().get();
        start..start + self.length
    }
}

/// An arena over pages, and its regions.
pub struct Room<'pages> {
    pub pages: &'pages Pages,
    pub arena: PagedInvocationArena<&'pages Pages>,
    /// The regions that `bytes` returns.
    pub regions: Vec<Region>,
    /// The kept region, which `bytes` does not return.
    kept: Option<Region>,
    next_fill: u8,
}

impl<'pages> Room<'pages> {
    pub fn over(pages: &'pages Pages) -> Self {
        Self {
            pages,
            // SAFETY: a test uses it from one thread, and writes no bytes that it has borrowed.
            arena: unsafe { PagedInvocationArena::over(pages) },
            regions: Vec::new(),
            kept: None,
            next_fill: 0,
        }
    }

    /// Allocates a region, checks it, and fills it with a byte of its own.
    pub fn alloc(&mut self, length: usize) -> Option<Region> {
        let (used, capacity) = (self.arena.used(), self.arena.capacity());
        let Some(pointer) = self.arena.alloc(length) else {
            assert_eq!((self.arena.used(), self.arena.capacity()), (used, capacity));
            return None;
        };
        self.next_fill = self.next_fill.wrapping_add(1);
        let region = Region {
            pointer,
            length,
            fill: self.next_fill,
        };
        assert_eq!(pointer.addr().get() % 8, 0);
        if length == 0 {
            assert_eq!(self.arena.used(), used, "an empty region has no bytes");
            assert_eq!(
                self.arena.bytes(pointer.addr().get(), 0),
                Some([].as_slice())
            );
            return Some(region);
        }
        let addresses = region.addresses();
        let given = self.pages.given();
        let is_own =
            |piece: &Range<usize>| piece.start <= addresses.start && addresses.end <= piece.end;
        assert!(
            given.iter().any(is_own),
            "{addresses:x?} is not in {given:x?}"
        );
        for other in self.regions.iter().chain(&self.kept) {
            let other = other.addresses();
            assert!(
                addresses.end <= other.start || other.end <= addresses.start,
                "{addresses:x?} and {other:x?} overlap"
            );
        }
        // SAFETY: the region is in the arena's pages, as just checked, and no test keeps a slice
        // while it allocates.
        unsafe { pointer.write_bytes(region.fill, length) };
        self.regions.push(region);
        Some(region)
    }

    pub fn reset(&mut self) {
        self.regions.clear();
        self.kept = None;
        // SAFETY: the regions are dropped, and slices of them exist only in `check`.
        unsafe { self.arena.reset() };
        assert_eq!(self.arena.used(), 0);
    }

    pub fn reset_retaining(&mut self, region: Region) {
        self.regions.clear();
        self.kept = (region.length > 0).then_some(region);
        // SAFETY: the other regions are dropped, and slices of regions exist only in `check`.
        unsafe {
            self.arena
                .reset_retaining(region.addresses().start, region.length)
        };
    }

    /// Whether `bytes` may return a byte: it is in a region, or in the alignment gap after one.
    pub fn may_return(&self, address: usize) -> bool {
        let regions = self.regions.iter().map(Region::addresses);
        let in_one = |region: Range<usize>| {
            (region.start..region.end.next_multiple_of(8)).contains(&address)
        };
        // The kept region may also have an alignment gap after it.
        let after_kept = self.kept.is_some_and(|kept| {
            let end = kept.addresses().end;
            (end..end.next_multiple_of(8)).contains(&address)
        });
        regions.into_iter().any(in_one) || after_kept
    }

    /// Asserts that all regions are unchanged, and that `bytes` returns exactly them.
    pub fn check(&self) {
        for region in &self.regions {
            let addresses = region.addresses();
            let bytes = self.arena.bytes(addresses.start, region.length);
            let bytes = bytes.expect("an allocated region");
            assert_eq!(bytes.as_ptr(), region.pointer.as_ptr().cast_const());
            assert!(
                bytes == vec![region.fill; region.length],
                "{region:x?} was touched"
            );
            for at in [
                addresses.start.wrapping_sub(1),
                addresses.end,
                addresses.end + 7,
            ] {
                assert!(
                    self.arena.bytes(at, 1).is_none() || self.may_return(at),
                    "a byte at {at:x} that is not allocated"
                );
            }
        }
        if let Some(kept) = &self.kept {
            let addresses = kept.addresses();
            for at in [addresses.start, addresses.end - 1] {
                assert_eq!(
                    self.arena.bytes(at, 1),
                    None,
                    "`bytes` does not return the kept region"
                );
            }
            // SAFETY: the region is allocated and initialized, and only a reset that does not keep
            // it frees it.
            let bytes = unsafe { core::slice::from_raw_parts(kept.pointer.as_ptr(), kept.length) };
            assert!(
                bytes == vec![kept.fill; kept.length],
                "{kept:x?} was touched"
            );
        }
        Ground::check(&self.pages);
    }
}
