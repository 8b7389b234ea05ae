//! The sysvars, and the random seed.

use abi::Pubkey;
use abi::imports::Import;
use abi::sysvar::EpochRewards;

use super::Returned;
use super::call::Call;
use crate::invoke::guest::GuestMemory;
use crate::sysvars::Sysvars;

/// The value for the program if the sysvar is shorter.
const TOO_SHORT: u64 = 1;

/// The value for the program if there is no such sysvar.
const NOT_FOUND: u64 = 2;

/// Writes the struct of a sysvar, padding included.
pub(super) fn get<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    // The largest.
    let mut buffer = [0; size_of::<EpochRewards>()];
    let length = copy(call.syscall, call.syscalls.host().sysvars(), &mut buffer);
    call.pay_for(length as u64)?;
    call.write(call.argument(0), &buffer[..length])?;
    Ok(Some(0))
}

/// Copies the struct that a syscall writes, and returns its length.
fn copy(syscall: Import, sysvars: &Sysvars, buffer: &mut [u8]) -> usize {
    let bytes = match syscall {
        Import::GetClockSysvar => bytemuck::bytes_of(&sysvars.clock),
        Import::GetRentSysvar => bytemuck::bytes_of(&sysvars.rent),
        Import::GetEpochScheduleSysvar => bytemuck::bytes_of(&sysvars.epoch_schedule),
        Import::GetFeesSysvar => bytemuck::bytes_of(&sysvars.fees),
        Import::GetEpochRewardsSysvar => bytemuck::bytes_of(&sysvars.epoch_rewards),
        Import::GetLastRestartSlot => bytemuck::bytes_of(&sysvars.last_restart_slot),
        // Only `GetRandomSeed` is left.
        _ => bytemuck::bytes_of(&sysvars.random_seed),
    };
    buffer[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}

/// Copies bytes of a sysvar's account.
pub(super) fn copy_data<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let (result, offset, length) = (call.argument(1), call.argument(2), call.argument(3));
    call.pay_for(length)?;
    call.check_writable(result, length)?;
    // The price of the id is in the base.
    let id = Pubkey::new(call.read_array(call.argument(0))?);
    let Some(data) = call.syscalls.host().sysvars().data(&id) else {
        return Ok(Some(NOT_FOUND));
    };
    let end = offset.checked_add(length);
    let bytes = end.and_then(|end| data.get(offset as usize..usize::try_from(end).ok()?));
    let Some(bytes) = bytes else {
        return Ok(Some(TOO_SHORT));
    };
    call.write(result, bytes)?;
    Ok(Some(0))
}
