//! Memory whose pages a program gets when it first looks at them.
//!
//! An invocation with long data runs in it, on the interpreter: an account can have 10 MiB, of
//! which a program reads and changes a few bytes. The VM interrupts the program at each page that
//! it does not have yet, and at the first change of each page of long data. So what is copied and
//! compared is what the program looked at, and not what is there.
//!
//! A program cannot tell it from the other memory: the same addresses are accessible, with the same
//! bytes, and gas is the same.

use std::collections::BTreeMap;
use std::ops::Range;

use polkavm::{MemoryMap, MemoryProtection, ProgramBlob, RawInstance};

use super::PAGE_SIZE;
use crate::account::Data;
use crate::backend::Inaccessible;

/// Inputs with so many bytes of long data have pages. Interpreted loads and stores take longer
/// there, because the VM has to find the page.
pub(super) const MIN_LENT: usize = 256 << 10;

const LENGTH: usize = PAGE_SIZE as usize;

/// The memory of one invocation, as far as the VM does not know it.
pub(crate) struct Pages {
    blob: ProgramBlob,
    read_only: Range<u32>,
    /// Data and heap and input.
    data: Range<u32>,
    stack: Range<u32>,
    /// Bytes that pages have at first, besides those of the blob.
    lent: Vec<Lent>,
    /// The pages that the VM has.
    pages: BTreeMap<u32, State>,
}

/// Long data, and its place.
struct Lent {
    range: Range<u32>,
    data: Data,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it was made. The VM interrupts a program that writes to it.
    Clean,
    /// The program or the loader may have written to it.
    Written,
}

impl Pages {
    /// The memory of a program with `mapped` bytes for heap and input.
    pub fn new(blob: &ProgramBlob, map: &MemoryMap, mapped: u32) -> Self {
        let end = map.heap_base() + mapped;
        let data = map.rw_data_address()..end.next_multiple_of(PAGE_SIZE);
        Self {
            blob: blob.clone(),
            read_only: map.ro_data_range(),
            data,
            stack: map.stack_range(),
            lent: Vec::new(),
            pages: BTreeMap::new(),
        }
    }

    /// Gives the VM the page at which it has stopped the program. Returns false if the program may
    /// not access it so.
    pub fn page_in(&mut self, vm: &mut RawInstance, page: u32, is_write: bool) -> bool {
        let allowed = if is_write {
            self.is_writable(page, PAGE_SIZE)
        } else {
            self.is_readable(page, PAGE_SIZE)
        };
        allowed && self.make(vm, page, is_write).is_ok()
    }

    /// Whether the program may read the range. It is not empty.
    pub fn is_readable(&self, address: u32, length: u32) -> bool {
        self.is_writable(address, length) || contains(&self.read_only, address, length)
    }

    /// Whether the program may write the range. It is not empty.
    pub fn is_writable(&self, address: u32, length: u32) -> bool {
        [&self.data, &self.stack]
            .into_iter()
            .any(|range| contains(range, address, length))
    }

    /// Reads a range that the program may read.
    pub fn read(
        &self,
        vm: &mut RawInstance,
        address: u32,
        buffer: &mut [u8],
    ) -> Result<(), Inaccessible> {
        for piece in pieces(address, buffer.len()) {
            let bytes = &mut buffer[piece.bytes.clone()];
            if self.pages.contains_key(&piece.page) {
                vm.read_memory_into(piece.address, bytes)
                    .map_err(|_| Inaccessible)?;
            } else {
                bytes.fill(0);
                self.copy_first_bytes(piece.address, bytes);
            }
        }
        Ok(())
    }

    /// Writes to a range that the program may write.
    pub fn write(
        &mut self,
        vm: &mut RawInstance,
        address: u32,
        bytes: &[u8],
    ) -> Result<(), Inaccessible> {
        for piece in pieces(address, bytes.len()) {
            self.make(vm, piece.page, true)?;
            vm.write_memory(piece.address, &bytes[piece.bytes])
                .map_err(|_| Inaccessible)?;
        }
        Ok(())
    }

    /// Puts data into a range that the program may write, and that does not have any yet.
    pub fn lend(
        &mut self,
        vm: &mut RawInstance,
        address: u32,
        data: &Data,
    ) -> Result<(), Inaccessible> {
        let range = address..address + data.len() as u32;
        // The header before the data and the account behind it have made pages already.
        let made: Vec<u32> = self.made(&range).map(|(page, _)| page).collect();
        for page in made {
            let part = overlap(&range, &(page..page + PAGE_SIZE));
            let mut bytes = vec![0; part.len()];
            data.read((part.start - address) as usize, &mut bytes);
            vm.write_memory(part.start, &bytes)
                .map_err(|_| Inaccessible)?;
        }
        let data = data.clone();
        self.lent.push(Lent { range, data });
        Ok(())
    }

    /// The data that was lent at an address, as it is now: a clone of it, if no byte is another.
    /// `None` if it was not lent with these bytes.
    pub fn read_lent(
        &self,
        vm: &mut RawInstance,
        address: u32,
        length: u64,
        before: &Data,
    ) -> Option<Result<Data, Inaccessible>> {
        let is_it = |lent: &&Lent| lent.range.start == address && lent.data.shares_with(before);
        let lent = self.lent.iter().find(is_it)?;
        if length != before.len() as u64 {
            return None;
        }
        Some(self.changed(vm, lent))
    }

    fn changed(&self, vm: &mut RawInstance, lent: &Lent) -> Result<Data, Inaccessible> {
        let mut now = lent.data.clone();
        let (mut buffer, mut before) = ([0; LENGTH], [0; LENGTH]);
        for (page, state) in self.made(&lent.range) {
            if state == State::Clean {
                continue;
            }
            let part = overlap(&lent.range, &(page..page + PAGE_SIZE));
            let bytes = &mut buffer[..part.len()];
            vm.read_memory_into(part.start, &mut *bytes)
                .map_err(|_| Inaccessible)?;
            let start = (part.start - lent.range.start) as usize;
            lent.data.read(start, &mut before[..bytes.len()]);
            if before[..bytes.len()] != *bytes {
                now.write(start, bytes);
            }
        }
        Ok(now)
    }

    /// The pages in a range that the VM has.
    fn made(&self, range: &Range<u32>) -> impl Iterator<Item = (u32, State)> + '_ {
        let first = range.start - range.start % PAGE_SIZE;
        let pages = self.pages.range(first..range.end.max(first));
        pages.map(|(page, state)| (*page, *state))
    }

    /// Makes sure that the VM has an accessible page, and lets the program write to it.
    fn make(
        &mut self,
        vm: &mut RawInstance,
        page: u32,
        is_write: bool,
    ) -> Result<(), Inaccessible> {
        match self.pages.get_mut(&page) {
            Some(State::Written) => return Ok(()),
            Some(state) => {
                if is_write {
                    vm.unprotect_memory(page, PAGE_SIZE)
                        .map_err(|_| Inaccessible)?;
                    *state = State::Written;
                }
                return Ok(());
            }
            None => {}
        }
        vm.zero_memory_with_memory_protection(page, PAGE_SIZE, MemoryProtection::ReadWrite)
            .map_err(|_| Inaccessible)?;
        let mut bytes = [0; LENGTH];
        if self.copy_first_bytes(page, &mut bytes) {
            vm.write_memory(page, &bytes).map_err(|_| Inaccessible)?;
        }
        let range = page..page + PAGE_SIZE;
        let is_lent = self.lent.iter().any(|lent| overlaps(&lent.range, &range));
        let is_read_only = contains(&self.read_only, page, PAGE_SIZE);
        // Where a change does not matter, it does not need an interrupt of its own.
        let state = if !is_write && (is_lent || is_read_only) {
            vm.protect_memory(page, PAGE_SIZE)
                .map_err(|_| Inaccessible)?;
            State::Clean
        } else {
            State::Written
        };
        self.pages.insert(page, state);
        Ok(())
    }

    /// Copies what zeroed memory at an address has at first. Returns whether that is any byte.
    fn copy_first_bytes(&self, address: u32, bytes: &mut [u8]) -> bool {
        let wanted = address..address + bytes.len() as u32;
        let mut is_any = false;
        // Calls `copy` with the offset in a source, for the part of the bytes that it has.
        let mut copy_part = |start: u32, length: usize, copy: &dyn Fn(usize, &mut [u8])| {
            let range = start..start + length as u32;
            if overlaps(&range, &wanted) {
                let part = overlap(&range, &wanted);
                let bytes = &mut bytes[(part.start - address) as usize..][..part.len()];
                copy((part.start - start) as usize, bytes);
                is_any = true;
            }
        };
        for (start, source) in [
            (self.read_only.start, self.blob.ro_data()),
            (self.data.start, self.blob.rw_data()),
        ] {
            copy_part(start, source.len(), &|offset, bytes| {
                bytes.copy_from_slice(&source[offset..offset + bytes.len()]);
            });
        }
        for Lent { range, data } in &self.lent {
            copy_part(range.start, data.len(), &|offset, bytes| {
                data.read(offset, bytes)
            });
        }
        is_any
    }
}

/// A part of a range that is in one page.
struct Piece {
    page: u32,
    address: u32,
    /// Its place in the bytes of the range.
    bytes: Range<usize>,
}

/// The parts of a range, which does not wrap around.
fn pieces(address: u32, length: usize) -> impl Iterator<Item = Piece> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == length {
            return None;
        }
        let address = address + start as u32;
        let offset = address % PAGE_SIZE;
        let end = length.min(start + (PAGE_SIZE - offset) as usize);
        let bytes = start..end;
        start = end;
        Some(Piece {
            page: address - offset,
            address,
            bytes,
        })
    })
}

fn contains(range: &Range<u32>, address: u32, length: u32) -> bool {
    let end = u64::from(address) + u64::from(length);
    address >= range.start && end <= u64::from(range.end)
}

fn overlaps(one: &Range<u32>, other: &Range<u32>) -> bool {
    one.start < other.end && other.start < one.end
}

/// The common part of two ranges that overlap.
fn overlap(one: &Range<u32>, other: &Range<u32>) -> Range<u32> {
    one.start.max(other.start)..one.end.min(other.end)
}

#[cfg(test)]
mod tests;
