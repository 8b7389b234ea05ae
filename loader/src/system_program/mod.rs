//! The system program: it creates accounts, and moves the kelvins of accounts without a program.

mod request;

use std::fmt::Display;

use abi::program_address::{ProgramAddressError, create_with_seed};
use abi::system::SystemError;
use abi::{ProgramError, Pubkey, ids};

use crate::builtin::{Builtin, BuiltinCall};
use crate::error::{Failure, WriteBackError};
use crate::invoke::reason;
use request::{Request, Seed};

/// The most bytes of data of an account: 10 MiB.
const MAX_SPACE: u64 = abi::input::MAX_PERMITTED_DATA_LENGTH as u64;

/// By how much the data of an account grows in one call.
const MAX_GROWTH: u64 = abi::input::MAX_PERMITTED_DATA_INCREASE as u64;

/// The system program, as a [`Builtin`]: it creates accounts, and moves the kelvins of accounts that
/// belong to no other program.
///
/// [`abi::system`] has its instructions and errors. The rules are those of the runtime's program
/// (crate `rialo-s-system-program` 0.23.0-alpha.0); before it fails, it logs the reason. It does
/// not have the instructions of nonce accounts, and logs their name when it refuses one. As any
/// program that another one calls, it lets the data of an account grow by 10,240 bytes in one call.
///
/// ```
/// use loader::{Environment, SystemProgram};
///
/// let host = Environment::new().builtin(abi::ids::SYSTEM_PROGRAM, SystemProgram);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemProgram;

impl Builtin for SystemProgram {
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
        call.use_gas(call.prices().system_program)?;
        let request = match Request::read(call.data()) {
            Ok(request) => request,
            Err(reason) => return fail(call, reason, ProgramError::InvalidInstructionData),
        };
        let least = request.account_count();
        if call.account_count() < least {
            let reason = format!("the instruction needs {least} accounts");
            return fail(call, reason, ProgramError::NotEnoughAccountKeys);
        }
        match request {
            Request::CreateAccount {
                seed,
                kelvins,
                space,
                owner,
            } => {
                let signer = signer(call, 1, &seed, &owner)?;
                if call.account(1)?.account.kelvins > 0 {
                    return in_use(call, 1);
                }
                allocate(call, 1, &signer, space)?;
                assign(call, 1, &signer, &owner)?;
                transfer(call, 0, 1, kelvins)
            }
            Request::Assign { seed, owner } => {
                let signer = signer(call, 0, &seed, &owner)?;
                assign(call, 0, &signer, &owner)
            }
            Request::Allocate { seed, space, owner } => {
                let signer = signer(call, 0, &seed, &owner.unwrap_or_default())?;
                allocate(call, 0, &signer, space)?;
                match owner {
                    Some(owner) => assign(call, 0, &signer, &owner),
                    None => Ok(()),
                }
            }
            Request::Transfer { kelvins } => transfer(call, 0, 1, kelvins),
            Request::TransferWithSeed {
                kelvins,
                seed,
                owner,
            } => {
                if !call.account(1)?.is_signer {
                    return must_sign(call, &key(call, 1)?);
                }
                let base = key(call, 1)?;
                check_seed(call, 0, &base, seed, &owner)?;
                pay(call, 0, 2, kelvins)
            }
        }
    }
}

/// Logs the reason, and returns the error.
fn fail<T>(
    call: &mut BuiltinCall<'_>,
    reason: impl Display,
    error: impl Into<ProgramError>,
) -> Result<T, Failure> {
    call.log(reason.to_string())?;
    Err(Failure::from(error.into()))
}

fn key(call: &BuiltinCall<'_>, position: usize) -> Result<Pubkey, Failure> {
    Ok(call.account(position)?.account.key)
}

/// The key that must sign for a change of an account: that of the account, or its base.
fn signer(
    call: &mut BuiltinCall<'_>,
    position: usize,
    seed: &Option<Seed<'_>>,
    owner: &Pubkey,
) -> Result<Pubkey, Failure> {
    match seed {
        None => key(call, position),
        Some(Seed { base, text }) => {
            check_seed(call, position, base, text, owner)?;
            Ok(*base)
        }
    }
}

/// Checks that an account's key is that of a base and a seed.
fn check_seed(
    call: &mut BuiltinCall<'_>,
    position: usize,
    base: &Pubkey,
    seed: &str,
    owner: &Pubkey,
) -> Result<(), Failure> {
    let derived = match create_with_seed(base, seed, owner) {
        Ok(derived) => derived,
        // The runtime's program returns the number of the error of its crate for keys.
        Err(error @ ProgramAddressError::IllegalOwner) => {
            return fail(call, error, ProgramError::Custom(2));
        }
        Err(error) => return fail(call, error, ProgramError::Custom(0)),
    };
    let key = key(call, position)?;
    if key != derived {
        let reason = format!("the account {key} is not that of the base and the seed, {derived}");
        return fail(call, reason, SystemError::AddressWithSeedMismatch);
    }
    Ok(())
}

fn must_sign(call: &mut BuiltinCall<'_>, signer: &Pubkey) -> Result<(), Failure> {
    let reason = format!("the account {signer} must sign");
    fail(call, reason, ProgramError::MissingRequiredSignature)
}

fn in_use(call: &mut BuiltinCall<'_>, position: usize) -> Result<(), Failure> {
    let reason = format!("the account {} is in use already", key(call, position)?);
    fail(call, reason, SystemError::AccountAlreadyInUse)
}

/// Whether an account of the list has this key and signs.
fn signs(call: &BuiltinCall<'_>, signer: &Pubkey) -> bool {
    let mut accounts = (0..call.account_count()).filter_map(|position| call.account(position).ok());
    accounts.any(|input| input.is_signer && input.account.key == *signer)
}

fn allocate(
    call: &mut BuiltinCall<'_>,
    position: usize,
    signer: &Pubkey,
    space: u64,
) -> Result<(), Failure> {
    if !signs(call, signer) {
        return must_sign(call, signer);
    }
    let account = &call.account(position)?.account;
    if !account.data.is_empty() || account.owner != ids::SYSTEM_PROGRAM {
        return in_use(call, position);
    }
    if space > MAX_SPACE {
        let reason = format!("{space} bytes are too many: an account has at most {MAX_SPACE}");
        return fail(call, reason, SystemError::InvalidAccountDataLength);
    }
    if !call.account(position)?.is_writable {
        let error = |index, key| WriteBackError::AccountNotWritable { index, key };
        return Err(call.broken_rule(position, reason::READ_ONLY_DATA, error));
    }
    // The loader would reject it, but only after so many bytes were allocated.
    if space > MAX_GROWTH {
        let reason = format!("{space} bytes are too many: data grows by {MAX_GROWTH} in one call");
        return fail(call, reason, ProgramError::InvalidRealloc);
    }
    call.account_mut(position)?.data = vec![0; space as usize];
    Ok(())
}

fn assign(
    call: &mut BuiltinCall<'_>,
    position: usize,
    signer: &Pubkey,
    owner: &Pubkey,
) -> Result<(), Failure> {
    if call.account(position)?.account.owner == *owner {
        return Ok(());
    }
    if !signs(call, signer) {
        return must_sign(call, signer);
    }
    let input = call.account(position)?;
    if input.account.owner != *call.program_id() {
        let error = |index, key| WriteBackError::ReassignedByNonOwner { index, key };
        return Err(call.broken_rule(position, reason::REASSIGNED, error));
    }
    if !input.is_writable {
        let error = |index, key| WriteBackError::AccountNotWritable { index, key };
        return Err(call.broken_rule(position, reason::REASSIGNED, error));
    }
    if input.account.data.iter().any(|byte| *byte != 0) {
        let error = |index, key| WriteBackError::ReassignedWithData { index, key };
        return Err(call.broken_rule(position, reason::REASSIGNED, error));
    }
    call.account_mut(position)?.owner = *owner;
    Ok(())
}

/// Sets the kelvins of an account. As on the runtime, it must be writable even if they stay.
fn set_kelvins(call: &mut BuiltinCall<'_>, position: usize, kelvins: u64) -> Result<(), Failure> {
    let input = call.account(position)?;
    let account = &input.account;
    if account.owner != *call.program_id() && kelvins < account.kelvins {
        let error = |index, key| WriteBackError::DebitedByNonOwner { index, key };
        return Err(call.broken_rule(position, reason::FOREIGN_DEBIT, error));
    }
    if !input.is_writable {
        let error = |index, key| WriteBackError::AccountNotWritable { index, key };
        return Err(call.broken_rule(position, reason::READ_ONLY_KELVINS, error));
    }
    call.account_mut(position)?.kelvins = kelvins;
    Ok(())
}

fn transfer(
    call: &mut BuiltinCall<'_>,
    from: usize,
    to: usize,
    kelvins: u64,
) -> Result<(), Failure> {
    if !call.account(from)?.is_signer {
        return must_sign(call, &key(call, from)?);
    }
    pay(call, from, to, kelvins)
}

/// Moves kelvins.
fn pay(call: &mut BuiltinCall<'_>, from: usize, to: usize, kelvins: u64) -> Result<(), Failure> {
    let payer = &call.account(from)?.account;
    if !payer.data.is_empty() {
        let reason = format!("the payer {} has data; it must have none", payer.key);
        return fail(call, reason, ProgramError::InvalidArgument);
    }
    let held = payer.kelvins;
    let Some(rest) = held.checked_sub(kelvins) else {
        let reason = format!("the payer holds {held} kelvins, and must pay {kelvins}");
        return fail(call, reason, SystemError::ResultWithNegativeKelvins);
    };
    set_kelvins(call, from, rest)?;
    // Read after the payment: the two may be one account.
    let held = call.account(to)?.account.kelvins;
    let Some(sum) = held.checked_add(kelvins) else {
        let reason = "the recipient would hold more kelvins than a u64 counts";
        return fail(call, reason, ProgramError::ArithmeticOverflow);
    };
    set_kelvins(call, to, sum)
}
