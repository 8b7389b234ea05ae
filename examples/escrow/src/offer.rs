//! The account of an offer.

use bytemuck::{Pod, Zeroable};
use entrypoint::{AccountInfo, ProgramError, Pubkey, Seed};

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
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 7],
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
    ) -> Result<Self, ProgramError> {
        account.named("offer").require_owner(program_id)?;
        let offer = *account.try_borrow_as::<Self>()?;
        if offer.maker != *maker.key() || offer.vault != *vault.key() {
            return Err(EscrowError::WrongAccount.into());
        }
        vault.named("vault").require_owner(&token::ID)?;
        Ok(offer)
    }

    /// Returns the seeds of the account's address.
    #[must_use]
    pub fn seeds(&self) -> [Seed<'_>; 4] {
        [
            Seed::from(b"offer"),
            Seed::from(&self.maker),
            Seed::from(&self.vault),
            Seed::from(&self.bump),
        ]
    }
}
