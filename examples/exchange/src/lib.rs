//! Exchanges two tokens against each other, at a price that follows from what it holds.
//!
//! A *pool* holds tokens of two mints, in two vaults: holdings of the token program whose owner is
//! the account of the pool. Anyone can put tokens of one mint in and take tokens of the other out.
//! The product of both amounts never falls: who takes more pays a worse price. Of what is put in,
//! 0.3 % stay in the pool as the fee.
//!
//! | instruction data | accounts |
//! |---|---|
//! | `00`, bump seed: open a pool | creator, pool, vault, other vault, token program, system program |
//! | `01`, amount, least: swap | trader, trader's holding that pays, trader's holding that is paid, pool, vault that is paid, vault that pays, token program |
//! | `02`: close the pool | creator, pool, vault, other vault, creator's holding, creator's other holding, token program |
//!
//! An amount has 8 bytes, little endian. The first account signs. All accounts are writable but the
//! programs and, in a swap, trader and pool.
//!
//! The creator makes the vaults and transfers tokens into them with the token program, before the
//! pool exists. The address of the pool derives from `pool`, the creator and the two vaults.
//! Without the creator in it, anyone could open the pool around vaults that someone else has
//! filled, and close it to take the tokens.
//!
//! The token program gets the signature of the instruction's sender, so this program accepts only
//! the one that it was compiled with, [`token::ID`].
#![no_std]

mod pool;
mod price;

use entrypoint::sysvar::{Rent, Sysvar};
use entrypoint::{
    AccountInfo, ProgramError, ProgramResult, Pubkey, Signer, entrypoint, read_data,
    split_accounts, system,
};
use token::call::{Empty, Transfer, check_program};
use token::state::Holding;

pub use pool::{ExchangeError, Pool};
pub use price::amount_out;

entrypoint!(process_instruction);

/// Opens a pool, swaps, or closes a pool.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    match instruction_data {
        [1, amounts @ ..] => {
            let [amount, least] = read_data(amounts)?;
            swap(program_id, accounts, amount, least)
        }
        [0, bump] => open(program_id, accounts, *bump),
        [2] => close(program_id, accounts),
        _ => Err(ProgramError::InvalidInstructionData),
    }
}

fn open(program_id: &Pubkey, accounts: &[AccountInfo], bump: u8) -> ProgramResult {
    let (
        [
            creator,
            pool_account,
            vault,
            other_vault,
            token_program,
            _system_program,
        ],
        _,
    ) = split_accounts(accounts)?;
    check_program(token_program)?;
    let pool = Pool {
        creator: *creator.key(),
        vaults: [*vault.key(), *other_vault.key()],
        bump,
        padding: [0; 7],
    };
    for vault in [vault, other_vault] {
        vault.named("vault").require_owner(&token::ID)?;
        if vault.try_borrow_as::<Holding>()?.owner != *pool_account.key() {
            return Err(ExchangeError::WrongVault.into());
        }
    }
    let space = size_of::<Pool>();
    let kelvins = Rent::get()?.minimum_balance(space);
    // The vaults belong to this address, so they would be locked if no pool could be made there.
    system::create_account_allow_prefund(creator, pool_account, kelvins, space as u64, program_id)
        .invoke_signed(&[Signer::new(&pool.seeds())])?;
    *pool_account.try_borrow_mut_as::<Pool>()? = pool;
    Ok(())
}

fn swap(program_id: &Pubkey, accounts: &[AccountInfo], amount: u64, least: u64) -> ProgramResult {
    let (
        [
            trader,
            from,
            to,
            pool_account,
            vault_in,
            vault_out,
            token_program,
        ],
        _,
    ) = split_accounts(accounts)?;
    check_program(token_program)?;
    let pool = Pool::of(pool_account, program_id, [vault_in, vault_out])?;
    let [held_in, held_out] = [
        vault_in.try_borrow_as::<Holding>()?.amount,
        vault_out.try_borrow_as::<Holding>()?.amount,
    ];
    let out = amount_out(held_in, held_out, amount);
    if out < least {
        return Err(ExchangeError::PriceTooHigh.into());
    }
    Transfer {
        program: token_program,
        from,
        to: vault_in,
        authority: trader,
        amount,
    }
    .invoke()?;
    Transfer {
        program: token_program,
        from: vault_out,
        to,
        authority: pool_account,
        amount: out,
    }
    .invoke_signed(&[Signer::new(&pool.seeds())])
}

fn close(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let (
        [
            creator,
            pool_account,
            vault,
            other_vault,
            to,
            other_to,
            program,
        ],
        _,
    ) = split_accounts(accounts)?;
    creator.named("creator").require_signer()?;
    check_program(program)?;
    let pool = Pool::of(pool_account, program_id, [vault, other_vault])?;
    if pool.creator != *creator.key() {
        return Err(ExchangeError::WrongCreator.into());
    }
    for (vault, to) in [(vault, to), (other_vault, other_to)] {
        Empty {
            program,
            holding: vault,
            to,
            recipient: creator,
            owner: pool_account,
        }
        .invoke_signed(&[Signer::new(&pool.seeds())])?;
    }
    pool_account.close(creator)
}
