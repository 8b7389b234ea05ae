//! Reference models: the addresses of each allocator's blocks, and its figures, in numbers that
//! cannot overflow.
//!
//! The models have no bytes.

use core::alloc::Layout;
use core::ops::Range;

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

/// The model of a bump heap.
#[derive(Debug)]
pub struct BumpModel {
    state: Layout,
    open: Option<Open>,
    peak: u128,
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
        let end = address as u128 + layout.size() as u128;
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
        let start = from.next_multiple_of(layout.align() as u128);
        start..start + layout.size() as u128
    }

    /// Grows the memory for a block that would end at `end`, beyond the region. Returns the address
    /// from which the block can be placed.
    fn grow(&mut self, end: u128, layout: Layout, outlook: &mut Outlook) -> Option<u128> {
        let apart = (layout.size() + layout.align() - 1) as u128;
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
        }
    }

    fn alloc(&mut self, layout: Layout, outlook: &mut Outlook) -> Option<usize> {
        let mut place = self.place(self.open.as_ref().map_or(0, |open| open.top), layout);
        if self.move_top(place.end).is_none() {
            let from = self.grow(place.end, layout, outlook)?;
            place = self.place(from, layout);
            self.move_top(place.end)
                .expect("the memory has grown for it");
        }
        Some(narrow(place.start))
    }

    fn dealloc(&mut self, address: usize, layout: Layout) {
        if self.is_newest(address, layout) {
            self.move_top(address as u128)
                .expect("a block in the region");
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
            return if new.size() <= layout.size() {
                Some(address)
            } else {
                self.alloc(new, outlook)
            };
        }
        let end = address as u128 + new.size() as u128;
        if self.move_top(end).is_none() {
            let top = self.open.as_ref().expect("a heap with a block").top;
            let from = self.grow(end, new, outlook)?;
            if from != top {
                let place = self.place(from, new);
                self.move_top(place.end)
                    .expect("the memory has grown for it");
                return Some(narrow(place.start));
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
    free: [Vec<usize>; 4],
}

const CLASSES: [usize; 4] = [16, 32, 64, 128];

/// The class that a layout belongs to, if any.
pub fn class_of(layout: Layout) -> Option<usize> {
    let fits = |size: &usize| layout.size() > 0 && layout.size() <= *size && layout.align() <= 16;
    CLASSES.iter().position(fits)
}

/// The layout of the block that is reserved for a layout, if there can be one.
fn block_of(layout: Layout) -> Option<Layout> {
    let size = class_of(layout).map_or(layout.size(), |class| CLASSES[class]);
    Layout::from_size_align(size, layout.align().max(16)).ok()
}

impl Model for SegregatedModel {
    fn new(region: Option<Range<usize>>, state: Layout) -> Self {
        Self {
            bump: BumpModel::new(region, state),
            free: Default::default(),
        }
    }

    fn alloc(&mut self, layout: Layout, outlook: &mut Outlook) -> Option<usize> {
        let listed = class_of(layout).and_then(|class| self.free[class].pop());
        listed.or_else(|| self.bump.alloc(block_of(layout)?, outlook))
    }

    fn dealloc(&mut self, address: usize, layout: Layout) {
        match class_of(layout) {
            Some(class) => self.free[class].push(address),
            None => self.bump.dealloc(address, layout),
        }
    }

    fn realloc(
        &mut self,
        address: usize,
        layout: Layout,
        new: Layout,
        outlook: &mut Outlook,
    ) -> Option<usize> {
        let (old_class, new_class) = (class_of(layout), class_of(new));
        if old_class.is_some() && old_class == new_class {
            return Some(address);
        }
        let old_block = block_of(layout).expect("the layout of a live block");
        let new_block = block_of(new)?;
        let is_newest = self.bump.is_newest(address, old_block);
        let grows = new_block.size() > old_block.size();
        let is_listed = match (old_class, new_class) {
            (Some(_), Some(class)) => !self.free[class].is_empty(),
            (None, Some(class)) => is_newest && !self.free[class].is_empty(),
            _ => false,
        };
        if is_newest && !is_listed {
            let resized = self.bump.realloc(address, old_block, new_block, outlook)?;
            // The block has moved into grown memory, so its old block goes into the list.
            if resized != address && old_class.is_some() {
                self.dealloc(address, layout);
            }
            return Some(resized);
        }
        if !is_newest && !grows && !is_listed {
            if let (Some(old_class), Some(new_class)) = (old_class, new_class) {
                let rest = new_class..old_class;
                for (list, size) in self.free[rest.clone()].iter_mut().zip(&CLASSES[rest]) {
                    list.push(address + size);
                }
            }
            return Some(address);
        }
        let moved = self.alloc(new, outlook)?;
        if is_newest {
            self.bump.dealloc(address, old_block);
        } else {
            self.dealloc(address, layout);
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
        let lists = self.free.iter().zip(CLASSES);
        lists.map(|(list, size)| list.len() * size).sum()
    }

    fn end(&self) -> Option<usize> {
        self.bump.end()
    }
}

fn narrow(number: u128) -> usize {
    usize::try_from(number).expect("inside the address space")
}
