//! The accounts that a call passes on: how a list of views becomes what the syscall reads.

use core::mem::MaybeUninit;

use abi::call::CInstruction;
use abi::{ProgramError, ProgramResult};

use super::instruction::Call;
use super::make;
use crate::account::Description;

/// The most accounts of a call that takes them as a slice. The list of more than 32 takes 7 KiB of
/// the stack, and that of fewer 1,792 bytes. An array of views has a list of its own length.
pub const MAX_SLICE_ACCOUNTS: usize = 128;

/// For up to this many accounts, a slice has a list of 1,792 bytes.
const FEW_ACCOUNTS: usize = 32;

/// The state of all accounts of a call together, and their descriptions.
pub(super) struct Passed<'a> {
    pub(super) accounts: &'a [Description],
    /// The bitwise and of the borrow states: 255 if no account has a live borrow.
    pub(super) states: u64,
}

/// A list of accounts to pass to a call.
///
/// | type | the list for the host |
/// |---|---|
/// | `[AccountInfo; N]`, `[&AccountInfo; N]` | an array of `N` on the stack |
/// | `[AccountInfo]`, `[&AccountInfo]`, `Vec` of them | an array of 32 on the stack, or of [`MAX_SLICE_ACCOUNTS`] if there are more |
#[diagnostic::on_unimplemented(
    message = "EP0045: `{Self}` is not a list of accounts",
    label = "pass views of accounts, as in `&[payer, vault]` or `accounts`"
)]
pub trait AccountList: sealed::AccountList {}

impl<T: sealed::AccountList + ?Sized> AccountList for T {}

mod sealed {
    use crate::AccountInfo;

    use super::{CInstruction, Call, Description, ProgramResult};

    pub trait AccountList {
        /// Makes the call with these accounts.
        fn call(
            &self,
            call: &Call<'_>,
            syscall: impl FnOnce(&CInstruction, &[Description]) -> u64,
        ) -> ProgramResult;
    }

    /// A view, or a reference to one. Not `AsRef`: an author's `as_ref` could borrow the data of
    /// another account of the list, after the state of that one was read.
    #[diagnostic::on_unimplemented(
        message = "EP0046: `{Self}` is not a view of an account",
        label = "pass an `AccountInfo`, or a reference to one"
    )]
    pub trait View {
        fn view(&self) -> &AccountInfo<'_>;
    }

    impl View for AccountInfo<'_> {
        #[inline(always)]
        fn view(&self) -> &AccountInfo<'_> {
            self
        }
    }

    impl<V: View> View for &V {
        #[inline(always)]
        fn view(&self) -> &AccountInfo<'_> {
            (*self).view()
        }
    }
}

impl<A: sealed::View, const N: usize> sealed::AccountList for [A; N] {
    #[inline(always)]
    fn call(
        &self,
        call: &Call<'_>,
        syscall: impl FnOnce(&CInstruction, &[Description]) -> u64,
    ) -> ProgramResult {
        let mut list = [const { MaybeUninit::uninit() }; N];
        make(call, &describe(self, &mut list), syscall)
    }
}

impl<A: sealed::View> sealed::AccountList for [A] {
    // The list takes 2 KiB: not in the frame of the author's function.
    #[inline(never)]
    fn call(
        &self,
        call: &Call<'_>,
        syscall: impl FnOnce(&CInstruction, &[Description]) -> u64,
    ) -> ProgramResult {
        // A frame of more than 2 KiB costs some instructions more: they cannot hold its length.
        if self.len() > FEW_ACCOUNTS {
            return call_with_many(self, call, syscall);
        }
        let mut list = [const { MaybeUninit::uninit() }; FEW_ACCOUNTS];
        make(call, &describe(self, &mut list), syscall)
    }
}

/// Makes the call with more accounts than the short list has room for.
#[cold]
#[inline(never)]
fn call_with_many<A: sealed::View>(
    accounts: &[A],
    call: &Call<'_>,
    syscall: impl FnOnce(&CInstruction, &[Description]) -> u64,
) -> ProgramResult {
    if accounts.len() > MAX_SLICE_ACCOUNTS {
        return Err(too_many());
    }
    let mut list = [const { MaybeUninit::uninit() }; MAX_SLICE_ACCOUNTS];
    make(call, &describe(accounts, &mut list), syscall)
}

impl<A: sealed::View> sealed::AccountList for alloc::vec::Vec<A> {
    #[inline(always)]
    fn call(
        &self,
        call: &Call<'_>,
        syscall: impl FnOnce(&CInstruction, &[Description]) -> u64,
    ) -> ProgramResult {
        self.as_slice().call(call, syscall)
    }
}

/// Describes each account in the list, as far as there is room for it.
#[inline(always)]
fn describe<'list, A: sealed::View>(
    accounts: &[A],
    list: &'list mut [MaybeUninit<Description>],
) -> Passed<'list> {
    let count = accounts.len().min(list.len());
    let mut states = u64::MAX;
    for (to, account) in list.iter_mut().zip(accounts) {
        states &= account.view().describe(to);
    }
    // SAFETY: the loop has written the first `count` items, which are in one array.
    let accounts = unsafe { core::slice::from_raw_parts(list.as_ptr().cast(), count) };
    Passed { accounts, states }
}

/// Logs what is wrong, and returns the error.
#[cold]
#[inline(never)]
fn too_many() -> ProgramError {
    crate::log("a call passes at most 128 accounts as a slice: pass only those that it needs");
    ProgramError::InvalidArgument
}

const _: () = assert!(MAX_SLICE_ACCOUNTS == 128, "`too_many` names the number");
