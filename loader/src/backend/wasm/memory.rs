//! A module's memory: the loader checks every access, and bounds the pages that are added.

use std::ops::Range;

use abi::wasm::PAGE_LENGTH;
use wasmi::{AsContextMut, Memory, StoreLimits, StoreLimitsBuilder};

use crate::backend::{GuestMemory, Inaccessible};

/// Bytes of a page.
pub(crate) const PAGE: u64 = PAGE_LENGTH as u64;

/// The most elements of a table. Those of a program are the functions that it calls by pointers.
pub(super) const MAX_TABLE_ELEMENTS: usize = 1 << 16;

/// The data of a store, besides the instance.
pub(crate) struct Data<U> {
    pub limits: StoreLimits,
    pub user: U,
}

/// A store with an instance.
pub(crate) type Store<U> = wasmi::Store<Data<U>>;

/// The limits of an instance whose memory has at most so many bytes.
pub(crate) fn store_limits(memory: u64) -> StoreLimits {
    StoreLimitsBuilder::new()
        .memory_size(usize::try_from(memory).unwrap_or(usize::MAX))
        .table_elements(MAX_TABLE_ELEMENTS)
        .instances(1)
        .memories(1)
        .build()
}

/// A store, or the caller of an import, with the memory of its instance.
pub(crate) struct View<C> {
    pub store: C,
    pub memory: Memory,
}

impl<U, C: AsContextMut<Data = Data<U>>> View<C> {
    /// Lets the memory grow by at most so many pages from now on.
    pub fn allow_more(&mut self, pages: u64) {
        let size = self.memory.size(&self.store);
        let limit = size.saturating_add(pages).saturating_mul(PAGE);
        self.store.as_context_mut().data_mut().limits = store_limits(limit);
    }

    /// Adds pages and returns the address of the first; `None` if the limits do not allow them.
    pub fn add_pages(&mut self, pages: u64) -> Option<u32> {
        let before = self.memory.grow(&mut self.store, pages).ok()?;
        u32::try_from(before * PAGE).ok()
    }

    /// Zeroes a range of the memory.
    pub fn clear(&mut self, address: u32, length: u32) {
        if let Some(place) = self.range(address.into(), length.into()) {
            self.memory.data_mut(&mut self.store)[place].fill(0);
        }
    }

    /// A range of the memory, if it is inside. An empty range is valid at any address up to 4 GiB,
    /// as on the other targets.
    fn range(&self, address: u64, length: u64) -> Option<Range<usize>> {
        if length == 0 && address <= 1 << 32 {
            return Some(0..0);
        }
        let size = self.memory.data_size(&self.store) as u64;
        let end = address.checked_add(length)?;
        (end <= size).then_some(address as usize..end as usize)
    }

    /// Whether a range is inside of the memory.
    pub fn has(&self, address: u64, length: u64) -> bool {
        self.range(address, length).is_some()
    }
}

impl<U: 'static, C: AsContextMut<Data = Data<U>>> GuestMemory for View<C> {
    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        let place = self
            .range(address, buffer.len() as u64)
            .ok_or(Inaccessible)?;
        buffer.copy_from_slice(&self.memory.data(&self.store)[place]);
        Ok(())
    }

    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        let place = self.range(address, length).ok_or(Inaccessible)?;
        Ok(self.memory.data(&self.store)[place].to_vec())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        let place = self
            .range(address, bytes.len() as u64)
            .ok_or(Inaccessible)?;
        self.memory.data_mut(&mut self.store)[place].copy_from_slice(bytes);
        Ok(())
    }

    fn is_writable(&mut self, address: u64, length: u64) -> bool {
        self.has(address, length)
    }

    fn gas(&self) -> u64 {
        let fuel = self.store.as_context().get_fuel();
        fuel.expect("the engine counts fuel")
    }

    fn set_gas(&mut self, gas: u64) {
        let set = self.store.as_context_mut().set_fuel(gas);
        set.expect("the engine counts fuel");
    }
}
