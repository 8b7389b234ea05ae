//! The data of the program's accounts.
//!
//! The lengths differ, so neither can be taken for the other. An account of zeroes is neither yet.

use bytemuck::{Pod, Zeroable};
use entrypoint::Pubkey;

/// A kind of token: 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Mint {
    /// Who can make new tokens.
    pub authority: Pubkey,
    /// How many tokens there are, in the smallest unit.
    pub supply: u64,
    /// How many digits behind the point one token has. Only wallets use it.
    pub decimals: u8,
    /// 1 for a mint; 0 in an account of zeroes.
    pub is_made: u8,
    /// Zero.
    pub padding: [u8; 6],
}

/// Some tokens of one mint, in the hands of an owner: 112 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Holding {
    /// The mint; zeroes in an account that is no holding yet.
    pub mint: Pubkey,
    /// Who can transfer and burn the tokens.
    pub owner: Pubkey,
    /// Who else can do it; zeroes if no one can.
    pub delegate: Pubkey,
    /// How many tokens there are, in the smallest unit.
    pub amount: u64,
    /// How many of them the delegate may still transfer or burn.
    pub delegated: u64,
}

/// The key of no one.
pub(crate) const NOBODY: Pubkey = Pubkey::new([0; 32]);
