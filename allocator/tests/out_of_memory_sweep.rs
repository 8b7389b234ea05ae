//! One workload under every limit: the full result, or a clean failure.

mod support;

use core::cell::Cell;

use allocator::PAGE_SIZE;

use support::{
    Algorithm, BASES, Block, Buffer, Bump, Ground, HEADER, Heap, Memory, Pages, Segregated,
    Subject, check_all,
};

/// More bytes than the workload needs at any base.
const ENOUGH: usize = 1600;

#[derive(Clone, Copy, Debug)]
enum Step {
    Alloc(usize, usize),
    AllocZeroed(usize, usize),
    /// The index in the list of blocks, and the new size.
    Realloc(usize, usize),
    /// Frees the last block in the list.
    Drop,
}

/// The calls of a small program: growing strings and tables, and temporary memory.
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

/// Runs the workload, with sizes above 30 bytes multiplied by `times`. Returns the contents of the
/// live blocks, or the number of steps before the failure.
fn work<A: Subject, T: Ground>(heap: &Heap<'_, A, T>, times: usize) -> Result<Vec<u8>, usize> {
    let scale = |size: usize| if size > 30 { size * times } else { size };
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (number, step) in WORKLOAD.into_iter().enumerate() {
        let before = (heap.figures(), heap.limit(), heap.listed());
        let done = match step {
            Step::Alloc(size, align) => heap
                .alloc(scale(size), align)
                .map(|block| blocks.push(block)),
            Step::AllocZeroed(size, align) => {
                heap.alloc_zeroed(scale(size), align).map(|mut block| {
                    assert!(block.is_filled_with(0));
                    block.fill();
                    blocks.push(block);
                })
            }
            Step::Realloc(index, size) => {
                let (block, size) = (&mut blocks[index], scale(size));
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
                (heap.figures(), heap.limit(), heap.listed()),
                before,
                "a failed step changes nothing: {step:?}"
            );
            return Err(number);
        }
    }
    Ok(blocks
        .iter()
        .flat_map(|block| block.bytes().to_vec())
        .collect())
}

/// Runs the workload with every limit up to a little more than `least`, which it needs.
fn sweep<M: Memory, A: Algorithm>(
    memory: impl Fn(usize) -> M,
    times: usize,
    least: usize,
    full: &[u8],
) {
    let mut steps_before = 0;
    for limit in 0..=least + 8 {
        let mut memory = memory(limit);
        match work(&memory.start::<A>(), times) {
            Ok(result) => {
                assert!(limit >= least, "succeeds with a limit of {limit}");
                assert_eq!(result, full);
            }
            Err(steps) => {
                assert!(
                    limit < least,
                    "fails at step {steps} with a limit of {limit}"
                );
                assert!(steps >= steps_before, "a higher limit fails no earlier");
                steps_before = steps;
            }
        }
        memory.check_rest();
    }
    assert!(
        steps_before > 10,
        "the last failure is near the end of the workload"
    );
}

fn every_length<A: Algorithm>() {
    for remainder in BASES {
        let mut buffer = Buffer::new(remainder, ENOUGH);
        let base = buffer.region().start;
        let (full, least) = {
            let heap = buffer.start::<A>();
            let full = work(&heap, 1).expect("enough room");
            let state = state::<A, Buffer>(base);
            (full, state + heap.peak())
        };
        assert_eq!(full.len(), 20 + 96 + 10 + 150 + 200);
        sweep::<_, A>(|length| Buffer::new(remainder, length), 1, least, &full);
    }
}

/// The number of bytes before the first block of a heap at `base`.
fn state<'memory, A: Algorithm, M: Memory + 'memory>(base: usize) -> usize {
    let state = <A::Over<M::Source<'memory>> as Subject>::STATE;
    (base + HEADER).next_multiple_of(state.align()) + state.size() - base
}

/// More pages than the workload needs with sizes multiplied by a thousand.
const ENOUGH_PAGES: usize = 24;

fn every_number_of_pages<A: Algorithm>() {
    for remainder in [0, 8, 4095] {
        for before in [0, 3] {
            let mut pages = Pages::new(remainder, before, ENOUGH_PAGES);
            let full = work(&pages.start::<A>(), 1000).expect("enough pages");
            assert_eq!(full.len(), 20 + 96_000 + 10 + 150_000 + 200_000);
            let least = pages.count();
            assert!(least * PAGE_SIZE > full.len());
            let memory = |limit| Pages::new(remainder, before, limit);
            sweep::<_, A>(memory, 1000, least, &full);
        }
    }
}

macro_rules! has_the_full_result_or_a_clean_failure {
    ($($test:ident: $sweep:expr;)*) => {$(
        #[test]
        fn $test() {
            $sweep();
        }
    )*};
}

has_the_full_result_or_a_clean_failure! {
    bump_with_every_length: every_length::<Bump>;
    bump_with_state_with_every_length: every_length::<Bump<Cell<u64>>>;
    segregated_with_every_length: every_length::<Segregated>;
    bump_with_every_number_of_pages: every_number_of_pages::<Bump>;
    bump_with_state_with_every_number_of_pages: every_number_of_pages::<Bump<Cell<u64>>>;
    segregated_with_every_number_of_pages: every_number_of_pages::<Segregated>;
}
