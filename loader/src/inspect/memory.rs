//! The layout of the program's memory.

use abi::Pubkey;
use polkavm::{MemoryMapBuilder, ProgramBlob};

use crate::backend::polkavm::{Layout, PAGE_SIZE};
use crate::invocation::Invocation;
use crate::invoke::input::write::serialized_length;

/// How much of each kind of data a program declares, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DataSizes {
    /// Read-only data.
    pub read_only: u32,
    /// The part of it that is in the file; the rest is zeroes.
    pub read_only_in_file: u32,
    /// Read-write data, bss included.
    pub read_write: u32,
    /// The part of it that is in the file; the rest is zeroes, which includes bss.
    pub read_write_in_file: u32,
    /// The stack.
    pub stack: u32,
}

impl DataSizes {
    pub(super) fn of(blob: &ProgramBlob) -> Self {
        // The VM has seen that no payload is longer than what is declared.
        Self {
            read_only: blob.ro_data_size(),
            read_only_in_file: blob.ro_data().len() as u32,
            read_write: blob.rw_data_size(),
            read_write_in_file: blob.rw_data().len() as u32,
            stack: blob.stack_size(),
        }
    }
}

/// The layout of a program's memory with the smallest heap that it runs with, no accounts and no
/// instruction data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MemoryMap {
    /// Address of the heap. With a longer input it is whole pages higher.
    pub heap_base: u32,
    /// Length of all mapped memory, in bytes and whole pages.
    pub mapped: u64,
    /// The regions, from low addresses to high.
    pub regions: Vec<Region>,
}

/// A part of a program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Region {
    /// Its content.
    pub kind: RegionKind,
    /// Its lowest address.
    pub address: u32,
    /// Its length in bytes.
    pub length: u32,
}

/// The content of a part of a program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum RegionKind {
    /// Read-only data.
    ReadOnlyData,
    /// Read-write data and bss.
    ReadWriteData,
    /// The heap.
    Heap,
    /// The serialized input.
    Input,
    /// The stack, in whole pages. It grows downwards from the region's end.
    Stack,
}

impl RegionKind {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnlyData => "read-only data",
            Self::ReadWriteData => "read-write data",
            Self::Heap => "heap",
            Self::Input => "input",
            Self::Stack => "stack",
        }
    }
}

impl MemoryMap {
    /// `None` if the program does not fit in the VM's memory.
    pub(super) fn of(blob: &ProgramBlob, heap: u32) -> Option<Self> {
        let map = MemoryMapBuilder::new(PAGE_SIZE)
            .ro_data_size(blob.ro_data_size())
            .rw_data_size(blob.rw_data_size())
            .stack_size(blob.stack_size())
            .build()
            .ok()?;
        // The program's address does not change the length.
        let input_length = serialized_length(&Invocation::new(Pubkey::new([0; 32]))) as u64;
        let layout = Layout::new(map.heap_base(), input_length);
        let end = layout.heap_base + u64::from(heap);
        if end - u64::from(map.heap_base()) > u64::from(map.max_heap_size()) {
            return None;
        }
        let heap_base = u32::try_from(layout.heap_base).ok()?;
        let region = |kind, address, length| Region {
            kind,
            address,
            length,
        };
        let regions = vec![
            region(
                RegionKind::ReadOnlyData,
                map.ro_data_address(),
                blob.ro_data_size(),
            ),
            region(
                RegionKind::ReadWriteData,
                map.rw_data_address(),
                blob.rw_data_size(),
            ),
            region(
                RegionKind::Input,
                u32::try_from(layout.input).ok()?,
                input_length as u32,
            ),
            region(RegionKind::Heap, heap_base, heap),
            region(RegionKind::Stack, map.stack_address_low(), map.stack_size()),
        ];
        let above = end.next_multiple_of(PAGE_SIZE.into()) - u64::from(map.rw_data_address());
        Some(Self {
            heap_base,
            mapped: u64::from(map.ro_data_size()) + above + u64::from(map.stack_size()),
            regions,
        })
    }
}
