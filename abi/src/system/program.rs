//! What the system program does, for a host that has it.

use core::fmt::{self, Display};

use super::SystemError;
use super::request::{Request, Seed};
use crate::input::{MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH};
use crate::program_address::{ProgramAddressError, create_with_seed};
use crate::{ProgramError, Pubkey, ids};

/// The accounts of one call of the system program, as a host has them.
///
/// A position that repeats an account is the same account.
pub trait Accounts {
    /// What ends the call: an error of the program, or a failure of the host's own.
    type Error: From<ProgramError>;

    /// The number of accounts in the list, repeats included.
    fn count(&self) -> usize;

    /// The account at a position, as it is now.
    ///
    /// # Errors
    ///
    /// If the list is shorter.
    fn account(&self, position: usize) -> Result<AccountState, Self::Error>;

    /// Sets the balance of an account.
    ///
    /// # Errors
    ///
    /// If the list is shorter, or if the host does not allow it.
    fn set_kelvins(&mut self, position: usize, kelvins: u64) -> Result<(), Self::Error>;

    /// Gives an account to another owner.
    ///
    /// # Errors
    ///
    /// As for [`set_kelvins`](Self::set_kelvins).
    fn set_owner(&mut self, position: usize, owner: &Pubkey) -> Result<(), Self::Error>;

    /// Gives an account that has no data so many bytes of zeroes.
    ///
    /// # Errors
    ///
    /// As for [`set_kelvins`](Self::set_kelvins).
    fn allocate(&mut self, position: usize, length: usize) -> Result<(), Self::Error>;

    /// The most bytes of zeroes that [`allocate`](Self::allocate) can give: by default 10,240, by
    /// which the data of an account may grow in one call of a program by another. A host that calls
    /// the system program itself has no such limit.
    fn most_growth(&self) -> u64 {
        MAX_PERMITTED_DATA_INCREASE as u64
    }

    /// Fails if the data of an account must not change, before it is known by how much it would.
    ///
    /// # Errors
    ///
    /// As for [`set_kelvins`](Self::set_kelvins).
    fn check_writable_data(&mut self, position: usize) -> Result<(), Self::Error> {
        let _ = position;
        Ok(())
    }

    /// Logs why the call fails.
    ///
    /// # Errors
    ///
    /// If the host does not log so much.
    fn log(&mut self, reason: fmt::Arguments<'_>) -> Result<(), Self::Error>;
}

/// What the system program needs to know of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Its key.
    pub key: Pubkey,
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its balance.
    pub kelvins: u64,
    /// The length of its data in bytes.
    pub data_length: usize,
    /// Whether it signs.
    pub is_signer: bool,
}

/// Does what the system program does with these instruction data.
///
/// The rules are those of the runtime's program (crate `rialo-s-system-program` 0.23.0-alpha.0);
/// before it fails, it logs the reason. It does not have the instructions of nonce accounts, and
/// logs their name when it refuses one. It lets the data of an account grow by
/// [`Accounts::most_growth`].
///
/// It does not check who owns an account that pays or gets another owner. The host does that, after
/// the call or in the methods of [`Accounts`], as for every program.
///
/// # Errors
///
/// The error of the program, or what a method of [`Accounts`] returned.
pub fn run<A: Accounts>(accounts: &mut A, data: &[u8]) -> Result<(), A::Error> {
    let mut call = Call(accounts);
    let request = match Request::read(data) {
        Ok(request) => request,
        Err(reason) => return call.fail(reason, ProgramError::InvalidInstructionData),
    };
    let least = request.account_count();
    if call.0.count() < least {
        let reason = format_args!("the instruction needs {least} accounts");
        return call.fail(reason, ProgramError::NotEnoughAccountKeys);
    }
    match request {
        Request::CreateAccount {
            seed,
            kelvins,
            space,
            owner,
        } => {
            let signer = call.signer(1, &seed, &owner)?;
            if call.0.account(1)?.kelvins > 0 {
                return call.in_use(1);
            }
            call.allocate(1, &signer, space)?;
            call.assign(1, &signer, &owner)?;
            call.transfer(0, 1, kelvins)
        }
        Request::Assign { seed, owner } => {
            let signer = call.signer(0, &seed, &owner)?;
            call.assign(0, &signer, &owner)
        }
        Request::Allocate { seed, space, owner } => {
            let signer = call.signer(0, &seed, &owner.unwrap_or_default())?;
            call.allocate(0, &signer, space)?;
            match owner {
                Some(owner) => call.assign(0, &signer, &owner),
                None => Ok(()),
            }
        }
        Request::Transfer { kelvins } => call.transfer(0, 1, kelvins),
        Request::TransferWithSeed {
            kelvins,
            seed,
            owner,
        } => {
            let base = call.0.account(1)?;
            if !base.is_signer {
                return call.must_sign(&base.key);
            }
            call.check_seed(0, &base.key, seed, &owner)?;
            call.pay(0, 2, kelvins)
        }
    }
}

/// The parts of the instructions.
struct Call<'a, A>(&'a mut A);

impl<A: Accounts> Call<'_, A> {
    /// Logs the reason, and returns the error.
    fn fail<T>(
        &mut self,
        reason: impl Display,
        error: impl Into<ProgramError>,
    ) -> Result<T, A::Error> {
        self.0.log(format_args!("{reason}"))?;
        Err(error.into().into())
    }

    fn must_sign(&mut self, signer: &Pubkey) -> Result<(), A::Error> {
        let reason = format_args!("the account {signer} must sign");
        self.fail(reason, ProgramError::MissingRequiredSignature)
    }

    fn in_use(&mut self, position: usize) -> Result<(), A::Error> {
        let key = self.0.account(position)?.key;
        let reason = format_args!("the account {key} is in use already");
        self.fail(reason, SystemError::AccountAlreadyInUse)
    }

    /// The key that must sign for a change of an account: that of the account, or its base.
    fn signer(
        &mut self,
        position: usize,
        seed: &Option<Seed<'_>>,
        owner: &Pubkey,
    ) -> Result<Pubkey, A::Error> {
        match seed {
            None => Ok(self.0.account(position)?.key),
            Some(Seed { base, text }) => {
                self.check_seed(position, base, text, owner)?;
                Ok(*base)
            }
        }
    }

    /// Checks that an account's key is that of a base and a seed.
    fn check_seed(
        &mut self,
        position: usize,
        base: &Pubkey,
        seed: &str,
        owner: &Pubkey,
    ) -> Result<(), A::Error> {
        let derived = match create_with_seed(base, seed, owner) {
            Ok(derived) => derived,
            // The runtime's program returns the number of the error of its crate for keys.
            Err(error @ ProgramAddressError::IllegalOwner) => {
                return self.fail(error, ProgramError::Custom(2));
            }
            Err(error) => return self.fail(error, ProgramError::Custom(0)),
        };
        let key = self.0.account(position)?.key;
        if key != derived {
            let reason =
                format_args!("the account {key} is not that of the base and the seed, {derived}");
            return self.fail(reason, SystemError::AddressWithSeedMismatch);
        }
        Ok(())
    }

    /// Whether an account of the list has this key and signs.
    fn signs(&self, signer: &Pubkey) -> bool {
        let mut accounts = (0..self.0.count()).filter_map(|position| self.0.account(position).ok());
        accounts.any(|account| account.is_signer && account.key == *signer)
    }

    fn allocate(&mut self, position: usize, signer: &Pubkey, space: u64) -> Result<(), A::Error> {
        if !self.signs(signer) {
            return self.must_sign(signer);
        }
        let account = self.0.account(position)?;
        if account.data_length > 0 || account.owner != ids::SYSTEM_PROGRAM {
            return self.in_use(position);
        }
        if space > MAX_PERMITTED_DATA_LENGTH as u64 {
            let reason = format_args!(
                "{space} bytes are too many: an account has at most {MAX_PERMITTED_DATA_LENGTH}"
            );
            return self.fail(reason, SystemError::InvalidAccountDataLength);
        }
        // The loader would reject it, but only after so many bytes were allocated.
        self.0.check_writable_data(position)?;
        let most = self.0.most_growth();
        if space > most {
            let reason =
                format_args!("{space} bytes are too many: data grows by {most} in one call");
            return self.fail(reason, ProgramError::InvalidRealloc);
        }
        self.0.allocate(position, space as usize)
    }

    fn assign(&mut self, position: usize, signer: &Pubkey, owner: &Pubkey) -> Result<(), A::Error> {
        if self.0.account(position)?.owner == *owner {
            return Ok(());
        }
        if !self.signs(signer) {
            return self.must_sign(signer);
        }
        self.0.set_owner(position, owner)
    }

    fn transfer(&mut self, from: usize, to: usize, kelvins: u64) -> Result<(), A::Error> {
        let payer = self.0.account(from)?;
        if !payer.is_signer {
            return self.must_sign(&payer.key);
        }
        self.pay(from, to, kelvins)
    }

    /// Moves kelvins.
    fn pay(&mut self, from: usize, to: usize, kelvins: u64) -> Result<(), A::Error> {
        let payer = self.0.account(from)?;
        if payer.data_length > 0 {
            let reason = format_args!("the payer {} has data; it must have none", payer.key);
            return self.fail(reason, ProgramError::InvalidArgument);
        }
        let held = payer.kelvins;
        let Some(rest) = held.checked_sub(kelvins) else {
            let reason = format_args!("the payer holds {held} kelvins, and must pay {kelvins}");
            return self.fail(reason, SystemError::ResultWithNegativeKelvins);
        };
        self.0.set_kelvins(from, rest)?;
        // Read after the payment: the two may be one account.
        let Some(sum) = self.0.account(to)?.kelvins.checked_add(kelvins) else {
            let reason = "the recipient would hold more kelvins than a u64 counts";
            return self.fail(reason, ProgramError::ArithmeticOverflow);
        };
        self.0.set_kelvins(to, sum)
    }
}
