//! The part of the system program that the guest calls, as a program of the host.

use loader::{Builtin, BuiltinCall, Failure, ProgramError, Pubkey};

/// The system program.
pub struct System;

impl Builtin for System {
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
        let data = call.data();
        let (instruction, fields) = data
            .split_first_chunk::<4>()
            .ok_or(ProgramError::InvalidInstructionData)?;
        match u32::from_le_bytes(*instruction) {
            0 => {
                let [kelvins, space, owner @ ..] = fields.as_chunks::<8>().0 else {
                    return Err(ProgramError::InvalidInstructionData.into());
                };
                let owner = owner.as_flattened().try_into();
                let owner = Pubkey::new(owner.map_err(|_| ProgramError::InvalidInstructionData)?);
                if !call.account(1)?.is_signer {
                    return Err(ProgramError::MissingRequiredSignature.into());
                }
                transfer(call, u64::from_le_bytes(*kelvins))?;
                let account = call.account_mut(1)?;
                account.owner = owner;
                account.data = vec![0; u64::from_le_bytes(*space) as usize];
                Ok(())
            }
            2 => {
                let kelvins = fields.try_into();
                let kelvins = kelvins.map_err(|_| ProgramError::InvalidInstructionData)?;
                transfer(call, u64::from_le_bytes(kelvins))
            }
            _ => Err(ProgramError::InvalidInstructionData.into()),
        }
    }
}

fn transfer(call: &mut BuiltinCall<'_>, kelvins: u64) -> Result<(), Failure> {
    if !call.account(0)?.is_signer {
        return Err(ProgramError::MissingRequiredSignature.into());
    }
    let payer = call.account_mut(0)?;
    let rest = payer.kelvins.checked_sub(kelvins);
    payer.kelvins = rest.ok_or(ProgramError::InsufficientFunds)?;
    call.account_mut(1)?.kelvins += kelvins;
    Ok(())
}
