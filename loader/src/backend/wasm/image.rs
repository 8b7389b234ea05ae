//! An instance's memory and globals as they were before its program was entered.

use wasmi::{Global, Val};

use super::memory::{Store, View};

/// Bytes that are compared and set back together.
const CHUNK: usize = 4_096;

static ZEROES: [u8; CHUNK] = [0; CHUNK];

/// The state of an instance, for [`restore`](Self::restore).
pub(super) struct Image {
    /// Length of the memory in bytes.
    length: usize,
    /// The chunks that are not all zeroes, in order, with their numbers.
    chunks: Vec<(usize, Box<[u8]>)>,
    /// Every global that a function can change, and its value.
    globals: Vec<(Global, Val)>,
}

impl Image {
    /// The state that an instance has now.
    pub fn new<U: 'static>(view: &View<Store<U>>, globals: &[Global]) -> Self {
        let memory = view.memory.data(&view.store);
        let chunks = memory.chunks(CHUNK).enumerate();
        let chunks = chunks.filter(|(_, chunk)| !is_zero(chunk));
        let globals = globals.iter();
        Self {
            length: memory.len(),
            chunks: chunks
                .map(|(number, chunk)| (number, chunk.into()))
                .collect(),
            globals: globals
                .map(|global| (*global, global.get(&view.store)))
                .collect(),
        }
    }

    /// Bytes of the chunks.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|(_, chunk)| chunk.len()).sum()
    }

    /// Sets the instance back to this state, and returns whether it has it again: its memory never
    /// becomes shorter.
    ///
    /// The engine does not record where a program has written, so all of the memory is compared.
    pub fn restore<U: 'static>(&self, view: &mut View<Store<U>>) -> bool {
        let memory = view.memory.data_mut(&mut view.store);
        if memory.len() != self.length {
            return false;
        }
        let mut kept = self.chunks.iter().peekable();
        for (number, chunk) in memory.chunks_mut(CHUNK).enumerate() {
            if let Some((_, bytes)) = kept.next_if(|(kept, _)| *kept == number) {
                if *chunk != **bytes {
                    chunk.copy_from_slice(bytes);
                }
            } else if !is_zero(chunk) {
                chunk.fill(0);
            }
        }
        self.globals
            .iter()
            .all(|(global, value)| global.set(&mut view.store, value.clone()).is_ok())
    }
}

fn is_zero(chunk: &[u8]) -> bool {
    *chunk == ZEROES[..chunk.len()]
}
