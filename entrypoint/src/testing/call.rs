//! A call of another program in a unit test.

use std::vec::Vec;

use abi::call::{MAX_CALL_ACCOUNTS, MAX_CALL_DATA_LENGTH, MAX_CALL_DEPTH, MAX_SIGNERS};
use abi::input::{AccountHeader, MAX_PERMITTED_DATA_INCREASE};
use abi::program_address::create_program_address;
use abi::{ProgramError, Pubkey};

use super::host::{Function, RecordedAccount, RecordedCall, with_current};
use super::{Account, AccountInput, Invocation, ProcessedInstruction};
use crate::AccountInfo;
use crate::account::Description;
use crate::call::{AccountMeta, Seed, Signer};
use crate::instructions::SiblingAccount;
use crate::target::{note_program_id, program_id};

/// What a caller passes to the host.
pub(crate) struct CallRequest<'a> {
    pub(crate) program_id: Pubkey,
    pub(crate) metas: &'a [AccountMeta<'a>],
    pub(crate) data: &'a [u8],
    pub(crate) accounts: &'a [Description],
    pub(crate) signers: &'a [Signer<'a>],
}

/// Calls the program that the request names, as a loader would.
///
/// # Errors
///
/// What the called program returned.
///
/// # Panics
///
/// If a loader would not make the call, and so end the caller: the panic's message says what to
/// change.
///
/// # Safety
///
/// `request.accounts` describes views whose entries live until this returns.
pub(crate) unsafe fn make_call(request: &CallRequest<'_>) -> Result<(), ProgramError> {
    let caller = program_id();
    check_lengths(request);
    let signers: Vec<Pubkey> = request
        .signers
        .iter()
        .map(|signer| derive(signer, &caller))
        .collect();
    let callee = request.program_id;
    let function = find_program(&caller, &callee);
    with_current(|current| {
        current.record.calls.push(RecordedCall {
            caller,
            program_id: callee,
            accounts: request.metas.iter().map(recorded).collect(),
            data: request.data.to_vec(),
            signers: signers.clone(),
        });
    });

    let mut invocation = Invocation::new(callee).data(request.data);
    let mut passed: Vec<(AccountMeta<'_>, usize)> = Vec::new();
    let mut firsts: Vec<&Description> = Vec::new();
    for (position, meta) in request.metas.iter().enumerate() {
        if let Some((_, first)) = passed.iter().find(|(earlier, _)| earlier.key == meta.key) {
            invocation = invocation.repeat(*first);
            continue;
        }
        let rights = rights(meta.key, request.metas);
        let account = find(request.accounts, &rights);
        check_rights(account, &rights, &signers);
        invocation = invocation.account(input(account, &rights)?);
        passed.push((rights, position));
        firsts.push(account);
    }

    let end = End::begin(caller);
    let outcome = invocation.run(|program_id, accounts, data| function(program_id, accounts, data));
    drop(end);
    outcome.result?;
    for ((rights, _), (before, after)) in passed.iter().zip(firsts.iter().zip(&outcome.accounts)) {
        if rights.is_writable != 0 {
            write_back(before, after)?;
        }
    }
    let accounts = request.metas.iter().map(|meta| {
        let rights = rights(meta.key, request.metas);
        SiblingAccount::new(meta.key, rights.is_signer != 0, rights.is_writable != 0)
    });
    let processed = ProcessedInstruction {
        program_id: callee,
        accounts: accounts.collect(),
        data: request.data.to_vec(),
    };
    with_current(|current| current.end_of_call(processed));
    Ok(())
}

fn recorded(meta: &AccountMeta<'_>) -> RecordedAccount {
    RecordedAccount {
        key: *meta.key,
        is_signer: meta.is_signer != 0,
        is_writable: meta.is_writable != 0,
    }
}

/// Checks what needs no account.
fn check_lengths(request: &CallRequest<'_>) {
    for (found, most, what) in [
        (
            request.metas.len(),
            MAX_CALL_ACCOUNTS,
            "accounts in the instruction",
        ),
        (
            request.accounts.len(),
            MAX_CALL_ACCOUNTS,
            "accounts passed on",
        ),
        (
            request.data.len(),
            MAX_CALL_DATA_LENGTH,
            "bytes of instruction data",
        ),
        (request.signers.len(), MAX_SIGNERS, "signers"),
    ] {
        assert!(
            found <= most,
            "a call with {found} {what}: there may be {most}"
        );
    }
}

/// Returns the address that signs by these seeds.
fn derive(signer: &Signer<'_>, caller: &Pubkey) -> Pubkey {
    let seeds: Vec<&[u8]> = signer.seeds().iter().map(Seed::as_bytes).collect();
    create_program_address(&seeds, caller)
        .unwrap_or_else(|error| panic!("the seeds of a signer give no address: {error}"))
}

/// Returns the function of the called program, if the current one may call it now.
fn find_program(caller: &Pubkey, callee: &Pubkey) -> Function {
    let (function, callers) = with_current(|current| {
        let function = current.host.find_program(callee);
        (function, current.callers.clone())
    });
    let depth = callers.len() as u64 + 2;
    assert!(
        depth <= MAX_CALL_DEPTH,
        "a call of depth {depth}: a program may call another to a depth of {MAX_CALL_DEPTH}"
    );
    assert!(
        callee == caller || !callers.contains(callee),
        "the function calls the program {callee}, which waits for it: a program may call itself, \
         but no other program that waits"
    );
    function.unwrap_or_else(|| {
        panic!(
            "the function calls the program {callee}, which the host of this test does not have: \
             add it with `testing::Host::program`, and run the test in `testing::Host::run`"
        )
    })
}

/// Makes another program the current one, until it is dropped: after a panic too.
struct End {
    caller: Pubkey,
}

impl End {
    fn begin(caller: Pubkey) -> Self {
        with_current(|current| current.callers.push(caller));
        Self { caller }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        note_program_id(&self.caller);
        with_current(|current| current.callers.pop());
    }
}

/// The rights of an account that an instruction may list more than once: all of them together.
fn rights<'a>(key: &'a Pubkey, metas: &[AccountMeta<'_>]) -> AccountMeta<'a> {
    let mut rights = AccountMeta::readonly(key);
    for meta in metas.iter().filter(|meta| meta.key == key) {
        rights.is_signer |= meta.is_signer;
        rights.is_writable |= meta.is_writable;
    }
    rights
}

fn find<'a>(accounts: &'a [Description], meta: &AccountMeta<'_>) -> &'a Description {
    let mut accounts = accounts.iter();
    let found = accounts.find(|account| view(account).key() == meta.key);
    found.unwrap_or_else(|| {
        panic!(
            "the instruction lists the account {}, which the call does not pass on: add its view \
             to the accounts of `invoke`",
            meta.key
        )
    })
}

fn check_rights(account: &Description, rights: &AccountMeta<'_>, signers: &[Pubkey]) {
    let key = rights.key;
    assert!(
        rights.is_writable == 0 || view(account).is_writable(),
        "the instruction lets the called program change the account {key}, which the caller may \
         not change itself"
    );
    assert!(
        rights.is_signer == 0 || view(account).is_signer() || signers.contains(key),
        "the instruction lets the account {key} sign, which does not sign for the caller and is \
         not the address of a signer's seeds; the signers' addresses are {signers:?}"
    );
}

/// Returns the view of a passed account's entry.
fn view(account: &Description) -> AccountInfo<'_> {
    // SAFETY: by the contract of `make_call`, the description is that of a view whose entry lives
    // until the call returns. The borrow of the description ends before that.
    unsafe { AccountInfo::from_address(account.kelvins - AccountHeader::KELVINS as u64) }
}

/// Returns the account as the called program gets it.
fn input(account: &Description, rights: &AccountMeta<'_>) -> Result<AccountInput, ProgramError> {
    let view = view(account);
    Ok(AccountInput {
        account: Account {
            key: *view.key(),
            owner: view.owner(),
            kelvins: view.kelvins(),
            data: view.try_borrow_data()?[..].into(),
            executable: view.executable(),
            rent_epoch: view.rent_epoch(),
        },
        is_signer: rights.is_signer != 0,
        is_writable: rights.is_writable != 0,
    })
}

/// Writes what the called program changed, as a loader does: into the entry, past the caller's
/// views.
fn write_back(account: &Description, after: &Account) -> Result<(), ProgramError> {
    let view = view(account);
    let (before, length) = (view.data_len(), after.data.len());
    if length > view.original_data_len() + MAX_PERMITTED_DATA_INCREASE {
        return Err(ProgramError::InvalidRealloc);
    }
    // `invoke` has found no borrow, but the called function may have made one that still lives.
    drop(view.try_borrow_mut_data()?);
    view.set_kelvins(after.kelvins);
    view.assign(&after.owner);
    let data = core::ptr::with_exposed_provenance_mut::<u8>(account.data as usize);
    // SAFETY: the data ends in the entry's spare bytes at the latest, by the check above: the
    // caller has recorded the length with which it was entered. No reference to it lives, as the
    // borrow above shows. `after` has data of its own.
    unsafe { data.copy_from_nonoverlapping(after.data.as_ptr(), length) };
    if length < before {
        // SAFETY: the bytes are data of the entry, by its length before.
        let rest = unsafe { data.add(length) };
        // SAFETY: as before. No reference to them lives.
        unsafe { rest.write_bytes(0, before - length) };
    }
    let header = account.kelvins as usize - AccountHeader::KELVINS;
    let data_length = header + AccountHeader::DATA_LENGTH;
    let data_length = core::ptr::with_exposed_provenance_mut::<u64>(data_length);
    // SAFETY: the length is a field of the entry's header, to which no reference exists. The write
    // needs no alignment.
    unsafe { data_length.write_unaligned(length as u64) };
    Ok(())
}
