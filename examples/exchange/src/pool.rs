//! The account of a pool.

use bytemuck::{Pod, Zeroable};
use entrypoint::{AccountInfo, ProgramError, Pubkey, Seed};

/// A pool: 104 bytes. The alignment lets the compiler copy words, which costs less than bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(8))]
pub struct Pool {
    /// Who opened it, and can close it.
    pub creator: Pubkey,
    /// The holdings with its tokens.
    pub vaults: [Pubkey; 2],
    /// The bump seed of the account's address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 7],
}

/// An error of the exchange. The numbers are the program's custom error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
#[repr(u32)]
pub enum ExchangeError {
    /// The account is not a vault of the pool.
    WrongVault = 1,
    /// The swap would pay out less than the trader wants at least.
    PriceTooHigh = 2,
    /// Someone else opened the pool.
    WrongCreator = 3,
}

impl Pool {
    /// Reads a pool, and checks that the two accounts are its vaults, in either order.
    ///
    /// It returns a copy, because no borrow of account data can live across a call.
    ///
    /// # Errors
    ///
    /// If the account is no pool of this program, or one of the others is no vault of it.
    pub fn of(
        account: &AccountInfo,
        program_id: &Pubkey,
        [vault, other_vault]: [&AccountInfo; 2],
    ) -> Result<Self, ProgramError> {
        account.named("pool").require_owner(program_id)?;
        let pool = *account.try_borrow_as::<Self>()?;
        let given = [*vault.key(), *other_vault.key()];
        let [first, second] = pool.vaults;
        if given != pool.vaults && given != [second, first] {
            return Err(ExchangeError::WrongVault.into());
        }
        Ok(pool)
    }

    /// Returns the seeds of the account's address.
    #[must_use]
    pub fn seeds(&self) -> [Seed<'_>; 5] {
        [
            Seed::from(b"pool"),
            Seed::from(&self.creator),
            Seed::from(&self.vaults[0]),
            Seed::from(&self.vaults[1]),
            Seed::from(&self.bump),
        ]
    }
}
