//! The errors of the program.

use entrypoint::ProgramError;

/// An error of the token. The numbers are the program's custom error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ProgramError)]
#[repr(u32)]
pub enum TokenError {
    /// The account is a mint or a holding already.
    AlreadyMade = 1,
    /// The account is no mint or no holding yet.
    NotMade = 2,
    /// The holding has tokens of another mint.
    WrongMint = 3,
    /// The signer is neither the owner nor the delegate; of a mint, not the authority.
    WrongAuthority = 4,
    /// The holding has too few tokens, or its delegate may spend too few.
    TooFewTokens = 5,
    /// There would be more tokens than a u64 can count.
    TooManyTokens = 6,
    /// Only an empty holding can be closed.
    NotEmpty = 7,
}
