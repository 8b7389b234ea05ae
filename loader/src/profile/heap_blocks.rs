//! Who has the heap: blocks, and the places in the program that allocated them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use abi::heap::HeapTrace;

/// The most blocks that are remembered, and the most places that have lost bytes.
const MAX_BLOCKS: usize = 1 << 18;

/// A place in the program: the way to a function, and the instruction in it.
pub(super) type Site = (u32, u32);

/// Bytes of the heap that were allocated at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldAt {
    pub site: Site,
    pub bytes: u64,
    /// The number of blocks.
    pub blocks: u64,
}

/// The blocks of a heap that counts, while the program runs.
#[derive(Default)]
pub(super) struct HeapBlocks {
    /// The size of each live block, and the place of its allocation, by its address.
    live: BTreeMap<u64, (u64, Site)>,
    /// The bytes that the heap has lost by the place of the allocation of the block that lost them,
    /// and how many times blocks lost some.
    leaked: BTreeMap<Site, (u64, u64)>,
    /// All of them.
    leaked_bytes: u64,
}

impl HeapBlocks {
    /// Writes down what the last call of the allocator did, which is called at this place.
    pub fn note(&mut self, trace: &HeapTrace, site: Site) {
        let freed = self.live.remove(&trace.freed);
        if trace.allocated != 0 && self.live.len() < MAX_BLOCKS {
            self.live.insert(trace.allocated, (trace.size, site));
        }
        let owner = freed.map_or(site, |(_, site)| site);
        if trace.leaked >= self.leaked_bytes {
            self.lose(owner, trace.leaked - self.leaked_bytes);
        } else {
            self.find(owner, self.leaked_bytes - trace.leaked);
        }
        self.leaked_bytes = trace.leaked;
    }

    fn lose(&mut self, owner: Site, bytes: u64) {
        let is_known = self.leaked.len() < MAX_BLOCKS || self.leaked.contains_key(&owner);
        if bytes > 0 && is_known {
            let (lost, times) = self.leaked.entry(owner).or_default();
            // A blob may claim any number.
            *lost = lost.saturating_add(bytes);
            *times += 1;
        }
    }

    /// The heap can use some bytes again: those that this place has lost, or else any.
    fn find(&mut self, owner: Site, mut bytes: u64) {
        let mut next = match self.leaked.entry(owner) {
            Entry::Occupied(own) => Some(own),
            Entry::Vacant(_) => self.leaked.first_entry(),
        };
        while let Some(mut site) = next {
            let (lost, _) = site.get_mut();
            let found = bytes.min(*lost);
            *lost -= found;
            bytes -= found;
            if *lost == 0 {
                site.remove();
            }
            if bytes == 0 {
                break;
            }
            next = self.leaked.first_entry();
        }
    }

    /// The live blocks by the place of their allocation.
    pub fn live_at(&self) -> Vec<HeldAt> {
        let mut sums: BTreeMap<Site, (u64, u64)> = BTreeMap::new();
        for (size, site) in self.live.values() {
            let (bytes, blocks) = sums.entry(*site).or_default();
            *bytes = bytes.saturating_add(*size);
            *blocks += 1;
        }
        held(sums)
    }

    /// The lost bytes by the place of the allocation.
    pub fn leaked_at(self) -> Vec<HeldAt> {
        held(self.leaked)
    }
}

fn held(sums: BTreeMap<Site, (u64, u64)>) -> Vec<HeldAt> {
    let held = sums.into_iter().map(|(site, (bytes, blocks))| HeldAt {
        site,
        bytes,
        blocks,
    });
    held.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(allocated: u64, freed: u64, leaked: u64) -> HeapTrace {
        HeapTrace {
            allocated,
            freed,
            leaked,
            size: 10,
            ..HeapTrace::default()
        }
    }

    #[test]
    fn lost_bytes_belong_to_the_place_of_the_allocation() {
        let mut blocks = HeapBlocks::default();
        let (one, other, freeing) = ((0, 1), (0, 2), (0, 3));
        blocks.note(&call(100, 0, 0), one);
        // Rounding.
        blocks.note(&call(200, 0, 6), other);
        // A block that the heap does not take back.
        blocks.note(&call(0, 100, 16), freeing);
        let all = |blocks: &HeapBlocks| blocks.leaked.clone();
        assert_eq!(
            all(&blocks),
            BTreeMap::from([(one, (10, 1)), (other, (6, 1))])
        );
        assert_eq!(
            blocks.live_at(),
            [HeldAt {
                site: other,
                bytes: 10,
                blocks: 1
            }]
        );
        // One that it takes back, with its rounding and four bytes more.
        blocks.note(&call(0, 200, 6), freeing);
        assert_eq!(all(&blocks), BTreeMap::from([(one, (6, 1))]));
        assert_eq!(blocks.leaked_at()[0].bytes, 6);
    }

    #[test]
    fn figures_of_a_hostile_blob_do_no_harm() {
        let mut blocks = HeapBlocks::default();
        for leaked in [u64::MAX, 0, u64::MAX, 5, u64::MAX] {
            blocks.note(&call(8, 8, leaked), (0, 1));
            blocks.note(&call(u64::MAX, 3, leaked), (0, 2));
        }
        assert_eq!(
            blocks.leaked_at().iter().map(|held| held.bytes).max(),
            Some(u64::MAX)
        );
    }

    /// The places are bounded, and each call of the heap takes a short time.
    #[test]
    fn a_hostile_blob_names_any_number_of_places() {
        let mut blocks = HeapBlocks::default();
        let places = MAX_BLOCKS as u32 + 10;
        for place in 0..places {
            blocks.note(&call(0, 0, u64::from(place) + 1), (0, place));
        }
        assert_eq!(blocks.leaked.len(), MAX_BLOCKS);
        // The last place is not known, so it takes back what others have lost.
        for place in (0..places).rev() {
            blocks.note(&call(0, 0, place.into()), (0, places));
        }
        assert!(blocks.leaked.is_empty());
    }
}
