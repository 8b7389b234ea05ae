//! Makes one syscall with any arguments, as its instruction data requests, and returns the result
//! and its memory as return data.
//!
//! Tests describe the syscall with [`RawCall`].
#![no_std]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

use abi::imports::MAX_ARGUMENTS;
use entrypoint::set_return_data;
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint};

mod raw;

pub use raw::{OWN_FILL, OWN_MIX, OWN_SUM};

entrypoint!(process_instruction);

/// One argument of a syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// This number.
    Number(u64),
    /// The address of the byte at this offset of the call's memory.
    Memory(u64),
}

/// A syscall to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawCall {
    /// The position of the syscall in `Import::ALL`, or [`OWN_SUM`], [`OWN_FILL`] or [`OWN_MIX`].
    pub syscall: u64,
    /// At most five arguments.
    pub arguments: Vec<Argument>,
    /// The memory that the syscall works on, aligned to 8 bytes.
    pub memory: Vec<u8>,
    /// Offsets in the memory: the u64 there becomes an address, that of the byte at its offset.
    pub addresses: Vec<u64>,
}

impl RawCall {
    /// The instruction data for this call.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut words = vec![self.syscall];
        let mut mask = 0;
        let mut values = [0; MAX_ARGUMENTS];
        for (index, argument) in self.arguments.iter().enumerate() {
            values[index] = match argument {
                Argument::Number(number) => *number,
                Argument::Memory(offset) => {
                    mask |= 1 << index;
                    *offset
                }
            };
        }
        words.push(mask);
        words.extend(values);
        words.push(self.addresses.len() as u64);
        words.extend(&self.addresses);
        let bytes = words.into_iter().flat_map(u64::to_le_bytes);
        bytes.chain(self.memory.iter().copied()).collect()
    }
}

/// Makes the syscall in the instruction data. The return data are its result, or 0, and the memory.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let mut rest = instruction_data;
    let mut word = || {
        let (word, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        Some(u64::from_le_bytes(*word))
    };
    let mut header = [0; 2 + MAX_ARGUMENTS + 1];
    for place in &mut header {
        *place = word().ok_or(ProgramError::InvalidInstructionData)?;
    }
    let [syscall, mask, arguments @ .., count] = header;
    let mut addresses = Vec::new();
    for _ in 0..count {
        addresses.push(word().ok_or(ProgramError::InvalidInstructionData)?);
    }

    // The result, and then the memory.
    let mut words = vec![0_u64; 1 + rest.len().div_ceil(8)];
    let base = words[1..].as_mut_ptr().expose_provenance() as u64;
    for (word, bytes) in words[1..].iter_mut().zip(rest.chunks(8)) {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_le_bytes(padded);
    }
    for address in addresses {
        let word = words.get_mut(1 + address as usize / 8);
        let word = word.ok_or(ProgramError::InvalidInstructionData)?;
        *word = word.wrapping_add(base);
    }
    let mut arguments: [u64; MAX_ARGUMENTS] = arguments;
    for (index, argument) in arguments.iter_mut().enumerate() {
        if mask >> index & 1 == 1 {
            *argument = argument.wrapping_add(base);
        }
    }
    words[0] = raw::call(syscall, arguments);
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    set_return_data(&bytes[..8 + rest.len()]);
    Ok(())
}
