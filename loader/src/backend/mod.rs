//! What the engines have in common, and the engines.
//!
//! An engine runs one invocation in an [`Instance`]; everything that is done to a program before, while and after it
//! runs is done through this trait, and written once: in `run`, `imports`, `diagnosis` and `write_back`.

#[cfg(feature = "native")]
pub(crate) mod native;
pub(crate) mod polkavm;
#[cfg(feature = "wasm")]
pub(crate) mod wasm;

use abi::Pubkey;
use abi::heap::HeapHeader;

use crate::error::Failure;
use crate::error::InvocationError;
use crate::invocation::Invocation;
use crate::invoke::imports::Host;
use crate::invoke::input;
use crate::limits::Limits;
use crate::outcome::HeapUse;

/// Fails if the guest may not do what was asked.
#[derive(Debug)]
pub(crate) struct Inaccessible;

/// A program's memory and its gas. Every access is checked: addresses and lengths are whatever the program says.
pub(crate) trait Machine {
    /// Reads bytes, if the program may.
    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible>;

    /// Reads `length` bytes, if the program may. Takes no memory for bytes that are not there.
    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible>;

    /// Writes bytes, if the program may.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible>;

    /// Whether the program may write `length` bytes.
    fn is_writable(&mut self, address: u64, length: u64) -> bool;

    /// The gas that remains.
    fn gas(&self) -> u64;

    /// Sets the gas that remains.
    fn set_gas(&mut self, gas: u64);

    /// What is said of a program that has come to something for which its gas is not enough.
    fn out_of_gas(&self, limit: u64) -> Failure;

    /// Reads a value, if the program may.
    fn read_pod<T: bytemuck::Pod>(&mut self, address: u64) -> Result<T, Inaccessible> {
        let mut value = T::zeroed();
        self.read_into(address, bytemuck::bytes_of_mut(&mut value))?;
        Ok(value)
    }
}

/// A program in fresh memory, for one invocation.
pub(crate) trait Instance {
    /// What the loader reads and writes.
    type Machine: Machine;

    fn machine(&mut self) -> &mut Self::Machine;

    /// Provides heap and input, and writes the input.
    fn place(&mut self, invocation: &Invocation) -> Result<Placement, InvocationError>;

    /// Runs the program until it ends. Calls of imports are `host`'s to answer.
    fn enter(
        &mut self,
        placement: &Placement,
        host: &mut Host,
        context: &Context,
    ) -> Result<End, InvocationError>;
}

/// Where everything stands in the program's memory.
pub(crate) struct Placement {
    pub heap: Heap,
    pub input: u64,
    pub input_length: u32,
    /// Address of each account's entry, in order.
    pub entries: Vec<u64>,
}

/// The program's heap, as far as the loader knows it.
#[derive(Clone, Copy)]
pub(crate) struct Heap {
    /// The address of the first byte; 0 if the program places its heap itself.
    pub base: u64,
    /// Length in bytes, as the program is told.
    pub size: u32,
    /// Whether the header of [`abi::heap`] stands at the base.
    pub has_header: bool,
}

/// What the host needs to know of the invocation.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub limits: Limits,
    pub program_id: Pubkey,
    pub gas_limit: u64,
    pub heap: Heap,
}

/// How a program ended.
pub(crate) enum End {
    /// It returned this status.
    Returned(u64),
    /// It did not return.
    Failed(Failure),
}

impl Heap {
    /// How the heap is used now.
    pub fn read_use(&self, machine: &mut impl Machine) -> HeapUse {
        let limit = self.size;
        let header = self
            .has_header
            .then(|| machine.read_pod::<HeapHeader>(self.base).ok())
            .flatten()
            .filter(|header| header.peak_use() <= limit);
        HeapUse {
            limit,
            used: header.map(|header| header.used),
            peak: header.map(|header| header.peak_use()),
        }
    }
}

/// Writes the input of an invocation to zeroed memory at an address, where there is room for it; answers the address of each
/// account's entry.
pub(crate) fn write_input(
    machine: &mut impl Machine,
    invocation: &Invocation,
    address: u64,
) -> Result<Vec<u64>, InvocationError> {
    let serialized = input::serialize(invocation, address);
    for (address, bytes) in serialized.pieces() {
        machine.write(address, bytes).map_err(|Inaccessible| {
            InvocationError::engine("the program's memory has no room for the input")
        })?;
    }
    Ok(serialized.entries)
}
