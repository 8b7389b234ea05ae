//! The accounts of a call: those of the caller's input, as they are now.

use abi::Pubkey;
use abi::call::AccountMeta;
use abi::input::AccountHeader;

use super::super::call::Call;
use super::request::{Passed, Request};
use crate::account::{Account, AccountEntry, AccountInput};
use crate::error::{Failure, InvalidCall};
use crate::invocation::Invocation;
use crate::invoke::guest::{GuestMemory, Inaccessible, read_pod};
use crate::invoke::input::read_back;
use crate::invoke::input::write::SerializedInput;
use crate::invoke::write_back::{AccountChange, SumChange, most_data};

/// A program's own input and accounts, for the calls that it makes.
pub(crate) struct Caller {
    /// What a callee gets of the caller's invocation.
    pub(super) inherited: Inherited,
    input: SerializedInput,
    /// The accounts as the program's calls have left them, by the position of the entry. Empty
    /// before its first call.
    known: Vec<Option<AccountInput>>,
    /// The key of each account, in order, and the position of its entry. Empty before its first
    /// call.
    positions: Vec<(Pubkey, usize)>,
}

/// The parts of an invocation that a called program gets too.
#[derive(Clone, Copy)]
pub(super) struct Inherited {
    pub heap_size: u32,
    pub announced_heap: Option<u32>,
    pub account_table: bool,
}

/// An account that a call lists, at its first place in the list.
pub(super) struct Listed {
    /// The position of its entry in the caller's input.
    pub entry: usize,
    /// Whether it signs for the callee.
    pub is_signer: bool,
    /// Whether the callee may change it.
    pub is_writable: bool,
}

/// The accounts that a call lists.
pub(super) struct List {
    /// Each account once, in the order of the list.
    pub accounts: Vec<Listed>,
    /// For each entry of the list, the place in `accounts`.
    pub places: Vec<usize>,
    /// The entry of an account, and an address outside of it at which the caller keeps the length
    /// of its data too.
    lengths: Vec<(usize, u64)>,
}

impl Caller {
    pub fn new(invocation: &Invocation) -> Self {
        Self {
            inherited: Inherited {
                heap_size: invocation.heap_size,
                announced_heap: invocation.announced_heap,
                account_table: invocation.account_table,
            },
            input: SerializedInput::empty(),
            known: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// The input as it was sent, and the accounts as the program's calls have left them.
    pub fn accounts(&mut self) -> (&mut SerializedInput, &[Option<AccountInput>]) {
        (&mut self.input, &self.known)
    }

    /// The program's invocation has ended.
    pub fn end(&mut self) {
        self.input.give_back();
    }

    /// Prepares for the first call of a program that makes calls.
    fn prepare(&mut self) {
        let count = self.input.entries().len();
        if self.known.len() == count {
            return;
        }
        self.known.resize(count, None);
        let keys =
            (0..count).filter_map(|entry| Some((self.input.key_and_length(entry)?.0, entry)));
        self.positions = keys.collect();
        self.positions.sort_unstable();
    }

    /// The position of an account's entry.
    fn position(&self, key: &Pubkey) -> Option<usize> {
        let place = self.positions.binary_search_by_key(&key, |(key, _)| key);
        Some(self.positions[place.ok()?].1)
    }

    /// The account in the entry at a position, as the last call has left it, or as it was sent.
    fn known(&mut self, entry: usize) -> &mut AccountInput {
        let input = &self.input;
        self.known[entry].get_or_insert_with(|| input.account(entry).unwrap_or_default())
    }

    /// The length of the data with which the program got the account.
    fn sent_length(&self, entry: usize) -> usize {
        let sent = self.input.key_and_length(entry);
        sent.map_or(0, |(_, length)| length)
    }

    fn address(&self, entry: usize) -> u64 {
        self.input.entries()[entry].address
    }
}

/// Finds the accounts that a call lists in the caller's input, and checks their privileges.
pub(super) fn match_with_input<G: GuestMemory>(
    call: &mut Call<'_, G>,
    request: &Request,
) -> Result<List, Failure> {
    call.syscalls.caller.prepare();
    let mut is_passed = vec![false; call.syscalls.caller.known.len()];
    let mut lengths = Vec::new();
    for (index, account) in request.passed.iter().enumerate() {
        let entry = check_passed(call, index, account)?;
        is_passed[entry] = true;
        if let Some(address) = check_other_length(call, index, account, entry)? {
            lengths.push((entry, address));
        }
    }
    let mut list = List {
        accounts: Vec::with_capacity(request.metas.len()),
        places: Vec::with_capacity(request.metas.len()),
        lengths,
    };
    let caller = &mut call.syscalls.caller;
    // The place in the list of each of the caller's entries.
    let mut place_of = vec![None; is_passed.len()];
    for (index, meta) in request.metas.iter().enumerate() {
        let entry = caller.position(&meta.key).filter(|entry| is_passed[*entry]);
        let Some(entry) = entry else {
            let key = meta.key;
            return Err(InvalidCall::MissingAccount { index, key }.into());
        };
        check_privileges(caller.input.flags(entry), &request.signers, index, meta)?;
        let place = *place_of[entry].get_or_insert(list.accounts.len());
        if place == list.accounts.len() {
            list.accounts.push(Listed {
                entry,
                is_signer: false,
                is_writable: false,
            });
        }
        // An account that is listed twice has the privileges of both.
        list.accounts[place].is_signer |= meta.is_signer != 0;
        list.accounts[place].is_writable |= meta.is_writable != 0;
        list.places.push(place);
    }
    Ok(list)
}

/// Checks that an account which the caller passes on is one of its own input, with the addresses of
/// its entry there. Returns the position of the entry.
fn check_passed<G: GuestMemory>(
    call: &mut Call<'_, G>,
    index: usize,
    passed: &Passed,
) -> Result<usize, Failure> {
    let key = passed.key;
    let Some(entry) = call.syscalls.caller.position(&key) else {
        return Err(InvalidCall::UnknownAccount { index, key }.into());
    };
    let address = call.syscalls.caller.address(entry);
    let field = |offset: usize| address + offset as u64;
    for (name, found, expected) in [
        (
            "address of the kelvins",
            passed.kelvins,
            field(AccountHeader::KELVINS),
        ),
        (
            "address of the owner",
            passed.owner,
            field(AccountHeader::OWNER),
        ),
        (
            "address of the data",
            passed.data.address,
            field(AccountHeader::DATA),
        ),
    ] {
        if found != expected {
            return Err(moved(index, key, name, found, expected));
        }
    }
    call.pay_for_layout(size_of::<u64>())?;
    let length: u64 = read_pod(call.guest, field(AccountHeader::DATA_LENGTH))
        .map_err(|Inaccessible| read_back::input_is_gone())?;
    if passed.data.length != length {
        return Err(moved(
            index,
            key,
            "length of the data",
            passed.data.length,
            length,
        ));
    }
    Ok(entry)
}

/// The address at which the caller keeps the length of the data too, if it passes one that is not
/// in the entry: a slice of a program's own has a length of its own. The host must be able to write
/// it, and it must be the length, so that the host changes no other number.
fn check_other_length<G: GuestMemory>(
    call: &mut Call<'_, G>,
    index: usize,
    passed: &Passed,
    entry: usize,
) -> Result<Option<u64>, Failure> {
    let in_entry = call.syscalls.caller.address(entry) + AccountHeader::DATA_LENGTH as u64;
    let Some(address) = passed.data_length.filter(|address| *address != in_entry) else {
        return Ok(None);
    };
    call.pay_for_layout(size_of::<u64>())?;
    call.check_writable(address, size_of::<u64>() as u64)?;
    let found = u64::from_le_bytes(call.read_array(address)?);
    if found != passed.data.length {
        return Err(moved(
            index,
            passed.key,
            "number at the address of the data's length",
            found,
            passed.data.length,
        ));
    }
    Ok(Some(address))
}

fn moved(index: usize, key: Pubkey, field: &'static str, found: u64, expected: u64) -> Failure {
    InvalidCall::MovedAccount {
        index,
        key,
        field,
        found,
        expected,
    }
    .into()
}

/// Checks that the callee gets no privilege which the caller does not have.
fn check_privileges(
    (is_signer, is_writable): (bool, bool),
    signers: &[Pubkey],
    index: usize,
    meta: &AccountMeta,
) -> Result<(), InvalidCall> {
    let key = meta.key;
    if meta.is_writable != 0 && !is_writable {
        return Err(InvalidCall::WritableEscalated { index, key });
    }
    if meta.is_signer != 0 && !is_signer && !signers.contains(&key) {
        return Err(InvalidCall::SignerEscalated { index, key });
    }
    Ok(())
}

/// Judges the caller's changes to the accounts that a call lists, as if the caller had ended.
/// Returns the accounts as they are now, in the order of the list.
pub(super) fn judge_caller<G: GuestMemory>(
    call: &mut Call<'_, G>,
    list: &List,
) -> Result<Vec<Account>, Failure> {
    let mut now = Vec::with_capacity(list.accounts.len());
    for Listed { entry, .. } in &list.accounts {
        let address = call.syscalls.caller.address(*entry);
        let sent_length = call.syscalls.caller.sent_length(*entry);
        // The rent epoch follows the data.
        call.pay_for_layout(size_of::<AccountHeader>() + size_of::<u64>())?;
        let length: u64 = read_pod(call.guest, address + AccountHeader::DATA_LENGTH as u64)
            .map_err(|Inaccessible| read_back::input_is_gone())?;
        // If there is more, the data is not read. The first call copies the account as it was sent,
        // which may have been longer.
        let copied = match call.syscalls.caller.known[*entry] {
            Some(_) => 0,
            None => sent_length as u64,
        };
        call.pay_for(length.min(most_data(sent_length)).max(copied))?;
        let program_id = call.syscalls.program_id;
        let before = call.syscalls.caller.known(*entry);
        let data = &before.account.data;
        let after = read_back::account(call.guest, address, sent_length, data)?;
        let mut words = None;
        let judged =
            AccountChange::new(*entry, &program_id, before, sent_length, &after).check(&mut words);
        call.syscalls.set_broken_rule(words);
        judged?;
        now.push(after.into_account());
    }
    let known = list.accounts.iter().map(|listed| {
        let known = &call.syscalls.caller.known[listed.entry];
        known
            .as_ref()
            .map_or(0, |input| u128::from(input.account.kelvins))
    });
    let sum = SumChange {
        before: known.sum(),
        after: now.iter().map(|account| u128::from(account.kelvins)).sum(),
    };
    let mut words = None;
    let judged = sum.check(&mut words);
    call.syscalls.set_broken_rule(words);
    judged?;
    Ok(now)
}

/// Writes what the callee has changed into the caller's input, and keeps it as what the caller is
/// judged by.
pub(super) fn write_back<G: GuestMemory>(
    call: &mut Call<'_, G>,
    list: &List,
    invocation: &Invocation,
    after: Vec<Account>,
) -> Result<(), Failure> {
    let before = invocation.accounts.iter().filter_map(|entry| match entry {
        AccountEntry::First(input) => Some(&input.account),
        AccountEntry::Repeat(_) => None,
    });
    // The entries whose data has another length, and the length.
    let mut changed: Vec<(usize, u64)> = Vec::new();
    for ((listed, before), after) in list.accounts.iter().zip(before).zip(after) {
        if *before != after {
            write_account(call, &invocation.program_id, listed.entry, before, &after)?;
        }
        let lengths = [&before.data, &after.data].map(|data| data.len() as u64);
        if lengths[0] != lengths[1] {
            changed.push((listed.entry, lengths[1]));
        }
        call.syscalls.caller.known(listed.entry).account = after;
    }
    // After all entries: these addresses are the program's, and may be anywhere in its memory.
    for (entry, address) in &list.lengths {
        let length = changed.iter().find(|(changed, _)| changed == entry);
        if let Some((_, length)) = length {
            call.pay_for_layout(size_of::<u64>())?;
            call.write(*address, &length.to_le_bytes())?;
        }
    }
    Ok(())
}

/// Writes an account into its entry in the caller's input.
fn write_account<G: GuestMemory>(
    call: &mut Call<'_, G>,
    program_id: &Pubkey,
    entry: usize,
    before: &Account,
    after: &Account,
) -> Result<(), Failure> {
    let length = after.data.len();
    let room = most_data(call.syscalls.caller.sent_length(entry));
    if length as u64 > room {
        return Err(InvalidCall::NoRoomInEntry {
            program_id: *program_id,
            key: after.key,
            length: length as u64,
            room,
        }
        .into());
    }
    // Owner, kelvins, length and data follow each other. The bytes after data that became shorter
    // are spare bytes again, which are zero.
    let data_length = length.max(before.data.len());
    let mut bytes = Vec::with_capacity(AccountHeader::DATA - AccountHeader::OWNER + data_length);
    bytes.extend_from_slice(after.owner.as_bytes());
    bytes.extend_from_slice(&after.kelvins.to_le_bytes());
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
    bytes.extend_from_slice(&after.data);
    bytes.resize(AccountHeader::DATA - AccountHeader::OWNER + data_length, 0);
    call.pay_for(bytes.len() as u64)?;
    let address = call.syscalls.caller.address(entry) + AccountHeader::OWNER as u64;
    let written = call.guest.write(address, &bytes);
    written.map_err(|Inaccessible| read_back::input_is_gone())
}
