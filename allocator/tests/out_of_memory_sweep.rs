//! One workload on every heap length from nothing to enough: all of its result, or a clean refusal.

mod support;

use allocator::HeapSource;
use bytemuck::Zeroable;

use support::{BASES, Block, Buffer, Heap, check_all};

/// More than the workload takes at any base.
const ENOUGH: usize = 1200;

#[derive(Clone, Copy, Debug)]
enum Step {
    Alloc(usize, usize),
    AllocZeroed(usize, usize),
    /// The place in the list of blocks, and the new size.
    Realloc(usize, usize),
    /// The last in the list.
    Drop,
}

/// What a small program does: strings and tables that grow, scratch memory that comes and goes.
const WORKLOAD: [Step; 14] = [
    Step::Alloc(5, 1),
    Step::AllocZeroed(48, 8),
    Step::Realloc(0, 40),
    Step::Alloc(33, 16),
    Step::Realloc(2, 70),
    Step::Drop,
    Step::Realloc(1, 96),
    Step::AllocZeroed(24, 4),
    Step::Realloc(2, 10),
    Step::AllocZeroed(100, 64),
    Step::Drop,
    Step::AllocZeroed(150, 1),
    Step::Realloc(0, 20),
    Step::Alloc(200, 32),
];

/// Runs the workload: the contents of what is left, or the number of steps before the refusal.
fn work<G: Zeroable, S: HeapSource>(heap: &Heap<'_, G, S>) -> Result<Vec<u8>, usize> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (number, step) in WORKLOAD.into_iter().enumerate() {
        let before = heap.figures();
        let done = match step {
            Step::Alloc(size, align) => heap.alloc(size, align).map(|block| blocks.push(block)),
            Step::AllocZeroed(size, align) => heap.alloc_zeroed(size, align).map(|mut block| {
                assert!(block.is_filled_with(0));
                block.fill();
                blocks.push(block);
            }),
            Step::Realloc(index, size) => {
                let block = &mut blocks[index];
                let common = block.size().min(size);
                heap.realloc(block, size).then(|| {
                    block.check_first(common);
                    block.fill();
                })
            }
            Step::Drop => blocks.pop().map(|block| heap.dealloc(block)),
        };
        check_all(&blocks);
        if done.is_none() {
            assert_eq!(
                heap.figures(),
                before,
                "a refusal changes nothing: {step:?}"
            );
            return Err(number);
        }
    }
    Ok(blocks
        .iter()
        .flat_map(|block| block.bytes().to_vec())
        .collect())
}

fn sweep<G: Zeroable>() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, ENOUGH);
        let (full, least) = {
            let base = buffer.region().start;
            let heap = buffer.heap::<G>();
            let full = work(&heap).expect("enough room");
            // What lies before the blocks is as long as it takes to get to the global and past it.
            let global = core::ptr::from_ref(heap.global()).addr() - base + size_of::<G>();
            (full, global + heap.peak())
        };
        assert_eq!(full.len(), 20 + 96 + 10 + 150 + 200);

        let mut steps_before = 0;
        for length in 0..=least + 8 {
            let mut buffer = Buffer::new(remainder, length);
            match work(&buffer.heap::<G>()) {
                Ok(result) => {
                    assert!(length >= least, "{length} bytes cannot be enough");
                    assert_eq!(result, full);
                }
                Err(steps) => {
                    assert!(
                        length < least,
                        "{length} bytes are enough, refused at step {steps}"
                    );
                    assert!(steps >= steps_before, "a longer heap refuses no earlier");
                    steps_before = steps;
                }
            }
        }
        assert!(
            steps_before > 10,
            "the sweep ends in a refusal near the end of the workload"
        );
    }
}

#[test]
fn every_length_gives_the_full_result_or_a_clean_refusal() {
    sweep::<()>();
}

#[test]
fn with_global_state_every_length_gives_the_full_result_or_a_clean_refusal() {
    sweep::<core::cell::Cell<u64>>();
}
