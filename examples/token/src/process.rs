//! What each instruction does.
//!
//! Most of these functions do not check that the program owns an account: they change it, and the
//! loader rejects every change of an account that belongs to another program.

use bytemuck::Zeroable;
use entrypoint::{AccountInfo, ProgramResult, Pubkey, read_data, split_accounts};

use crate::error::TokenError;
use crate::state::{Holding, Mint, NOBODY};

pub fn make_mint(accounts: &[AccountInfo], decimals: u8, authority: &[u8]) -> ProgramResult {
    let ([mint], _) = split_accounts(accounts)?;
    let authority = read_data(authority)?;
    let mut mint = mint.try_borrow_mut_as::<Mint>()?;
    if mint.is_made != 0 {
        return Err(TokenError::AlreadyMade.into());
    }
    *mint = Mint {
        authority,
        supply: 0,
        decimals,
        is_made: 1,
        padding: [0; 6],
    };
    Ok(())
}

pub fn make_holding(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let ([holding, mint, owner], _) = split_accounts(accounts)?;
    // The mint does not change here, so the loader would not notice another program's account.
    mint.named("mint").require_owner(program_id)?;
    if mint.try_borrow_as::<Mint>()?.is_made == 0 {
        return Err(TokenError::NotMade.into());
    }
    let mut holding = holding.try_borrow_mut_as::<Holding>()?;
    if holding.mint != NOBODY {
        return Err(TokenError::AlreadyMade.into());
    }
    *holding = Holding {
        mint: *mint.key(),
        owner: *owner.key(),
        ..Holding::zeroed()
    };
    Ok(())
}

pub fn mint(accounts: &[AccountInfo], amount: u64) -> ProgramResult {
    let ([mint_account, holding, authority], _) = split_accounts(accounts)?;
    authority.named("authority").require_signer()?;
    let mut mint = mint_account.try_borrow_mut_as::<Mint>()?;
    if mint.authority != *authority.key() {
        return Err(TokenError::WrongAuthority.into());
    }
    // No sum over holdings is larger than the supply, so this is the only sum that can overflow.
    mint.supply = mint
        .supply
        .checked_add(amount)
        .ok_or(TokenError::TooManyTokens)?;
    let mut holding = holding.try_borrow_mut_as::<Holding>()?;
    if holding.mint != *mint_account.key() {
        return Err(TokenError::WrongMint.into());
    }
    holding.receive(amount)
}

pub fn transfer(accounts: &[AccountInfo], amount: u64) -> ProgramResult {
    let ([from, to, authority], _) = split_accounts(accounts)?;
    // One borrow after the other, because both may be of the same account.
    let mint = {
        let mut from = from.try_borrow_mut_as::<Holding>()?;
        from.spend(authority, amount)?;
        from.mint
    };
    let mut to = to.try_borrow_mut_as::<Holding>()?;
    if to.mint != mint {
        return Err(TokenError::WrongMint.into());
    }
    to.receive(amount)
}

pub fn approve(accounts: &[AccountInfo], amount: u64) -> ProgramResult {
    let ([holding, delegate, owner], _) = split_accounts(accounts)?;
    owner.named("owner").require_signer()?;
    let mut holding = holding.try_borrow_mut_as::<Holding>()?;
    if holding.owner != *owner.key() {
        return Err(TokenError::WrongAuthority.into());
    }
    holding.delegate = *delegate.key();
    holding.delegated = amount;
    Ok(())
}

pub fn burn(accounts: &[AccountInfo], amount: u64) -> ProgramResult {
    let ([holding, mint_account, authority], _) = split_accounts(accounts)?;
    let mut holding = holding.try_borrow_mut_as::<Holding>()?;
    holding.spend(authority, amount)?;
    if holding.mint != *mint_account.key() {
        return Err(TokenError::WrongMint.into());
    }
    let mut mint = mint_account.try_borrow_mut_as::<Mint>()?;
    mint.supply = mint
        .supply
        .checked_sub(amount)
        .ok_or(TokenError::TooFewTokens)?;
    Ok(())
}

pub fn close(accounts: &[AccountInfo]) -> ProgramResult {
    let ([account, recipient, owner], _) = split_accounts(accounts)?;
    owner.named("owner").require_signer()?;
    {
        let mut holding = account.try_borrow_mut_as::<Holding>()?;
        if holding.owner != *owner.key() {
            return Err(TokenError::WrongAuthority.into());
        }
        if holding.amount != 0 {
            return Err(TokenError::NotEmpty.into());
        }
        // So that the account cannot come back as a holding within the transaction.
        *holding = Holding::zeroed();
    }
    let kelvins = account.kelvins();
    account.debit(kelvins)?;
    recipient.credit(kelvins)
}

impl Holding {
    /// Takes tokens out, if the owner or the delegate signed.
    #[inline]
    fn spend(&mut self, authority: &AccountInfo, amount: u64) -> ProgramResult {
        authority.named("authority").require_signer()?;
        if self.owner != *authority.key() {
            self.spend_as_delegate(authority, amount)?;
        }
        self.amount = self
            .amount
            .checked_sub(amount)
            .ok_or(TokenError::TooFewTokens)?;
        Ok(())
    }

    fn spend_as_delegate(&mut self, authority: &AccountInfo, amount: u64) -> ProgramResult {
        if self.delegate != *authority.key() || self.delegate == NOBODY {
            return Err(TokenError::WrongAuthority.into());
        }
        self.delegated = self
            .delegated
            .checked_sub(amount)
            .ok_or(TokenError::TooFewTokens)?;
        Ok(())
    }

    /// Puts tokens in.
    #[inline]
    fn receive(&mut self, amount: u64) -> ProgramResult {
        self.amount = self
            .amount
            .checked_add(amount)
            .ok_or(TokenError::TooManyTokens)?;
        Ok(())
    }
}
