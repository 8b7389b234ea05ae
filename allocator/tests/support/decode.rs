//! Decodes bytes to a sequence of calls, for the fuzzer and its corpus.

use super::arena::{self, ArenaOperation};
use super::driver::{Operation, run};
use super::{Algorithm, Buffer, Hundred, Memory, Pages};
use super::{Aligned, Bump, Segregated};

use allocator::PAGE_SIZE;

/// The most operations of a case, so that one input does not take long.
const MOST_OPERATIONS: usize = 120;

/// A memory, and operations on an allocator over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The remainder of the memory's address.
    pub remainder: usize,
    /// The length of the buffer.
    pub length: usize,
    /// The number of other users' pages before the heap's first page.
    pub pages_before: usize,
    /// The maximum number of pages.
    pub pages_limit: usize,
    /// The operations.
    pub operations: Vec<Operation>,
}

impl Case {
    /// Decodes a case. Any bytes are valid, and missing bytes are zero.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut bytes = bytes.iter().copied();
        let mut next = || bytes.next();
        let remainder = pair(&mut next);
        let length = pair(&mut next) % 4400;
        let pages = pair(&mut next);
        let mut case = Self {
            remainder,
            length,
            pages_before: (pages & 0xFF) % 4,
            pages_limit: (pages >> 8) % 12,
            operations: Vec::new(),
        };
        while case.operations.len() < MOST_OPERATIONS
            && let Some(code) = next()
        {
            case.operations.push(operation(code, &mut next));
        }
        case
    }

    /// Runs the case on every allocator, over a buffer and over pages.
    pub fn run(&self) {
        self.run_on::<Bump>();
        self.run_on::<Bump<Hundred>>();
        self.run_on::<Bump<Aligned>>();
        self.run_on::<Segregated>();
    }

    fn run_on<A: Algorithm>(&self) {
        run::<A, _>(&mut self.buffer(), &self.operations);
        run::<A, _>(&mut self.pages(), &self.operations);
    }

    fn buffer(&self) -> impl Memory + use<> {
        Buffer::new(self.remainder, self.length)
    }

    fn pages(&self) -> impl Memory + use<> {
        Pages::new(self.remainder, self.pages_before, self.pages_limit)
    }
}

/// A buffer for an arena, and operations on the arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArenaCase {
    /// The remainder of the buffer's address.
    pub remainder: usize,
    /// The length of the buffer.
    pub length: usize,
    /// The operations.
    pub operations: Vec<ArenaOperation>,
}

impl ArenaCase {
    /// Decodes a case. Any bytes are valid, and missing bytes are zero.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut bytes = bytes.iter().copied();
        let mut next = || bytes.next();
        let mut case = Self {
            remainder: pair(&mut next),
            length: pair(&mut next) % 4400,
            operations: Vec::new(),
        };
        while case.operations.len() < MOST_OPERATIONS
            && let Some(code) = next()
        {
            case.operations.push(arena_operation(code, &mut next));
        }
        case
    }

    /// Runs the case.
    pub fn run(&self) {
        arena::run(self.remainder, self.length, &self.operations);
    }
}

/// Decodes an operation from its code and the bytes after it. The low four bits of the code select
/// the operation, the next one the end, and the rest is an alignment, a block or a mark.
fn arena_operation(code: u8, next: &mut impl FnMut() -> Option<u8>) -> ArenaOperation {
    use ArenaOperation as Do;
    let top = code & 0x10 != 0;
    let high = code >> 5;
    let small_align = high % 5;
    match code & 0xF {
        0 | 1 => Do::Allocate {
            top,
            size: size(next),
            align_bits: small_align,
        },
        2 => Do::Allocate {
            top,
            size: size(next),
            align_bits: align_bits(next().unwrap_or(0) & 0x1F),
        },
        3 => Do::AllocateZeroed {
            top,
            size: size(next),
            align_bits: small_align,
        },
        4 => Do::Bytes {
            top,
            size: size(next),
        },
        5 | 6 => Do::Deallocate { block: high.into() },
        7 | 8 => {
            let (block, align_bits, more) = (
                high.into(),
                align_bits(next().unwrap_or(0) & 0x1F),
                size(next),
            );
            if top {
                Do::GrowZeroed {
                    block,
                    more,
                    align_bits,
                }
            } else {
                Do::Grow {
                    block,
                    more,
                    align_bits,
                }
            }
        }
        9 | 10 => Do::Shrink {
            block: high.into(),
            align_bits: align_bits(next().unwrap_or(0) & 0x1F),
            less: size(next),
        },
        11 => Do::Keep {
            top,
            kind: high,
            number: next().unwrap_or(0) % 40,
        },
        12 => Do::Mark { top },
        13 => Do::Rewind { mark: high.into() },
        14 => Do::ResetEnd { top },
        _ => match high {
            0 | 1 => Do::Reset,
            2 | 3 => Do::ResetUnchecked,
            4 | 5 => Do::ResetTopUnchecked,
            _ => Do::ClearPeaks,
        },
    }
}

fn pair(next: &mut impl FnMut() -> Option<u8>) -> usize {
    usize::from(next().unwrap_or(0)) | usize::from(next().unwrap_or(0)) << 8
}

/// Decodes an operation from its code, whose high bits are an operand, and the bytes after it.
fn operation(code: u8, next: &mut impl FnMut() -> Option<u8>) -> Operation {
    let high = code >> 3;
    match code & 7 {
        0 | 1 => Operation::Alloc {
            size: size(next),
            align_bits: align_bits(high),
        },
        2 => Operation::AllocZeroed {
            size: size(next),
            align_bits: align_bits(high),
        },
        3 | 4 => Operation::Dealloc { block: high.into() },
        5 | 6 => Operation::Realloc {
            block: high.into(),
            new_size: size(next),
        },
        _ if high % 4 == 3 => Operation::OthersRace,
        _ => Operation::OthersTake {
            pages: usize::from(high % 4),
        },
    }
}

/// Powers of two up to 2^16, most of them for two codes, and the largest one.
fn align_bits(code: u8) -> u8 {
    match code {
        0..=16 => code,
        17..=30 => code - 17,
        _ => 63,
    }
}

/// One byte for a small size, two for a larger one: up to the length of a buffer, near a number of
/// quarters of a page, and up to sizes that no memory has.
fn size(next: &mut impl FnMut() -> Option<u8>) -> usize {
    let first = next().unwrap_or(0);
    if first < 0xC0 {
        return first.into();
    }
    let (low, more) = (usize::from(first), usize::from(next().unwrap_or(0)));
    match first {
        0xC0..0xE0 => (low - 0xC0) << 8 | more,
        0xE0..0xF8 => ((low - 0xDF) * (PAGE_SIZE / 4) + more).saturating_sub(128),
        0xF8..0xFC => 1 << (more % 63),
        _ => isize::MAX as usize - (more << (4 * (low - 0xFC))),
    }
}
