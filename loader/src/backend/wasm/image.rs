//! An instance's memory and globals as they were before its program was entered.

use wasmi::{Global, Val};

use super::memory::{Store, View};

/// Bytes that are cleared together, if one of them is not zero.
const BLOCK: usize = size_of::<Words>();

/// A block, for the fastest test that the compiler makes of safe code: it turns an expression over
/// these words into vectors. The expression is fast in a build without optimization too.
type Words = [u128; 16];

static ZEROES: [u8; BLOCK] = [0; BLOCK];

/// The state of an instance, for [`restore`](Self::restore).
pub(super) struct Image {
    /// Length of the memory in bytes.
    length: usize,
    /// What is not zero, in order. The rest of the memory is.
    runs: Vec<Run>,
    /// Every global that a function can change, and its value.
    globals: Vec<(Global, Val)>,
}

/// Blocks that are not all zeroes.
struct Run {
    /// The number of zeroes between the run before and this one.
    zeroes: usize,
    bytes: Box<[u8]>,
}

impl Image {
    /// The state that an instance has now.
    pub fn new<U: 'static>(view: &View<Store<U>>, globals: &[Global]) -> Self {
        let memory = view.memory.data(&view.store);
        let globals = globals.iter();
        Self {
            length: memory.len(),
            runs: runs(memory),
            globals: globals
                .map(|global| (*global, global.get(&view.store)))
                .collect(),
        }
    }

    /// Bytes of the runs.
    pub fn bytes(&self) -> usize {
        self.runs.iter().map(|run| run.bytes.len()).sum()
    }

    /// Sets the instance back to this state, and returns whether it has it again: its memory never
    /// becomes shorter.
    ///
    /// The engine does not record where a program has written, so all of the memory is examined.
    pub fn restore<U: 'static>(&self, view: &mut View<Store<U>>) -> bool {
        let memory = view.memory.data_mut(&mut view.store);
        if memory.len() != self.length {
            return false;
        }
        set_back(memory, &self.runs);
        self.globals
            .iter()
            .all(|(global, value)| global.set(&mut view.store, value.clone()).is_ok())
    }
}

/// The blocks of a memory that are not all zeroes. Neighbors are in one run.
fn runs(memory: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut zeroes = 0;
    let mut bytes = Vec::new();
    for block in memory.chunks(BLOCK) {
        if *block != ZEROES[..block.len()] {
            bytes.extend_from_slice(block);
            continue;
        }
        if !bytes.is_empty() {
            let bytes = std::mem::take(&mut bytes).into();
            runs.push(Run { zeroes, bytes });
            zeroes = 0;
        }
        zeroes += block.len();
    }
    if !bytes.is_empty() {
        let bytes = bytes.into();
        runs.push(Run { zeroes, bytes });
    }
    runs
}

/// Sets a memory back to what it was when its [`runs`] were taken. It has the same length.
fn set_back(memory: &mut [u8], runs: &[Run]) {
    let mut rest = memory;
    for Run { zeroes, bytes } in runs {
        let (cleared, after) = rest.split_at_mut(*zeroes);
        clear(cleared);
        let (run, after) = after.split_at_mut(bytes.len());
        if *run != **bytes {
            run.copy_from_slice(bytes);
        }
        rest = after;
    }
    clear(rest);
}

/// Zeroes memory, most of which is zero already.
fn clear(memory: &mut [u8]) {
    let (before, words, after) = bytemuck::pod_align_to_mut::<u8, u128>(memory);
    let (blocks, rest) = words.as_chunks_mut();
    for block in blocks {
        if !is_zero(block) {
            *block = [0; _];
        }
    }
    before.fill(0);
    rest.fill(0);
    after.fill(0);
}

fn is_zero(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: &Words) -> bool {
    a | b | c | d | e | f | g | h | i | j | k | l | m | n | o | p == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the memories that are tested: some blocks, and a part of one.
    const LENGTH: usize = 5 * BLOCK + 40;

    /// Memories whose addresses differ by less than a word.
    fn for_each_alignment(mut test: impl FnMut(&mut [u8])) {
        for offset in 0..size_of::<u128>() {
            let mut bytes = vec![0; LENGTH + offset];
            test(&mut bytes[offset..]);
        }
    }

    #[test]
    fn every_byte_is_set_back() {
        // The places of the bytes that are not zero at first.
        let starts: [&[usize]; 5] = [
            &[],
            &[0],
            &[LENGTH - 1],
            &[BLOCK, 2 * BLOCK - 1, 4 * BLOCK],
            &[3, BLOCK, LENGTH - 40],
        ];
        for start in starts {
            for_each_alignment(|memory| {
                for place in start {
                    memory[*place] = 7;
                }
                let before = memory.to_vec();
                let runs = runs(memory);
                for place in 0..LENGTH {
                    memory[place] ^= 1;
                    set_back(memory, &runs);
                    assert_eq!(memory, before, "{start:?} {place}");
                }
                memory.fill(0xff);
                set_back(memory, &runs);
                assert_eq!(memory, before, "{start:?}");
            });
        }
    }

    #[test]
    fn only_blocks_that_are_not_zero_are_kept() {
        let mut memory = vec![0; LENGTH];
        for place in [BLOCK, 2 * BLOCK, 4 * BLOCK + 1] {
            memory[place] = 1;
        }
        let found: Vec<_> = runs(&memory)
            .iter()
            .map(|run| (run.zeroes, run.bytes.len()))
            .collect();
        assert_eq!(found, [(BLOCK, 2 * BLOCK), (BLOCK, BLOCK)]);
    }
}
