//! The account of an offer.

use bytemuck::{Pod, Zeroable};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, Seed, Signer};

/// An offer: 112 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Offer {
    /// Who made it.
    pub maker: Pubkey,
    /// The holding with the deposit.
    pub vault: Pubkey,
    /// The mint of the price.
    pub price_mint: Pubkey,
    /// The price, in the mint's smallest unit.
    pub price: u64,
    /// The bump seed of the account's address.
    pub bump: u64,
}

/// An error of the escrow. The numbers are the program's custom error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
#[repr(u32)]
pub enum EscrowError {
    /// The account is not the one that the offer names.
    WrongAccount = 1,
    /// The payment would go to a holding of someone else, or be of another mint.
    WrongPayment = 2,
    /// The price or the deposit is not what the taker expects.
    OfferChanged = 3,
}

impl Offer {
    /// Reads an offer, and checks the accounts that belong to it.
    ///
    /// It returns a copy, because no borrow of account data can live across a call.
    ///
    /// # Errors
    ///
    /// If the account is no offer of this program, or one of the others is not the right one.
    pub fn of(
        account: &AccountInfo,
        program_id: &Pubkey,
        maker: &AccountInfo,
        vault: &AccountInfo,
        token_program: &AccountInfo,
    ) -> Result<Self, ProgramError> {
        account.named("offer").require_owner(program_id)?;
        let offer = *account.try_borrow_as::<Self>()?;
        if offer.maker != *maker.key() || offer.vault != *vault.key() {
            return Err(EscrowError::WrongAccount.into());
        }
        // The maker chose the program to which the vault belongs. No other will do.
        vault.named("vault").require_owner(token_program.key())?;
        Ok(offer)
    }

    /// Passes the signature of the offer's account to a function that calls other programs.
    ///
    /// # Errors
    ///
    /// Those of the function.
    pub fn sign(&self, call: impl FnOnce(Signer) -> ProgramResult) -> ProgramResult {
        let bump = self.bump as u8;
        let seeds = [
            Seed::from(b"offer"),
            Seed::from(&self.maker),
            Seed::from(&self.vault),
            Seed::from(&bump),
        ];
        call(Signer::new(&seeds))
    }
}
