//! The instruction of a call.

use core::fmt;
use core::marker::PhantomData;
use core::mem::offset_of;

use abi::Pubkey;
use abi::call::{CAccountMeta, CInstruction, Slice};

/// Which program to call, with which accounts and which instruction data.
///
/// It borrows its parts, so making one costs nothing. See [`mod@crate::call`] for an example.
#[derive(Clone, Copy)]
pub struct Instruction<'a> {
    /// The id of the program to call.
    pub program_id: &'a Pubkey,
    /// The accounts that it gets, in order, and what it may do with each.
    pub accounts: &'a [AccountMeta<'a>],
    /// The instruction data.
    pub data: &'a [u8],
}

impl<'a> Instruction<'a> {
    /// Returns the instruction in the layout of the syscall.
    #[inline(always)]
    pub(super) fn to_call(self) -> Call<'a> {
        Call {
            instruction: CInstruction {
                program_id: address_of(self.program_id),
                accounts: slice_of(self.accounts),
                data: slice_of(self.data),
            },
            _borrows: PhantomData,
        }
    }
}

/// An [`Instruction`] in the layout of the syscall.
///
/// It is made where the author's function makes the instruction, so that no instruction in the
/// other layout needs a place in memory.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    instruction: CInstruction,
    _borrows: PhantomData<Instruction<'a>>,
}

impl<'a> Call<'a> {
    /// Returns what the syscall reads.
    #[inline(always)]
    pub(super) fn instruction(&self) -> &CInstruction {
        &self.instruction
    }

    /// Returns the accounts that the instruction lists.
    pub(super) fn accounts(&self) -> &'a [AccountMeta<'a>] {
        let Slice { address, length } = self.instruction.accounts;
        let first = core::ptr::with_exposed_provenance(address as usize);
        // SAFETY: `to_call`, the only constructor, has taken address and length from a slice of
        // such values that lives for `'a`, and has exposed its provenance.
        unsafe { core::slice::from_raw_parts(first, length as usize) }
    }
}

impl fmt::Debug for Instruction<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Instruction")
            .field("program_id", self.program_id)
            .field("accounts", &self.accounts)
            .field("data", &self.data)
            .finish()
    }
}

/// One account of an instruction: its key, and what the called program may do.
///
/// It borrows the key, and has the layout in which the host reads it, so listing accounts copies no
/// key.
///
/// ```
/// use entrypoint::{AccountMeta, Pubkey};
///
/// let key = Pubkey::new([7; 32]);
/// let meta = AccountMeta::writable(&key);
/// assert_eq!(*meta.key, key);
/// assert_eq!((meta.is_signer, meta.is_writable), (0, 1));
/// ```
// The layout of `CAccountMeta`, in which an address has 8 bytes. A reference instead of a number
// keeps the constructors `const`, and no field for the padding keeps it unwritten.
#[repr(C, align(8))]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccountMeta<'a> {
    /// The key of the account.
    pub key: &'a Pubkey,
    /// The other half of the address.
    #[cfg(target_pointer_width = "32")]
    zero: u32,
    /// 1 if the called program may change the account, otherwise 0.
    pub is_writable: u8,
    /// 1 if the account signs, otherwise 0.
    pub is_signer: u8,
}

impl<'a> AccountMeta<'a> {
    /// An account that the called program may read.
    #[inline(always)]
    #[must_use]
    pub const fn readonly(key: &'a Pubkey) -> Self {
        Self::new(key, false, false)
    }

    /// An account that the called program may read, and that signs.
    #[inline(always)]
    #[must_use]
    pub const fn readonly_signer(key: &'a Pubkey) -> Self {
        Self::new(key, true, false)
    }

    /// An account that the called program may change.
    #[inline(always)]
    #[must_use]
    pub const fn writable(key: &'a Pubkey) -> Self {
        Self::new(key, false, true)
    }

    /// An account that the called program may change, and that signs.
    #[inline(always)]
    #[must_use]
    pub const fn writable_signer(key: &'a Pubkey) -> Self {
        Self::new(key, true, true)
    }

    /// An account with these rights.
    #[inline(always)]
    #[must_use]
    pub const fn new(key: &'a Pubkey, is_signer: bool, is_writable: bool) -> Self {
        Self {
            key,
            #[cfg(target_pointer_width = "32")]
            zero: 0,
            is_writable: is_writable as u8,
            is_signer: is_signer as u8,
        }
    }
}

impl fmt::Debug for AccountMeta<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccountMeta")
            .field("key", self.key)
            .field("is_signer", &self.is_signer)
            .field("is_writable", &self.is_writable)
            .finish()
    }
}

const _: () = assert!(
    size_of::<AccountMeta<'_>>() == size_of::<CAccountMeta>()
        && offset_of!(AccountMeta<'_>, key) == offset_of!(CAccountMeta, key)
        && offset_of!(AccountMeta<'_>, is_writable) == offset_of!(CAccountMeta, is_writable)
        && offset_of!(AccountMeta<'_>, is_signer) == offset_of!(CAccountMeta, is_signer)
        && cfg!(target_endian = "little")
);

/// Returns the address of a key, as a syscall reads it: with 8 bytes.
///
/// The host reads through the number, so this exposes the provenance.
#[inline(always)]
fn address_of(key: &Pubkey) -> u64 {
    core::ptr::from_ref(key).expose_provenance() as u64
}

/// Returns the address and the length of a slice, as a syscall reads them: with 8 bytes each, on a
/// target with shorter pointers too.
///
/// The host reads through the number, so this exposes the provenance.
#[inline(always)]
pub(crate) fn slice_of<T>(values: &[T]) -> Slice {
    Slice {
        address: values.as_ptr().expose_provenance() as u64,
        length: values.len() as u64,
    }
}
