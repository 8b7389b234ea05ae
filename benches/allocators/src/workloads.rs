//! The workloads. None of them knows the allocator.

use alloc::alloc::{alloc, alloc_zeroed, dealloc, handle_alloc_error};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::hint::black_box;
use core::ptr;

/// The names of the workloads. The number of each is its place here, counted from one.
pub const WORKLOADS: [&str; 11] = [
    "box_freed",
    "box_kept",
    "vec_growth",
    "btree",
    "format",
    "mixed",
    "zeroed",
    "box_freed_apart",
    "box_kept_apart",
    "text_apart",
    "pair_apart",
];

/// The number of the workload that does nothing.
pub const EMPTY: u32 = 0;

/// Runs a workload and returns its checksum; `None` for an unknown number.
pub fn run(workload: u32, rounds: u32) -> Option<u64> {
    // None is inlined, so that the code of one does not depend on the others.
    Some(match workload {
        EMPTY => 0,
        1 => box_freed(rounds),
        2 => box_kept(rounds),
        3 => vec_growth(rounds),
        4 => btree(rounds),
        5 => format(rounds),
        6 => mixed(rounds),
        7 => zeroed(rounds),
        _ => return run_apart(workload, rounds),
    })
}

/// The rest of [`run`], so that a workload more does not change the gas of the others.
#[inline(never)]
fn run_apart(workload: u32, rounds: u32) -> Option<u64> {
    Some(match workload {
        8 => box_freed_apart(rounds),
        9 => box_kept_apart(rounds),
        10 => text_apart(rounds),
        11 => pair_apart(rounds),
        _ => return None,
    })
}

/// A box for each round, freed at once.
#[inline(never)]
fn box_freed(rounds: u32) -> u64 {
    let mut sum = 0;
    for round in 0..rounds {
        let number = black_box(Box::new(u64::from(round)));
        sum += *number;
    }
    sum
}

/// A box for each round, never freed.
#[inline(never)]
fn box_kept(rounds: u32) -> u64 {
    let mut sum = 0;
    for round in 0..rounds {
        let number: &u64 = black_box(Box::leak(Box::new(u64::from(round))));
        sum += *number;
    }
    sum
}

/// A vector that grows by a number each round.
#[inline(never)]
fn vec_growth(rounds: u32) -> u64 {
    let mut numbers = Vec::new();
    for round in 0..rounds {
        numbers.push(black_box(u64::from(round)));
    }
    black_box(numbers).iter().sum()
}

/// A map with a new key each round; then half of its keys are removed, and all are looked up.
#[inline(never)]
fn btree(rounds: u32) -> u64 {
    // An odd factor gives every round a key of its own, in no order.
    let key = |round: u32| round.wrapping_mul(0x9e37_79b1);
    let mut map = BTreeMap::new();
    for round in 0..rounds {
        map.insert(key(round), u64::from(round));
    }
    for round in (0..rounds).step_by(2) {
        map.remove(&key(round));
    }
    let map = black_box(map);
    (0..rounds).filter_map(|round| map.get(&key(round))).sum()
}

/// A text for each round, freed at once.
#[inline(never)]
fn format(rounds: u32) -> u64 {
    let mut sum = 0;
    for round in 0..rounds {
        let text = black_box(format!(
            "round {round} of {rounds}: {:#x}, {:?}",
            u64::from(round) << 20,
            "some text"
        ));
        sum += text.bytes().map(u64::from).sum::<u64>();
    }
    sum
}

/// A block from the allocator, of a size that is known when the program runs.
#[derive(Clone, Copy)]
struct Block {
    start: *mut u8,
    size: usize,
}

/// Returns the layout of a block.
///
/// # Safety
///
/// `ALIGN` is a power of two. The size is at most `isize::MAX` less `ALIGN`.
#[inline(always)]
unsafe fn layout<const ALIGN: usize>(size: usize) -> Layout {
    // SAFETY: `from_size_align_unchecked` requires a power of two as alignment, and a size that
    // does not overflow. The caller promises both.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}

/// Numbers in no order, for one multiplication each. The upper bits are the better ones.
struct Generator(u64);

impl Generator {
    #[inline(always)]
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d);
        self.0
    }
}

/// How many blocks [`mixed`] has at once.
const SLOTS: usize = 64;

/// A block of 1 to 128 bytes for each round. From the sixty-fifth on, each replaces an older one,
/// which is freed first.
#[inline(never)]
fn mixed(rounds: u32) -> u64 {
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let none = Block {
        start: ptr::null_mut(),
        size: 0,
    };
    let mut slots = [none; SLOTS];
    let filled = SLOTS.min(rounds as usize);
    for slot in &mut slots[..filled] {
        *slot = take(generator.next());
    }
    if filled == SLOTS {
        replace(&mut slots, &mut generator, rounds - SLOTS as u32);
    }
    let mut sum = 0;
    for block in &slots[..filled] {
        // SAFETY: `read` requires an initialised byte. The block is live, and `take` has written
        // its first byte.
        let first = unsafe { block.start.read() };
        sum += u64::from(first) + block.size as u64;
    }
    sum
}

/// Frees a block and allocates another one, each round in a random slot. All slots hold blocks,
/// before and after.
///
/// Not inlined, so that the measured code has all registers.
#[inline(never)]
fn replace(slots: &mut [Block; SLOTS], generator: &mut Generator, rounds: u32) {
    for _ in 0..rounds {
        let number = generator.next();
        let slot = &mut slots[(number >> 58) as usize % SLOTS];
        // SAFETY: `free` requires a live block of this alignment. The slot holds such a block, and
        // gets another one below.
        unsafe { free::<8>(*slot) };
        *slot = take(number);
    }
}

/// A block of 1 to 128 bytes, depending on the number.
#[inline(always)]
fn take(number: u64) -> Block {
    // SAFETY: `take_sized` requires a power of two and a size of 1 to some millions. 8 is one, and
    // the size is at most 128.
    unsafe { take_sized::<8>(number, 128) }
}

/// A block of 1 to `most` bytes, depending on the number, with the number in its first byte.
///
/// # Safety
///
/// `ALIGN` is a power of two. `most` is from 1 to some millions.
#[inline(always)]
unsafe fn take_sized<const ALIGN: usize>(number: u64, most: usize) -> Block {
    let size = (number >> 32) as usize % most + 1;
    // SAFETY: `layout` requires a power of two and a short size. The caller promises both.
    let layout = unsafe { layout::<ALIGN>(size) };
    // SAFETY: `alloc` requires a size other than 0. The layout has one.
    let start = unsafe { alloc(layout) };
    if start.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: `write` requires a writable byte. The block is new and has at least one.
    unsafe { start.write(number as u8) };
    Block { start, size }
}

/// Frees a block.
///
/// # Safety
///
/// The block came from [`take_sized`] with the same alignment, is live, and is not used any more.
#[inline(always)]
unsafe fn free<const ALIGN: usize>(block: Block) {
    // SAFETY: `layout` requires a power of two and the size of a block. The block has both.
    let layout = unsafe { layout::<ALIGN>(block.size) };
    // SAFETY: `dealloc` requires a live block of this allocator, with its layout. The caller
    // promises that.
    unsafe { dealloc(block.start, layout) };
}

/// A KiB of zeroes for each round, never freed.
#[inline(never)]
fn zeroed(rounds: u32) -> u64 {
    const LAYOUT: Layout = Layout::new::<[u64; 128]>();
    let mut sum = u64::from(rounds);
    for _ in 0..rounds {
        // SAFETY: `alloc_zeroed` requires a size other than 0. The layout has one.
        let start = unsafe { alloc_zeroed(LAYOUT) };
        if start.is_null() {
            handle_alloc_error(LAYOUT);
        }
        let numbers: *mut [u64; 128] = black_box(start.cast());
        // SAFETY: a slice requires initialised, aligned memory without other references. The block
        // has the length and alignment of its layout, zeroes are valid numbers, and no other code
        // has it.
        let numbers = unsafe { &*numbers };
        sum += numbers[0] + numbers[127];
    }
    sum
}

/// Does nothing, but the compiler assumes that it reads and writes all memory. What an allocator
/// keeps is therefore in memory before it, and read again after it, as in a program that does
/// something else in between.
#[inline(always)]
fn apart() {
    black_box(&mut ());
}

/// As [`box_freed`], with other work assumed around each operation.
#[inline(never)]
fn box_freed_apart(rounds: u32) -> u64 {
    let mut sum = 0;
    for round in 0..rounds {
        let number = black_box(Box::new(u64::from(round)));
        sum += *number;
        apart();
        drop(number);
        apart();
    }
    sum
}

/// As [`box_kept`], with other work assumed around each operation.
#[inline(never)]
fn box_kept_apart(rounds: u32) -> u64 {
    let mut sum = 0;
    for round in 0..rounds {
        let number: &u64 = black_box(Box::leak(Box::new(u64::from(round))));
        sum += *number;
        apart();
    }
    sum
}

/// A block of 1 to 64 bytes for each round, aligned to 1 as a text is, freed at once. Other work is
/// assumed around each operation.
#[inline(never)]
fn text_apart(rounds: u32) -> u64 {
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let mut sum = 0;
    for _ in 0..rounds {
        // SAFETY: `take_sized` requires a power of two and a short size. Both are.
        let text = black_box(unsafe { take_sized::<1>(generator.next(), 64) });
        sum += text.size as u64;
        apart();
        // SAFETY: `free` requires a live block of this alignment, the last use of which this is.
        unsafe { free::<1>(text) };
        apart();
    }
    sum
}

/// A text and a list for each round, freed in reverse order: blocks of 1 to 64 bytes, aligned to 1
/// and to 8. Other work is assumed around each operation.
#[inline(never)]
fn pair_apart(rounds: u32) -> u64 {
    let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
    let mut sum = 0;
    for _ in 0..rounds {
        // SAFETY: `take_sized` requires a power of two and a short size. Both are.
        let text = black_box(unsafe { take_sized::<1>(generator.next(), 64) });
        apart();
        // SAFETY: `take_sized` requires a power of two and a short size. Both are.
        let list = black_box(unsafe { take_sized::<8>(generator.next(), 64) });
        sum += (text.size + list.size) as u64;
        apart();
        // SAFETY: `free` requires a live block of this alignment, the last use of which this is.
        unsafe { free::<8>(list) };
        apart();
        // SAFETY: `free` requires a live block of this alignment, the last use of which this is.
        unsafe { free::<1>(text) };
        apart();
    }
    sum
}
