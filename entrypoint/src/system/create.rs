//! The creation of an account whose address may hold kelvins.

use abi::{ProgramResult, Pubkey};

use super::{allocate, assign, create_account, transfer};
use crate::AccountInfo;
use crate::call::Signer;

/// One to three calls of the system program that create an account:
/// [`create_account_allow_prefund`](super::create_account_allow_prefund) makes it.
#[derive(Clone, Copy, Debug)]
#[must_use = "make the calls with `invoke` or `invoke_signed`"]
pub struct CreateAccount<'a, 'input> {
    pub(super) payer: &'a AccountInfo<'input>,
    pub(super) account: &'a AccountInfo<'input>,
    pub(super) kelvins: u64,
    pub(super) space: u64,
    pub(super) owner: &'a Pubkey,
}

impl CreateAccount<'_, '_> {
    /// Makes the calls.
    ///
    /// # Errors
    ///
    /// As for [`invoke`](crate::invoke).
    #[inline]
    pub fn invoke(&self) -> ProgramResult {
        self.invoke_signed(&[])
    }

    /// Makes the calls with signatures of addresses that derive from this program's id.
    ///
    /// # Errors
    ///
    /// As for [`invoke_signed`](crate::invoke_signed).
    #[inline]
    pub fn invoke_signed(&self, signers: &[Signer<'_>]) -> ProgramResult {
        let Self {
            payer,
            account,
            kelvins,
            space,
            owner,
        } = *self;
        if account.kelvins() == 0 {
            return create_account(payer, account, kelvins, space, owner).invoke_signed(signers);
        }
        self.fill(signers)
    }

    /// Does what `create_account` does, for an address that holds kelvins.
    #[cold]
    #[inline(never)]
    fn fill(&self, signers: &[Signer<'_>]) -> ProgramResult {
        let missing = self.kelvins.saturating_sub(self.account.kelvins());
        if missing > 0 {
            // The payer may be a derived address too. Otherwise no signature must be derived.
            let signers = if self.payer.is_signer() { &[] } else { signers };
            transfer(self.payer, self.account, missing).invoke_signed(signers)?;
        }
        allocate(self.account, self.space).invoke_signed(signers)?;
        assign(self.account, self.owner).invoke_signed(signers)
    }
}
