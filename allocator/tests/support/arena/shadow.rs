//! Runs every operation on the arena and on the model.

use core::alloc::Layout;
use core::ops::Range;
use core::ptr::NonNull;
use std::collections::HashMap;

use allocator::allocator_api2::alloc::{AllocError, Allocator};
use allocator::{Arena, BottomMark, RewindError, TopMark};

use super::ArenaOperation;
use super::contents::{Aligned, Block, Handle};
use super::model::{Model, end, room};

/// A handle, whether its value should be live, and the used bytes of its end just after it.
struct Kept {
    handle: Handle,
    live: bool,
    top: bool,
    reach: u128,
}

#[derive(Clone, Copy)]
enum AnyMark {
    Bottom(BottomMark),
    Top(TopMark),
}

struct Marked {
    mark: AnyMark,
    used: u128,
    epoch: u64,
}

/// The expected contents of the arena.
pub struct Shadow {
    model: Model,
    blocks: Vec<Block>,
    kept: Vec<Kept>,
    marks: Vec<Marked>,
    next_tag: u8,
}

impl Shadow {
    pub fn new(region: Range<usize>) -> Self {
        Self {
            model: Model {
                start: region.start as u128,
                end: region.end as u128,
                ends: Default::default(),
                epoch: 0,
                before: HashMap::new(),
            },
            blocks: Vec::new(),
            kept: Vec::new(),
            marks: Vec::new(),
            next_tag: 1,
        }
    }

    pub fn step(&mut self, arena: &mut Arena, operation: &ArenaOperation) {
        match *operation {
            ArenaOperation::Allocate {
                top,
                size,
                align_bits,
            } => {
                if let Some(layout) = layout(size, align_bits) {
                    let block = with_end(arena, top, |end| end.allocate(layout));
                    self.new_block(block, layout, top, false);
                }
            }
            ArenaOperation::AllocateZeroed {
                top,
                size,
                align_bits,
            } => {
                if let Some(layout) = layout(size, align_bits) {
                    let block = with_end(arena, top, |end| end.allocate_zeroed(layout));
                    self.new_block(block, layout, top, true);
                }
            }
            ArenaOperation::Bytes { top, size } => {
                let block = if top {
                    arena.alloc_top_bytes(size)
                } else {
                    arena.alloc_bottom_bytes(size)
                };
                match layout(size, 0) {
                    Some(layout) => self.new_block(block, layout, top, false),
                    None => assert_eq!(block, Err(AllocError)),
                }
            }
            ArenaOperation::Deallocate { block } => {
                if self.blocks.is_empty() {
                    return;
                }
                let block = self.blocks.swap_remove(block % self.blocks.len());
                self.model.deallocate(&block);
                with_end(arena, block.top, |end| {
                    // SAFETY: the block is live, from this end, and has this layout.
                    unsafe { end.deallocate(block.pointer, block.layout) };
                });
            }
            ArenaOperation::Grow {
                block,
                more,
                align_bits,
            } => self.resize(arena, block, align_bits, operation, |size| {
                size.checked_add(more)
            }),
            ArenaOperation::GrowZeroed {
                block,
                more,
                align_bits,
            } => self.resize(arena, block, align_bits, operation, |size| {
                size.checked_add(more)
            }),
            ArenaOperation::Shrink {
                block,
                less,
                align_bits,
            } => self.resize(arena, block, align_bits, operation, |size| {
                Some(size - less % (size + 1))
            }),
            ArenaOperation::Keep { top, kind, number } => self.keep(arena, top, kind, number),
            ArenaOperation::Mark { top } => self.marks.push(Marked {
                mark: if top {
                    AnyMark::Top(arena.top_mark())
                } else {
                    AnyMark::Bottom(arena.bottom_mark())
                },
                used: self.model.ends[end(top)].used,
                epoch: self.model.epoch,
            }),
            ArenaOperation::Rewind { mark } => self.rewind(arena, mark),
            ArenaOperation::ResetEnd { top } => {
                self.forget(top, 0);
                let done = if top {
                    // SAFETY: the driver has just forgotten the blocks of this end.
                    unsafe { arena.reset_top() }
                } else {
                    // SAFETY: the driver has just forgotten the blocks of this end.
                    unsafe { arena.reset_bottom() }
                };
                assert_eq!(done, Ok(()));
            }
            ArenaOperation::ResetTopUnchecked => {
                self.begin_epoch();
                self.reset_end(true);
                // SAFETY: the driver has just forgotten the blocks of this end.
                let done = unsafe { arena.reset_top_unchecked() };
                assert_eq!(done, Ok(()));
            }
            ArenaOperation::Reset => {
                self.begin_epoch();
                self.reset_end(false);
                self.reset_end(true);
                assert_eq!(arena.reset(), Ok(()));
            }
            ArenaOperation::ResetUnchecked => {
                self.begin_epoch();
                self.reset_end(false);
                self.reset_end(true);
                // SAFETY: the driver has just forgotten all blocks.
                let done = unsafe { arena.reset_unchecked() };
                assert_eq!(done, Ok(()));
            }
            ArenaOperation::ClearPeaks => {
                arena.clear_peaks();
                for end in &mut self.model.ends {
                    end.peak = end.used;
                }
            }
        }
    }

    /// Compares the arena's block for `layout` with the model's, and fills it.
    fn new_block(
        &mut self,
        block: Result<NonNull<[u8]>, AllocError>,
        layout: Layout,
        top: bool,
        zeroed: bool,
    ) {
        let expected = (layout.size() > 0).then(|| self.model.allocate(top, layout));
        let Some(pointer) = accept(block, layout, expected) else {
            return;
        };
        let mut block = Block {
            pointer,
            layout,
            top,
            tag: self.next_tag(),
        };
        if zeroed {
            assert!(block.bytes().iter().all(|byte| *byte == 0), "not zeroed");
        }
        block.fill();
        self.blocks.push(block);
    }

    fn resize(
        &mut self,
        arena: &Arena,
        block: usize,
        align_bits: u8,
        operation: &ArenaOperation,
        new_size: impl FnOnce(usize) -> Option<usize>,
    ) {
        if self.blocks.is_empty() {
            return;
        }
        let index = block % self.blocks.len();
        let block = &mut self.blocks[index];
        let (pointer, old) = (block.pointer, block.layout);
        let Some(new) = new_size(old.size()).and_then(|size| layout(size, align_bits)) else {
            return;
        };
        let expected = if new.size() == 0 {
            self.model.deallocate(block);
            None
        } else {
            Some(self.model.resize(block, new))
        };
        let moved = with_end(arena, block.top, |end| match operation {
            // SAFETY: the block is live, from this end, and has this layout. The new layout is not
            // smaller.
            ArenaOperation::Grow { .. } => unsafe { end.grow(pointer, old, new) },
            // SAFETY: the block is live, from this end, and has this layout. The new layout is not
            // smaller.
            ArenaOperation::GrowZeroed { .. } => unsafe { end.grow_zeroed(pointer, old, new) },
            // SAFETY: the block is live, from this end, and has this layout. The new layout is not
            // larger.
            _ => unsafe { end.shrink(pointer, old, new) },
        });
        let Some(moved) = accept(moved, new, expected) else {
            // The block must be unchanged, which the check after the step covers.
            return;
        };
        block.pointer = moved;
        block.layout = new;
        let kept = old.size().min(new.size());
        if matches!(operation, ArenaOperation::GrowZeroed { .. }) {
            assert!(
                block.bytes()[kept..].iter().all(|byte| *byte == 0),
                "not zeroed: {operation:?}"
            );
        }
        if new.size() > 0 {
            block.check_first(kept, operation);
        }
        block.fill();
    }

    fn keep(&mut self, arena: &Arena, top: bool, kind: u8, number: u8) {
        let text: String = (0..number)
            .map(|index| char::from(b'a' + index % 26))
            .collect();
        let slice: Vec<u16> = (0..number).map(|index| u16::from(index) * 257).collect();
        let wide = u64::from(number) * 0x0101_0101_0101_0101;
        let (layout, handle) = match kind % 5 {
            0 => (
                Layout::new::<u64>(),
                if top {
                    arena.alloc_top_value(wide)
                } else {
                    arena.alloc_bottom_value(wide)
                }
                .map(|handle| Handle::Number(handle, wide)),
            ),
            1 => (
                Layout::new::<Aligned>(),
                if top {
                    arena.alloc_top_value(Aligned(number))
                } else {
                    arena.alloc_bottom_value(Aligned(number))
                }
                .map(|handle| Handle::Aligned(handle, number)),
            ),
            2 => (
                Layout::new::<()>(),
                if top {
                    arena.alloc_top_value(())
                } else {
                    arena.alloc_bottom_value(())
                }
                .map(Handle::Nothing),
            ),
            3 => (
                Layout::for_value(text.as_str()),
                if top {
                    arena.alloc_top_str(&text)
                } else {
                    arena.alloc_bottom_str(&text)
                }
                .map(|handle| Handle::Text(handle, text)),
            ),
            _ => (
                Layout::for_value(slice.as_slice()),
                if top {
                    arena.alloc_top_slice(&slice)
                } else {
                    arena.alloc_bottom_slice(&slice)
                }
                .map(|handle| Handle::Slice(handle, slice)),
            ),
        };
        let expected = (layout.size() > 0).then(|| self.model.allocate(top, layout));
        match handle {
            Ok(handle) => {
                let found = handle.check(arena).expect("a new handle");
                match expected {
                    Some(address) => assert_eq!(Some(found.start), address),
                    None => assert_eq!(found.len(), 0),
                }
                self.kept.push(Kept {
                    handle,
                    live: true,
                    top,
                    reach: expected.map_or(0, |_| self.model.ends[end(top)].used),
                });
            }
            Err(AllocError) => {
                assert_eq!(expected, Some(None), "fails though there is enough memory")
            }
        }
    }

    fn rewind(&mut self, arena: &Arena, mark: usize) {
        if self.marks.is_empty() {
            return;
        }
        let Marked { mark, used, epoch } = self.marks[mark % self.marks.len()];
        let top = matches!(mark, AnyMark::Top(_));
        let model = &self.model.ends[end(top)];
        let expected = if epoch < model.reset_epoch {
            Err(RewindError::EarlierEpoch)
        } else if used > model.used {
            Err(RewindError::AboveUse)
        } else {
            self.forget(top, used);
            Ok(())
        };
        let done = match mark {
            // SAFETY: if the mark is valid, the driver has just forgotten the blocks beyond it.
            AnyMark::Bottom(mark) => unsafe { arena.rewind_bottom(mark) },
            // SAFETY: if the mark is valid, the driver has just forgotten the blocks beyond it.
            AnyMark::Top(mark) => unsafe { arena.rewind_top(mark) },
        };
        assert_eq!(done, expected);
    }

    /// Lowers an end of the model, and forgets the blocks that this frees.
    fn forget(&mut self, top: bool, used: u128) {
        let model = &mut self.model;
        self.blocks.retain(|block| {
            let (address, size) = (block.address() as u128, room(block.layout));
            block.top != top || size == 0 || model.used_with(top, address, size) <= used
        });
        model.set_used(top, used);
        let frees = |kept: &Kept| kept.live && kept.top == top && kept.reach > used;
        if self.kept.iter().any(frees) {
            self.begin_epoch();
        }
    }

    fn reset_end(&mut self, top: bool) {
        self.forget(top, 0);
        self.model.ends[end(top)].reset_epoch = self.model.epoch;
    }

    fn begin_epoch(&mut self) {
        self.model.epoch += 1;
        for kept in &mut self.kept {
            kept.live = false;
        }
    }

    fn next_tag(&mut self) -> u8 {
        self.next_tag = self.next_tag.wrapping_add(29);
        self.next_tag
    }

    /// Checks figures, contents and addresses.
    pub fn check(&self, arena: &Arena, operation: &ArenaOperation) {
        let figures = [
            arena.bottom_used(),
            arena.bottom_peak(),
            arena.top_used(),
            arena.top_peak(),
            arena.free(),
        ]
        .map(|figure| figure as u128);
        let [bottom, top] = &self.model.ends;
        let expected = [
            bottom.used,
            bottom.peak,
            top.used,
            top.peak,
            self.model.free(),
        ];
        assert_eq!(figures, expected, "figures after {operation:?}");
        assert_eq!(arena.epoch(), self.model.epoch, "after {operation:?}");
        let mut places = Vec::new();
        for block in &self.blocks {
            block.check_first(block.layout.size(), operation);
            places.push(block.address()..block.address() + block.layout.size());
        }
        for kept in &self.kept {
            let found = kept.handle.check(arena);
            assert_eq!(found.is_ok(), kept.live, "a handle after {operation:?}");
            places.extend(found);
        }
        // An empty block overlaps no other one, at any address.
        places.retain(|place| !place.is_empty());
        places.sort_unstable_by_key(|place| place.start);
        for place in &places {
            assert!(
                place.start as u128 >= self.model.start && place.end as u128 <= self.model.end,
                "outside after {operation:?}"
            );
        }
        for pair in places.windows(2) {
            assert!(
                pair[0].end <= pair[1].start,
                "{pair:x?} overlap after {operation:?}"
            );
        }
    }
}

/// Returns `None` if there was not enough memory. `expected` is the model's result, or `None` for
/// an empty block.
fn accept(
    block: Result<NonNull<[u8]>, AllocError>,
    layout: Layout,
    expected: Option<Option<usize>>,
) -> Option<NonNull<u8>> {
    let Ok(block) = block else {
        assert_eq!(expected, Some(None), "fails though there is enough memory");
        return None;
    };
    assert_eq!(block.len(), layout.size());
    let pointer: NonNull<u8> = block.cast();
    let address = pointer.addr().get();
    assert!(address.is_multiple_of(layout.align()), "misaligned");
    if let Some(expected) = expected {
        assert_eq!(Some(address), expected, "another place");
    }
    Some(pointer)
}

fn with_end<R>(arena: &Arena, top: bool, action: impl FnOnce(&dyn Allocator) -> R) -> R {
    if top {
        action(&arena.top_handle())
    } else {
        action(&arena.bottom_handle())
    }
}

/// `None` if no such layout exists.
fn layout(size: usize, align_bits: u8) -> Option<Layout> {
    let align = 1_usize.checked_shl(align_bits.into())?;
    Layout::from_size_align(size, align).ok()
}
