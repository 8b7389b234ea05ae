//! The arena for the host's bytes between sentinels, and a driver that compares it with a model.

use std::ops::Range;
use std::ptr::NonNull;

use allocator::InvocationArena;

const SENTINEL: u64 = 0x5C5C_5C5C_5C5C_5C5C;

/// An arena between sentinels, at an address of 0 modulo 8, or of 4 with a `Shift` of four bytes.
#[repr(C, align(8))]
pub struct Guarded<Shift, const N: usize> {
    before: [u64; 4],
    shift: Shift,
    pub arena: InvocationArena<N>,
    /// Bytes, so that they follow the arena directly.
    behind: [u8; 32],
}

impl<Shift: Default, const N: usize> Guarded<Shift, N> {
    pub fn new() -> Box<Self> {
        let guarded = Box::new(Self {
            before: [SENTINEL; 4],
            shift: Shift::default(),
            // SAFETY: a test uses it from one thread, and writes no bytes that it has borrowed.
            arena: unsafe { InvocationArena::new() },
            behind: [SENTINEL as u8; 32],
        });
        let address = (&raw const guarded.arena).addr();
        assert_eq!(address % 8, size_of::<Shift>());
        guarded
    }

    /// The addresses of the arena itself.
    pub fn extent(&self) -> Range<usize> {
        let start = (&raw const self.arena).addr();
        start..start + size_of_val(&self.arena)
    }

    /// Allocates a region, checks it, and fills it with `byte`.
    pub fn alloc(&self, length: usize, byte: u8) -> Option<Region> {
        let pointer = self.arena.alloc(length)?;
        let address = pointer.addr().get();
        assert_eq!(address % 8, 0, "{address:#x} is not aligned");
        let extent = self.extent();
        assert!(
            extent.contains(&address) || length == 0 && address == extent.end,
            "{address:#x} is outside {extent:#x?}"
        );
        assert!(
            length <= extent.end - address,
            "{length} bytes from {address:#x} on are not in {extent:#x?}"
        );
        for index in 0..length {
            // SAFETY: the byte is inside the arena, as just checked.
            let place = unsafe { pointer.add(index) };
            // SAFETY: `alloc` guarantees that it is writable, and no test keeps a slice while it
            // allocates.
            unsafe { place.write(byte) };
        }
        Some(Region {
            pointer,
            length,
            byte,
        })
    }

    /// Asserts that the region has the bytes written to it.
    pub fn check(&self, region: &Region) {
        let bytes = self
            .arena
            .bytes(region.address(), region.length)
            .expect("an allocated region");
        assert_eq!(bytes.as_ptr().addr(), region.address());
        assert_eq!(bytes, vec![region.byte; region.length]);
    }

    pub fn reset(&self, regions: Vec<Region>) {
        drop(regions);
        // SAFETY: the regions are dropped, and slices of them exist only in `check`.
        unsafe { self.arena.reset() };
    }
}

impl<Shift, const N: usize> Drop for Guarded<Shift, N> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.before, [SENTINEL; 4], "written before the arena");
            assert_eq!(self.behind, [SENTINEL as u8; 32], "written after the arena");
        }
    }
}

#[derive(Debug)]
pub struct Region {
    pointer: NonNull<u8>,
    pub length: usize,
    byte: u8,
}

impl Region {
    pub fn address(&self) -> usize {
        self.pointer.addr().get()
    }
}

/// One call of the arena.
#[derive(Clone, Debug)]
pub enum InvocationOperation {
    /// `alloc` of this many bytes.
    Alloc(usize),
    /// `reset`.
    Reset,
    /// A range that starts this many bytes from the start of the arena.
    Read { offset: isize, length: usize },
}

/// Compares an arena with a model in numbers that cannot overflow: its expected bytes, in order.
pub fn follow<Shift: Default, const N: usize>(operations: &[InvocationOperation]) {
    let guarded = Guarded::<Shift, N>::new();
    let first = guarded.alloc(0, 0).expect("empty").address();
    let mut shadow = [0_u8; N];
    let mut used = 0_usize;
    let mut peak = 0;
    let mut regions = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        match *operation {
            InvocationOperation::Alloc(length) => {
                let byte = number as u8 | 1;
                let start = used.next_multiple_of(8);
                let fits = start as u128 + length as u128 <= N as u128;
                match guarded.alloc(length, byte) {
                    Some(region) if length == 0 => assert_eq!(region.address(), first),
                    Some(region) => {
                        assert!(fits, "{length} bytes on {used}");
                        assert_eq!(region.address(), first + start);
                        used = start + length;
                        shadow[start..used].fill(byte);
                        regions.push(region);
                    }
                    None => assert!(!fits && length > 0, "{length} bytes on {used}"),
                }
                peak = peak.max(used);
            }
            InvocationOperation::Reset => {
                guarded.reset(std::mem::take(&mut regions));
                used = 0;
            }
            InvocationOperation::Read { offset, length } => {
                let expected = usize::try_from(offset)
                    .ok()
                    .and_then(|offset| shadow[..used].get(offset..offset + length));
                let address = first.wrapping_add_signed(offset);
                assert_eq!(guarded.arena.bytes(address, length), expected);
            }
        }
        assert_eq!(guarded.arena.used(), used);
        assert_eq!(guarded.arena.peak(), peak);
        regions.iter().for_each(|region| guarded.check(region));
    }
}
