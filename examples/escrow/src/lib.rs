//! Two parties exchange tokens, and neither has to trust the other.
//!
//! The maker of an offer deposits tokens of one mint and names a price in tokens of another. Who
//! takes the offer pays the price to the maker, and gets the deposit, in one step. Until then, the
//! maker can take the deposit back.
//!
//! The deposit lies in a *vault*: a holding of the token program whose owner is the account of the
//! offer. The address of that account derives from this program's id, so no private key can sign
//! for it. Only this program can, in a call.
//!
//! | instruction data | accounts |
//! |---|---|
//! | `00`, bump seed, deposit, price: make an offer | maker, offer, vault, deposited mint, maker's holding, mint of the price, token program, system program |
//! | `01`, least deposit, price: take it | taker, taker's holding that pays, taker's holding that is paid, offer, vault, maker's holding that is paid, maker, token program |
//! | `02`: cancel it | maker, offer, vault, maker's holding, token program |
//!
//! An amount has 8 bytes, little endian. The first account signs. The address of the offer derives
//! from `offer`, the maker and the vault. The vault is an account of 112 zeroes that belongs to the
//! token program. All accounts are writable but mints and programs.
//!
//! The taker repeats what the offer said: a maker can cancel an offer and make a worse one at the
//! same address before the taker's transaction runs.
//!
//! The token program gets the signature of the instruction's sender, so this program accepts only
//! the one that it was compiled with, [`token::ID`].
#![no_std]

mod offer;

use entrypoint::sysvar::{Rent, Sysvar};
use entrypoint::{
    AccountInfo, ProgramError, ProgramResult, Pubkey, Signer, entrypoint, read_data,
    split_accounts, system,
};
use token::call::{Empty, MakeHolding, Transfer, check_program};
use token::state::Holding;

pub use offer::{EscrowError, Offer};

entrypoint!(process_instruction);

/// Makes, takes or cancels an offer.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    match instruction_data {
        [0, bump, amounts @ ..] => {
            let [deposit, price] = read_data(amounts)?;
            make(program_id, accounts, *bump, deposit, price)
        }
        [1, amounts @ ..] => {
            let [least, price] = read_data(amounts)?;
            take(program_id, accounts, least, price)
        }
        [2] => cancel(program_id, accounts),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

fn make(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    bump: u8,
    deposit: u64,
    price: u64,
) -> ProgramResult {
    let (
        [
            maker,
            offer_account,
            vault,
            mint,
            from,
            price_mint,
            token_program,
            _system_program,
        ],
        _,
    ) = split_accounts(accounts)?;
    check_program(token_program)?;
    let offer = Offer {
        maker: *maker.key(),
        vault: *vault.key(),
        price_mint: *price_mint.key(),
        price,
        bump,
        padding: [0; 7],
    };
    let space = size_of::<Offer>();
    let kelvins = Rent::get()?.minimum_balance(space);
    system::create_account_allow_prefund(maker, offer_account, kelvins, space as u64, program_id)
        .invoke_signed(&[Signer::new(&offer.seeds())])?;
    *offer_account.try_borrow_mut_as::<Offer>()? = offer;
    MakeHolding {
        program: token_program,
        holding: vault,
        mint,
        owner: offer_account,
    }
    .invoke()?;
    Transfer {
        program: token_program,
        from,
        to: vault,
        authority: maker,
        amount: deposit,
    }
    .invoke()
}

fn take(program_id: &Pubkey, accounts: &[AccountInfo], least: u64, price: u64) -> ProgramResult {
    let (
        [
            taker,
            from,
            to,
            offer_account,
            vault,
            payment,
            maker,
            token_program,
        ],
        _,
    ) = split_accounts(accounts)?;
    check_program(token_program)?;
    let offer = Offer::of(offer_account, program_id, maker, vault)?;
    let deposit = vault.try_borrow_as::<Holding>()?.amount;
    if offer.price != price || deposit < least {
        return Err(EscrowError::OfferChanged.into());
    }
    // The taker chose this account, so it must be shown to be the maker's.
    payment.named("payment").require_owner(&token::ID)?;
    {
        let payment = payment.try_borrow_as::<Holding>()?;
        if payment.owner != offer.maker || payment.mint != offer.price_mint {
            return Err(EscrowError::WrongPayment.into());
        }
    }
    Transfer {
        program: token_program,
        from,
        to: payment,
        authority: taker,
        amount: offer.price,
    }
    .invoke()?;
    offer.end(offer_account, vault, to, maker, token_program)
}

fn cancel(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let ([maker, offer_account, vault, to, token_program], _) = split_accounts(accounts)?;
    maker.named("maker").require_signer()?;
    check_program(token_program)?;
    let offer = Offer::of(offer_account, program_id, maker, vault)?;
    offer.end(offer_account, vault, to, maker, token_program)
}

impl Offer {
    /// Gives the deposit to a holding, and the kelvins of vault and offer to the maker.
    fn end(
        &self,
        offer: &AccountInfo,
        vault: &AccountInfo,
        to: &AccountInfo,
        maker: &AccountInfo,
        program: &AccountInfo,
    ) -> ProgramResult {
        Empty {
            program,
            holding: vault,
            to,
            recipient: maker,
            owner: offer,
        }
        .invoke_signed(&[Signer::new(&self.seeds())])?;
        offer.close(maker)
    }
}
