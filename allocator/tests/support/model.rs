//! Reference models: the addresses of each allocator's blocks, and its figures, in numbers that
//! cannot overflow.
//!
//! The models have no bytes.

use core::alloc::Layout;
use core::ops::Range;
use std::collections::HashMap;

use super::{HEADER, Outlook};

/// The model of an allocator.
///
/// A call that may request more memory from the source takes an [`Outlook`], and updates it as the
/// memory should change.
pub trait Model {
    /// A heap in a region, with `state` before its blocks. Without a region, the heap is empty so
    /// far.
    fn new(region: Option<Range<usize>>, state: Layout) -> Self;

    fn alloc(&mut self, layout: Layout, outlook: &mut Outlook) -> Option<usize>;
    fn dealloc(&mut self, address: usize, layout: Layout);
    fn realloc(
        &mut self,
        address: usize,
        layout: Layout,
        new: Layout,
        outlook: &mut Outlook,
    ) -> Option<usize>;

    fn used(&self) -> usize;
    fn peak(&self) -> usize;
    fn listed(&self) -> usize;
    /// The end of the heap, if it has a region.
    fn end(&self) -> Option<usize>;
}

/// What every block is aligned to, and takes a multiple of.
const GRAIN: u128 = 8;

/// The bytes that are kept below a block with a larger alignment.
const RECORD: u128 = 4;

/// The bytes that a block takes.
fn room(layout: Layout) -> u128 {
    (layout.size() as u128).next_multiple_of(GRAIN)
}

/// What a bump heap does.
#[derive(Debug)]
pub struct BumpModel {
    state: Layout,
    open: Option<Open>,
    peak: u128,
    /// What the top was before each block with a large alignment.
    tops: HashMap<usize, u128>,
}

/// A heap with a region, in addresses.
#[derive(Debug)]
struct Open {
    base: u128,
    first: u128,
    top: u128,
    end: u128,
}

impl Open {
    /// `None` if the state does not fit, so that the heap allocates nothing.
    fn new(region: Range<u128>, state: Layout) -> Option<Self> {
        let place = (region.start + HEADER as u128).next_multiple_of(state.align() as u128);
        let first = place + state.size() as u128;
        (first <= region.end).then_some(Self {
            base: region.start,
            first,
            top: first,
            end: region.end,
        })
    }
}

impl BumpModel {
    fn is_newest(&self, address: usize, layout: Layout) -> bool {
        let end = address as u128 + room(layout);
        self.open.as_ref().is_some_and(|open| open.top == end)
    }

    /// Moves the top to `end` if that is within the region.
    fn move_top(&mut self, end: u128) -> Option<()> {
        let open = self.open.as_mut().filter(|open| end <= open.end)?;
        open.top = end;
        self.peak = self.peak.max(end - open.first);
        Some(())
    }

    fn place(&self, from: u128, layout: Layout) -> Range<u128> {
        let align = layout.align() as u128;
        let start = if align <= GRAIN {
            from.next_multiple_of(GRAIN)
        } else {
            (from + RECORD).next_multiple_of(align)
        };
        start..start + room(layout)
    }

    /// Makes a block above `from` the newest, if it fits.
    fn put(&mut self, from: u128, layout: Layout) -> Option<usize> {
        let place = self.place(from, layout);
        self.move_top(place.end)?;
        let address = narrow(place.start);
        if layout.align() as u128 > GRAIN {
            self.tops.insert(address, from);
        }
        Some(address)
    }

    /// Grows the memory for a block that would end at `end`, beyond the region. Returns the address
    /// from which the block can be placed.
    fn grow(&mut self, end: u128, layout: Layout, outlook: &mut Outlook) -> Option<u128> {
        let align = layout.align() as u128;
        let gap = if align <= GRAIN {
            GRAIN - 1
        } else {
            align - 1 + RECORD
        };
        let apart = room(layout) + gap;
        let Some(open) = &mut self.open else {
            let state = (self.state.size() + self.state.align() - 1) as u128;
            let added = outlook.grow(None, 0, apart + state)?;
            self.open = Open::new(added, self.state);
            return self.open.as_ref().map(|open| open.first);
        };
        let added = outlook.grow(Some(open.base..open.end), end - open.end, apart)?;
        let adjoins = added.start == open.end;
        open.end = added.end;
        Some(if adjoins { open.top } else { added.start })
    }
}

impl Model for BumpModel {
    fn new(region: Option<Range<usize>>, state: Layout) -> Self {
        let open =
            region.and_then(|region| Open::new(region.start as u128..region.end as u128, state));
        Self {
            state,
            open,
            peak: 0,
            tops: HashMap::new(),
        }
    }

    fn alloc(&mut self, layout: Layout, outlook: &mut Outlook) -> Option<usize> {
        let top = self.open.as_ref().map_or(0, |open| open.top);
        if let Some(address) = self.put(top, layout) {
            return Some(address);
        }
        let end = self.place(top, layout).end;
        let from = self.grow(end, layout, outlook)?;
        Some(self.put(from, layout).expect("room was made for it"))
    }

    fn dealloc(&mut self, address: usize, layout: Layout) {
        if self.is_newest(address, layout) {
            let below = match layout.align() as u128 <= GRAIN {
                true => address as u128,
                false => self.tops[&address],
            };
            self.move_top(below).expect("a block in the room");
        }
    }

    fn realloc(
        &mut self,
        address: usize,
        layout: Layout,
        new: Layout,
        outlook: &mut Outlook,
    ) -> Option<usize> {
        if !self.is_newest(address, layout) {
            return if room(new) <= room(layout) {
                Some(address)
            } else {
                self.alloc(new, outlook)
            };
        }
        let end = address as u128 + room(new);
        if self.move_top(end).is_none() {
            let top = self.open.as_ref().expect("a heap with a block").top;
            let from = self.grow(end, new, outlook)?;
            if from != top {
                return Some(self.put(from, new).expect("room was made for it"));
            }
            self.move_top(end).expect("the memory has grown for it");
        }
        Some(address)
    }

    fn used(&self) -> usize {
        let used = self.open.as_ref().map_or(0, |open| open.top - open.first);
        narrow(used)
    }

    fn peak(&self) -> usize {
        narrow(self.peak)
    }

    fn listed(&self) -> usize {
        0
    }

    fn end(&self) -> Option<usize> {
        self.open.as_ref().map(|open| narrow(open.end))
    }
}

/// The model of a heap with size classes: a bump heap, and a stack of free blocks for each class.
#[derive(Debug)]
pub struct SegregatedModel {
    bump: BumpModel,
    classes: Vec<usize>,
    free: Vec<Vec<usize>>,
    /// The block around each block with a large alignment.
    around: HashMap<usize, usize>,
}

impl SegregatedModel {
    /// The class of a layout of its own, and otherwise of the block around it. `None` if no block
    /// is that long.
    fn class_of(&self, layout: Layout) -> Option<usize> {
        let size = match is_plain(layout) {
            true => layout.size(),
            false => layout.size() + layout.align(),
        };
        self.classes.iter().position(|class| size <= *class)
    }

    fn block(&self, class: usize) -> Layout {
        Layout::from_size_align(self.classes[class], 8).expect("shorter than the address space")
    }

    fn take(&mut self, class: usize, outlook: &mut Outlook) -> Option<usize> {
        let listed = self.free[class].pop();
        listed.or_else(|| self.bump.alloc(self.block(class), outlook))
    }

    fn give(&mut self, class: usize, address: usize) {
        let block = self.block(class);
        if block.size() > 128 && self.bump.is_newest(address, block) {
            self.bump.dealloc(address, block);
        } else {
            self.free[class].push(address);
        }
    }

    /// Frees the end of a block, which stays as a block of a shorter class.
    fn split(&mut self, block: usize, old_class: usize, new_class: usize) {
        let mut rest = block + self.classes[new_class];
        let end = block + self.classes[old_class];
        while rest < end {
            let class = self.classes.iter().rposition(|class| *class <= end - rest);
            let class = class.expect("a multiple of the smallest class");
            self.free[class].push(rest);
            rest += self.classes[class];
        }
    }
}

fn is_plain(layout: Layout) -> bool {
    layout.align() <= 8
}

impl Model for SegregatedModel {
    fn new(region: Option<Range<usize>>, state: Layout) -> Self {
        let mut classes = vec![16, 32, 64, 128];
        for doubling in (7..usize::BITS - 1).map(|bits| 1_usize << bits) {
            classes.extend((5..=8).map(|quarters| doubling / 4 * quarters));
        }
        classes.retain(|class| *class <= isize::MAX as usize);
        Self {
            bump: BumpModel::new(region, state),
            free: vec![Vec::new(); classes.len()],
            classes,
            around: HashMap::new(),
        }
    }

    fn alloc(&mut self, layout: Layout, outlook: &mut Outlook) -> Option<usize> {
        let Some(class) = self.class_of(layout) else {
            // It fits nowhere, and the memory that there is does not change.
            return None;
        };
        let block = self.take(class, outlook)?;
        if is_plain(layout) {
            return Some(block);
        }
        let address = (block + 1).next_multiple_of(layout.align());
        self.around.insert(address, block);
        Some(address)
    }

    fn dealloc(&mut self, address: usize, layout: Layout) {
        let class = self.class_of(layout).expect("the class of a live block");
        match is_plain(layout) {
            true => self.give(class, address),
            false => self.give(class, self.around[&address]),
        }
    }

    fn realloc(
        &mut self,
        address: usize,
        layout: Layout,
        new: Layout,
        outlook: &mut Outlook,
    ) -> Option<usize> {
        let old_class = self.class_of(layout).expect("the class of a live block");
        let new_class = self.class_of(new)?;
        if old_class == new_class {
            return Some(address);
        }
        if !is_plain(layout) {
            if let Some(moved) = self.alloc(new, outlook) {
                self.dealloc(address, layout);
                return Some(moved);
            }
            if new_class > old_class {
                return None;
            }
            self.split(self.around[&address], old_class, new_class);
            return Some(address);
        }
        let (old_block, new_block) = (self.block(old_class), self.block(new_class));
        let is_newest = self.bump.is_newest(address, old_block);
        let is_listed = !self.free[new_class].is_empty();
        if is_newest && !is_listed {
            let resized = self.bump.realloc(address, old_block, new_block, outlook)?;
            // Moved to where the memory has grown, it leaves the old block to the list.
            if resized != address {
                self.free[old_class].push(address);
            }
            return Some(resized);
        }
        if !is_listed && new_class < old_class {
            self.split(address, old_class, new_class);
            return Some(address);
        }
        let moved = self.take(new_class, outlook)?;
        if is_newest {
            self.bump.dealloc(address, old_block);
        } else {
            self.free[old_class].push(address);
        }
        Some(moved)
    }

    fn used(&self) -> usize {
        self.bump.used()
    }

    fn peak(&self) -> usize {
        self.bump.peak()
    }

    fn listed(&self) -> usize {
        let lists = self.free.iter().zip(&self.classes);
        lists.map(|(list, size)| list.len() * size).sum()
    }

    fn end(&self) -> Option<usize> {
        self.bump.end()
    }
}

fn narrow(number: u128) -> usize {
    usize::try_from(number).expect("inside the address space")
}
