//! The structures of a call from one program to another, and of the syscalls that take slices.
//!
//! A program that calls another passes the addresses of these structures to
//! [`rlo_invoke_signed_rust`](crate::imports::Import::InvokeSigned):
//!
//! ```text
//! rlo_invoke_signed_rust(
//!     instruction,               address of a CallInstruction
//!     accounts, accounts_length, address of the first CallAccount, and their number
//!     signers, signers_length,   address of the first Slice, and their number:
//!                                each is the seeds of one signer, and each seed is a Slice
//! ) -> u64                       0, or the status of the error
//! ```
//!
//! [`rlo_invoke_signed_c`](crate::imports::Import::InvokeSignedC) does the same with the structures
//! that C programs of the Solana family use: a [`CInstruction`] and [`CAccount`]s. They have the
//! addresses of keys, so a program copies no key.
//!
//! An address has 8 bytes on every target: a program on WebAssembly, whose pointers have 4, extends
//! it with zeroes. The layouts are those of the Rialo runtime on RISC-V (crate `rialo-s-cpi`
//! 0.23.0-alpha.0, `HostInstruction` and `HostAccountInfo`; crate `rialo-s-instruction`,
//! `AccountMeta`), and in the C form those of the Solana family (its header `sol/cpi.h`): the
//! runtime's crates declare that syscall and not its structures.

use bytemuck::{Pod, Zeroable};

use crate::Pubkey;

/// The greatest depth of a call. The program that the host called has depth 1.
pub const MAX_CALL_DEPTH: u64 = 5;

/// The most accounts that a call lists, repeats included, and the most that a program passes on.
pub const MAX_CALL_ACCOUNTS: usize = 255;

/// The most bytes of instruction data of a call from one program to another.
pub const MAX_CALL_DATA_LENGTH: usize = 10 * 1024;

/// The most seeds of an address.
pub const MAX_SEEDS: usize = 16;

/// The most bytes of a seed.
pub const MAX_SEED_LENGTH: usize = 32;

/// The most signers that a program adds to a call by their seeds.
pub const MAX_SIGNERS: usize = 16;

/// The text that ends the input of the hash of a derived address.
pub const PROGRAM_ADDRESS_MARKER: &[u8; 21] = b"ProgramDerivedAddress";

/// The address and the length of bytes, or of other values, in the program's memory.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | address |
/// | 8 | 8 | length: a number of values |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Slice {
    /// The address of the first value.
    pub address: u64,
    /// The number of values.
    pub length: u64,
}

/// The program to call, the accounts that it gets, and the instruction data.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 32 | id of the program to call |
/// | 32 | 16 | the accounts that it gets: [`AccountMeta`] |
/// | 48 | 16 | the instruction data |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CallInstruction {
    /// The id of the program to call.
    pub program_id: Pubkey,
    /// The accounts that it gets: values of [`AccountMeta`].
    pub accounts: Slice,
    /// The instruction data.
    pub data: Slice,
}

/// One account of an instruction: its key, and what the called program may do.
///
/// 34 bytes, with alignment 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct AccountMeta {
    /// The key of the account.
    pub key: Pubkey,
    /// 1 if the account signs, otherwise 0.
    pub is_signer: u8,
    /// 1 if the called program may change the account, otherwise 0.
    pub is_writable: u8,
}

/// One account that the calling program passes on, as addresses of its fields.
///
/// They are the addresses in the program's own input, so nothing is copied but the key. The address
/// of the data's length may be another one, where a program keeps the length too: the host writes
/// the length after the call there as well.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 32 | key |
/// | 32 | 8 | address of the kelvins, a u64 |
/// | 40 | 8 | address of the data |
/// | 48 | 8 | length of the data |
/// | 56 | 8 | address of the length of the data, a u64 |
/// | 64 | 8 | address of the owner, 32 bytes |
/// | 72 | 8 | rent epoch, which the host does not read |
/// | 80 | 3 | is_signer, is_writable, executable: each 1 or 0 |
/// | 83 | 5 | padding |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CallAccount {
    /// The key of the account.
    pub key: Pubkey,
    /// The address of its balance.
    pub kelvins: u64,
    /// The address and the length of its data.
    pub data: Slice,
    /// The address of the length of its data.
    pub data_length: u64,
    /// The address of its owner.
    pub owner: u64,
    /// Any value: the host knows it.
    pub rent_epoch: u64,
    /// Whether it signs.
    pub is_signer: u8,
    /// Whether the calling program may change it.
    pub is_writable: u8,
    /// Whether it holds a program.
    pub executable: u8,
    /// Any bytes.
    pub padding: [u8; 5],
}

/// The program to call, the accounts that it gets, and the instruction data: the C form of
/// [`CallInstruction`].
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | address of the id of the program to call |
/// | 8 | 16 | the accounts that it gets: [`CAccountMeta`] |
/// | 24 | 16 | the instruction data |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CInstruction {
    /// The address of the id of the program to call.
    pub program_id: u64,
    /// The accounts that it gets: values of [`CAccountMeta`].
    pub accounts: Slice,
    /// The instruction data.
    pub data: Slice,
}

/// One account of an instruction: the C form of [`AccountMeta`].
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | address of the key |
/// | 8 | 1 | is_writable: 1 or 0 |
/// | 9 | 1 | is_signer: 1 or 0 |
/// | 10 | 6 | padding |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CAccountMeta {
    /// The address of the key.
    pub key: u64,
    /// 1 if the called program may change the account, otherwise 0.
    pub is_writable: u8,
    /// 1 if the account signs, otherwise 0.
    pub is_signer: u8,
    /// Any bytes.
    pub padding: [u8; 6],
}

/// One account that the calling program passes on: the C form of [`CallAccount`].
///
/// The host finds the length of the data in the account's entry, so it has no address here.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | address of the key |
/// | 8 | 8 | address of the kelvins, a u64 |
/// | 16 | 8 | length of the data |
/// | 24 | 8 | address of the data |
/// | 32 | 8 | address of the owner, 32 bytes |
/// | 40 | 8 | rent epoch, which the host does not read |
/// | 48 | 3 | is_signer, is_writable, executable, which the host does not read |
/// | 51 | 5 | padding |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CAccount {
    /// The address of the key.
    pub key: u64,
    /// The address of its balance.
    pub kelvins: u64,
    /// The length of its data.
    pub data_length: u64,
    /// The address of its data.
    pub data: u64,
    /// The address of its owner.
    pub owner: u64,
    /// Any value: the host knows it.
    pub rent_epoch: u64,
    /// Any value: the host knows whether it signs.
    pub is_signer: u8,
    /// Any value: the host knows whether the calling program may change it.
    pub is_writable: u8,
    /// Any value: the host knows whether it holds a program.
    pub executable: u8,
    /// Any bytes.
    pub padding: [u8; 5],
}

/// The place for an account that a program loads with
/// [`rlo_load_account`](crate::imports::Import::LoadAccount).
///
/// | offset | bytes | as the program calls | as the host returns |
/// |---|---|---|---|
/// | 0 | 8 | address of memory for the entry | address of the entry |
/// | 8 | 8 | length of that memory | length of the entry: 88, and the length of the data |
///
/// The entry is an [`AccountHeader`](crate::input::AccountHeader) and the data, without spare bytes
/// and rent epoch. Neither `is_signer` nor `is_writable` is set.
///
/// | status | meaning |
/// |---|---|
/// | 0 | the entry is at the address |
/// | that of [`AccountDataTooSmall`](crate::ProgramError::AccountDataTooSmall) | the memory is too short for the entry: nothing is written but its length |
/// | that of [`UninitializedAccount`](crate::ProgramError::UninitializedAccount) | there is no such account |
///
/// The Rialo runtime reads neither word, and writes the address of an entry that it has placed
/// itself. A program that reads the address after the call runs on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LoadedEntry {
    /// The address of the memory for the entry, then of the entry.
    pub address: u64,
    /// The length of the memory for the entry, then of the entry.
    pub length: u64,
}

impl AccountMeta {
    /// An account that the called program may read.
    ///
    /// ```
    /// use abi::Pubkey;
    /// use abi::call::AccountMeta;
    ///
    /// let meta = AccountMeta::readonly(&Pubkey::new([7; 32]));
    /// assert_eq!((meta.is_signer, meta.is_writable), (0, 0));
    /// ```
    #[inline(always)]
    #[must_use]
    pub const fn readonly(key: &Pubkey) -> Self {
        Self::new(key, false, false)
    }

    /// An account that the called program may read, and that signs.
    #[inline(always)]
    #[must_use]
    pub const fn readonly_signer(key: &Pubkey) -> Self {
        Self::new(key, true, false)
    }

    /// An account that the called program may change.
    #[inline(always)]
    #[must_use]
    pub const fn writable(key: &Pubkey) -> Self {
        Self::new(key, false, true)
    }

    /// An account that the called program may change, and that signs.
    #[inline(always)]
    #[must_use]
    pub const fn writable_signer(key: &Pubkey) -> Self {
        Self::new(key, true, true)
    }

    /// An account with these rights.
    #[inline(always)]
    #[must_use]
    pub const fn new(key: &Pubkey, is_signer: bool, is_writable: bool) -> Self {
        Self {
            key: *key,
            is_signer: is_signer as u8,
            is_writable: is_writable as u8,
        }
    }
}

const _: () = assert!(size_of::<CallInstruction>() == 64);
const _: () = assert!(size_of::<AccountMeta>() == 34 && align_of::<AccountMeta>() == 1);
const _: () = assert!(size_of::<CallAccount>() == 88);
const _: () = assert!(size_of::<CInstruction>() == 40);
const _: () = assert!(size_of::<CAccountMeta>() == 16);
const _: () = assert!(size_of::<CAccount>() == 56);
