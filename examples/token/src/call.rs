//! The instructions as values, for programs that call this one.
//!
//! ```
//! use entrypoint::{AccountInfo, ProgramResult, split_accounts};
//!
//! /// Pays three tokens.
//! fn pay(accounts: &[AccountInfo]) -> ProgramResult {
//!     let ([from, to, owner, token_program], _) = split_accounts(accounts)?;
//!     token::call::Transfer { program: token_program, from, to, authority: owner, amount: 3 }
//!         .invoke()
//! }
//! ```

use entrypoint::{
    AccountInfo, AccountMeta, Instruction, ProgramError, ProgramResult, Signer, invoke_signed,
};

use crate::state::Holding;

/// Checks that an account is this program, at its [`ID`](crate::ID).
///
/// A program must not call one that the sender of its instruction has chosen: the called program
/// gets the signatures of the instruction, and those that the caller adds.
///
/// # Errors
///
/// [`ProgramError::IncorrectProgramId`] if it is another account.
#[inline]
pub fn check_program(program: &AccountInfo) -> ProgramResult {
    program
        .named("token program")
        .require_key(&crate::ID)
        .map_err(|_| ProgramError::IncorrectProgramId)?;
    Ok(())
}

/// Makes an empty holding of an account of zeroes.
#[derive(Clone, Copy, Debug)]
pub struct MakeHolding<'a, 'input> {
    /// The token program.
    pub program: &'a AccountInfo<'input>,
    /// The account.
    pub holding: &'a AccountInfo<'input>,
    /// The mint of its tokens.
    pub mint: &'a AccountInfo<'input>,
    /// Its owner.
    pub owner: &'a AccountInfo<'input>,
}

impl MakeHolding<'_, '_> {
    /// Makes the call.
    ///
    /// # Errors
    ///
    /// As for [`entrypoint::invoke`].
    pub fn invoke(&self) -> ProgramResult {
        let instruction = Instruction {
            program_id: self.program.key(),
            accounts: &[
                AccountMeta::writable(self.holding.key()),
                AccountMeta::readonly(self.mint.key()),
                AccountMeta::readonly(self.owner.key()),
            ],
            data: &[1],
        };
        invoke_signed(&instruction, &[self.holding, self.mint, self.owner], &[])
    }
}

/// Transfers tokens.
#[derive(Clone, Copy, Debug)]
pub struct Transfer<'a, 'input> {
    /// The token program.
    pub program: &'a AccountInfo<'input>,
    /// The holding that pays.
    pub from: &'a AccountInfo<'input>,
    /// The holding that is paid.
    pub to: &'a AccountInfo<'input>,
    /// The owner or the delegate of `from`, which signs.
    pub authority: &'a AccountInfo<'input>,
    /// How many tokens.
    pub amount: u64,
}

impl Transfer<'_, '_> {
    /// Makes the call.
    ///
    /// # Errors
    ///
    /// As for [`entrypoint::invoke`].
    pub fn invoke(&self) -> ProgramResult {
        self.invoke_signed(&[])
    }

    /// Makes the call, with signatures of derived addresses.
    ///
    /// # Errors
    ///
    /// As for [`entrypoint::invoke_signed`].
    pub fn invoke_signed(&self, signers: &[Signer]) -> ProgramResult {
        let mut data = [3; 9];
        data[1..].copy_from_slice(&self.amount.to_le_bytes());
        let instruction = Instruction {
            program_id: self.program.key(),
            accounts: &[
                AccountMeta::writable(self.from.key()),
                AccountMeta::writable(self.to.key()),
                AccountMeta::readonly_signer(self.authority.key()),
            ],
            data: &data,
        };
        invoke_signed(&instruction, &[self.from, self.to, self.authority], signers)
    }
}

/// Transfers all tokens of a holding, and closes it: two calls.
#[derive(Clone, Copy, Debug)]
pub struct Empty<'a, 'input> {
    /// The token program.
    pub program: &'a AccountInfo<'input>,
    /// The holding.
    pub holding: &'a AccountInfo<'input>,
    /// The holding that gets the tokens.
    pub to: &'a AccountInfo<'input>,
    /// Who gets the kelvins.
    pub recipient: &'a AccountInfo<'input>,
    /// The owner, which signs.
    pub owner: &'a AccountInfo<'input>,
}

impl Empty<'_, '_> {
    /// Makes the calls, with signatures of derived addresses.
    ///
    /// # Errors
    ///
    /// As for [`entrypoint::invoke_signed`], and those of
    /// [`try_borrow_as`](AccountInfo::try_borrow_as) if the account is not a holding.
    pub fn invoke_signed(&self, signers: &[Signer]) -> ProgramResult {
        let Self {
            program,
            holding,
            to,
            recipient,
            owner,
        } = *self;
        let amount = holding.named("holding").try_borrow_as::<Holding>()?.amount;
        Transfer {
            program,
            from: holding,
            to,
            authority: owner,
            amount,
        }
        .invoke_signed(signers)?;
        Close {
            program,
            holding,
            recipient,
            owner,
        }
        .invoke_signed(signers)
    }
}

/// Closes an empty holding, and pays its kelvins out.
#[derive(Clone, Copy, Debug)]
pub struct Close<'a, 'input> {
    /// The token program.
    pub program: &'a AccountInfo<'input>,
    /// The holding.
    pub holding: &'a AccountInfo<'input>,
    /// Who gets the kelvins.
    pub recipient: &'a AccountInfo<'input>,
    /// The owner, which signs.
    pub owner: &'a AccountInfo<'input>,
}

impl Close<'_, '_> {
    /// Makes the call, with signatures of derived addresses.
    ///
    /// # Errors
    ///
    /// As for [`entrypoint::invoke_signed`].
    pub fn invoke_signed(&self, signers: &[Signer]) -> ProgramResult {
        let instruction = Instruction {
            program_id: self.program.key(),
            accounts: &[
                AccountMeta::writable(self.holding.key()),
                AccountMeta::writable(self.recipient.key()),
                AccountMeta::readonly_signer(self.owner.key()),
            ],
            data: &[6],
        };
        invoke_signed(
            &instruction,
            &[self.holding, self.recipient, self.owner],
            signers,
        )
    }
}
