//! Asks the host for something, with the safe functions of `entrypoint`, and returns what it got.
//!
//! The first byte of the instruction data is a command. Each command checks itself as far as it
//! can, and returns bytes by which the tests compare the targets.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;

use bytemuck::{NoUninit, bytes_of};
use entrypoint::crypto::{
    ByteOrder, alt_bn128, big_mod_exp, curve25519, poseidon, secp256k1_recover,
};
use entrypoint::hash::{blake3, keccak256, sha256};
use entrypoint::instructions::{
    self, Instructions, SiblingAccount, processed_sibling, processed_sibling_lengths,
};
use entrypoint::sysvar::{
    Clock, EpochRewards, EpochSchedule, Fees, LastRestartSlot, Rent, Sysvar, get_sysvar,
    random_seed,
};
use entrypoint::{
    AccountBuffer, AccountInfo, AccountMeta, Event, Instruction, ProgramError, ProgramResult,
    Pubkey, Seed, Signer, const_find_program_address, create_program_address, emit,
    find_program_address, get_return_data, invoke, invoke_signed, load_account, log_data,
    set_return_data, split_accounts, stack_height, system,
};

#[cfg(not(feature = "no-entrypoint"))]
entrypoint::entrypoint!(process_instruction);

/// The meaning of the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Command {
    /// Returns all sysvars.
    Sysvars = 0,
    /// Returns the hashes of the rest of the instruction data, in two parts.
    Hashes = 1,
    /// Returns a derived address and its bump seed.
    Derived = 2,
    /// Loads the account whose key is the next 32 bytes, and returns its owner and its data.
    Load = 3,
    /// Logs events.
    Events = 4,
    /// Creates the account of the seed `vault`, the second one, which the first one pays for.
    CreateVault = 5,
    /// Calls the program itself with [`Change`](Self::Change) and the first account, and returns
    /// what it sees then.
    CallItself = 6,
    /// Resizes the first account as the number says, sets all its bytes to 7, and returns `done`.
    Change = 7,
    /// Tries to call while it holds borrows, and returns which calls were made.
    Borrows = 8,
    /// Calls itself as deep as the number says. The last one returns the depth.
    Deep = 9,
    /// Calls itself with [`Fail`](Self::Fail), and then succeeds, if it still runs.
    CallAndFail = 10,
    /// Fails with the error of the number.
    Fail = 11,
    /// Moves kelvins from the vault, which signs by its seeds, to the second account.
    PayFromVault = 12,
    /// Uses signatures and curves. The rest of the instruction data is a recovery id, a hash and a
    /// signature; the result starts with the key.
    Crypto = 13,
    /// Returns the sibling that was processed before, at the index of the number: its program id,
    /// its data, its accounts. Returns nothing if there is none.
    Sibling = 14,
    /// Calls itself three times, with the accounts. The last call returns its siblings.
    Siblings = 15,
    /// Returns what the instructions sysvar, the first account, has at the distance of the number.
    Introspect = 16,
}

impl Command {
    const ALL: [Self; 17] = [
        Self::Sysvars,
        Self::Hashes,
        Self::Derived,
        Self::Load,
        Self::Events,
        Self::CreateVault,
        Self::CallItself,
        Self::Change,
        Self::Borrows,
        Self::Deep,
        Self::CallAndFail,
        Self::Fail,
        Self::PayFromVault,
        Self::Crypto,
        Self::Sibling,
        Self::Siblings,
        Self::Introspect,
    ];

    /// Returns the instruction data of this command.
    #[must_use]
    pub fn data(self, rest: &[u8]) -> Vec<u8> {
        [&[self as u8], rest].concat()
    }
}

/// The id by which the tests call the program.
pub const ID: Pubkey = Pubkey::new([0x41; 32]);

/// The address of the seed `vault`, and its bump seed.
pub const VAULT: (Pubkey, u8) = const_find_program_address(&[b"vault"], &ID).unwrap();

/// An error with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, entrypoint::ProgramError)]
pub enum AskError {
    /// The instruction data asks for an error.
    AsAsked = 3,
}

/// An event.
#[derive(Clone, Copy, NoUninit)]
#[repr(C)]
pub struct Asked {
    /// The program.
    pub program_id: Pubkey,
    /// A number.
    pub number: u64,
}

impl Event for Asked {
    const NAME: &'static str = "Asked";
}

/// Runs a command.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let (command, rest) = instruction_data
        .split_first()
        .ok_or(ProgramError::InvalidInstructionData)?;
    let command = Command::ALL
        .get(usize::from(*command))
        .ok_or(ProgramError::InvalidInstructionData)?;
    match command {
        Command::Sysvars => sysvars(),
        Command::Hashes => hashes(rest),
        Command::Derived => derived(program_id),
        Command::Load => load(rest),
        Command::Events => {
            log_data(&[b"one", b"", rest]);
            log_data(&[]);
            emit!(Asked {
                program_id: *program_id,
                number: 7,
            });
            Ok(())
        }
        Command::CreateVault => create_vault(program_id, accounts),
        Command::CallItself => call_itself(program_id, accounts, rest),
        Command::Change => {
            let account = first(accounts)?;
            account.resize(number(rest)? as usize)?;
            account.try_borrow_mut_data()?.fill(7);
            set_return_data(b"done");
            Ok(())
        }
        Command::Borrows => borrows(program_id, accounts),
        Command::Deep => deep(program_id, accounts, rest),
        Command::CallAndFail => {
            let data = Command::Fail.data(rest);
            let result = invoke(&instruction(program_id, &[], &data), accounts);
            entrypoint::msg!("still here: {result:?}");
            Ok(())
        }
        Command::Fail => match number(rest)? {
            3 => Err(AskError::AsAsked.into()),
            other => Err(ProgramError::Custom(other as u32)),
        },
        Command::PayFromVault => {
            let ([vault, payee], _) = split_accounts(accounts)?;
            let bump = VAULT.1;
            let seeds = [Seed::from("vault"), Seed::from(&bump)];
            system::transfer(vault, payee, number(rest)?).invoke_signed(&[Signer::new(&seeds)])
        }
        Command::Crypto => crypto(rest),
        Command::Sibling => sibling(number(rest)?),
        Command::Siblings => siblings(program_id, accounts),
        Command::Introspect => introspect(first(accounts)?, number(rest)? as i64),
    }
}

fn sibling(index: u64) -> ProgramResult {
    let (mut data, mut accounts) = ([0; 64], [SiblingAccount::default(); 4]);
    let found = processed_sibling(index, &mut data, &mut accounts)?;
    let lengths = processed_sibling_lengths(index);
    let Some(found) = found else {
        return expect(lengths.is_none());
    };
    let lengths = lengths.ok_or(ProgramError::InvalidArgument)?;
    let (length, count) = (found.data.len(), found.accounts.len());
    expect(lengths.data_length == length as u64 && lengths.account_count == count as u64)?;
    let accounts: &[u8] = bytemuck::cast_slice(found.accounts);
    let all = [found.program_id.as_ref(), found.data, accounts].concat();
    // Buffers of just these lengths.
    let (mut data, mut accounts) = ([0; 64], [SiblingAccount::default(); 4]);
    let same = processed_sibling(index, &mut data[..length], &mut accounts[..count])?;
    let same = same.ok_or(ProgramError::InvalidArgument)?;
    let accounts: &[u8] = bytemuck::cast_slice(same.accounts);
    expect(all == [same.program_id.as_ref(), same.data, accounts].concat())?;
    if length > 0 {
        let (mut data, mut accounts) = ([0; 64], [SiblingAccount::default(); 4]);
        let short = processed_sibling(index, &mut data[..length - 1], &mut accounts);
        expect(short == Err(ProgramError::AccountDataTooSmall))?;
    }
    set_return_data(&all);
    Ok(())
}

fn siblings(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let mut metas = Vec::new();
    for account in accounts {
        metas.push(AccountMeta::readonly(account.key()));
        metas.push(AccountMeta::new(
            account.key(),
            false,
            account.is_writable(),
        ));
    }
    let mut found = Vec::new();
    for (call, index) in [0, 0, 1, 0].into_iter().enumerate() {
        let data = Command::Sibling.data(&u64::to_le_bytes(index));
        invoke(&instruction(program_id, &metas, &data), accounts)?;
        let mut returned = [0; 300];
        let length = get_return_data(&mut returned).map_or(0, |(length, _)| length);
        found.push(call as u8);
        found.extend_from_slice(&returned[..length]);
    }
    // The calls are not this one's own siblings, but those of the transaction are.
    sibling(0)?;
    let mut returned = [0; 300];
    let length = get_return_data(&mut returned).map_or(0, |(length, _)| length);
    found.extend_from_slice(&returned[..length]);
    set_return_data(&found);
    Ok(())
}

fn introspect(account: &AccountInfo, distance: i64) -> ProgramResult {
    let data = instructions::data(account)?;
    let sysvar = Instructions::new(&data);
    let found = sysvar.relative(distance)?;
    let accounts: &[u8] = bytemuck::cast_slice(found.accounts);
    let numbers = [sysvar.count()?, sysvar.current_index()?].map(u16::to_le_bytes);
    let id = found.program_id.as_ref();
    set_return_data(&[numbers.as_flattened(), id, found.data, accounts].concat());
    Ok(())
}

fn sysvars() -> ProgramResult {
    let mut found = Vec::new();
    let clock = Clock::get()?;
    found.extend_from_slice(bytes_of(&clock));
    let rent = Rent::get()?;
    found.extend_from_slice(&rent.to_data());
    found.extend_from_slice(&EpochSchedule::get()?.to_data());
    found.extend_from_slice(&Fees::get()?.to_data());
    found.extend_from_slice(&EpochRewards::get()?.to_data());
    found.extend_from_slice(&LastRestartSlot::get()?.to_data());
    found.extend_from_slice(&random_seed()?.to_le_bytes());
    found.extend_from_slice(&rent.minimum_balance(1_000).to_le_bytes());

    let mut part = [0; 16];
    get_sysvar(&Clock::ID, 8, &mut part)?;
    expect(part[8..] == clock.unix_timestamp_ms.to_le_bytes())?;
    let end = get_sysvar(&Rent::ID, 2, &mut part);
    expect(end == Err(ProgramError::InvalidArgument))?;
    get_sysvar(&Rent::ID, 17, &mut [])?;
    let none = get_sysvar(&ID, 0, &mut part);
    expect(none == Err(ProgramError::UnsupportedSysvar))?;
    set_return_data(&found);
    Ok(())
}

fn hashes(bytes: &[u8]) -> ProgramResult {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let all = [
        sha256(&[first, second]),
        keccak256(&[first, second]),
        blake3(&[first, second]),
        sha256(&[]),
    ];
    expect(all[0] == sha256(&[bytes]) && all[1] == keccak256(&[bytes]))?;
    set_return_data(all.as_flattened());
    Ok(())
}

fn derived(program_id: &Pubkey) -> ProgramResult {
    let (address, bump) = find_program_address(&[Seed::from(b"vault")], program_id)?;
    let seeds = [Seed::from("vault"), Seed::from(&bump)];
    expect(create_program_address(&seeds, program_id)? == address)?;
    if *program_id == ID {
        expect((address, bump) == VAULT)?;
    }
    // About every second of these is a point of the curve.
    let mut valid = 0_u32;
    for bit in 0..32_u8 {
        match create_program_address(&[Seed::from(&bit)], program_id) {
            Ok(_) => valid |= 1 << bit,
            Err(error) => expect(error == ProgramError::InvalidSeeds)?,
        }
    }
    let seed = Seed::from(b"s");
    let too_many = create_program_address(&[seed; 17], program_id);
    expect(too_many == Err(ProgramError::MaxSeedLengthExceeded))?;
    let too_many = find_program_address(&[seed; 16], program_id);
    expect(too_many == Err(ProgramError::MaxSeedLengthExceeded))?;
    let too_long = find_program_address(&[Seed::from(&[0; 33])], program_id);
    expect(too_long == Err(ProgramError::MaxSeedLengthExceeded))?;
    find_program_address(&[Seed::from(&[0; 32]); 15], program_id)?;
    set_return_data(&[address.as_ref(), &[bump], &valid.to_le_bytes()].concat());
    Ok(())
}

fn crypto(signed: &[u8]) -> ProgramResult {
    let no_input = ProgramError::InvalidInstructionData;
    let (recovery_id, rest) = signed.split_first().ok_or(no_input)?;
    let (hash, signature) = rest.split_first_chunk().ok_or(no_input)?;
    let signature = signature.try_into().map_err(|_| no_input)?;
    let key = must(secp256k1_recover(hash, *recovery_id, signature))?;
    let invalid = Err(ProgramError::InvalidArgument);
    expect(secp256k1_recover(hash, 4, signature) == invalid)?;
    expect(secp256k1_recover(hash, *recovery_id, &[0; 64]) == invalid)?;

    // The base point of ed25519, whose compressed form is 0x58 and then only 0x66.
    let mut base = [0x66; 32];
    base[0] = 0x58;
    let mut two = [0; 32];
    two[0] = 2;
    let form = curve25519::Form::Edwards;
    expect(curve25519::is_point(form, &base))?;
    expect(!curve25519::is_point(form, &two))?;
    let double = must(curve25519::add(form, &base, &base))?;
    expect(curve25519::multiply(form, &two, &base) == Ok(double))?;
    expect(curve25519::subtract(form, &double, &base) == Ok(base))?;
    let sum = must(curve25519::multiscalar_multiply(
        form,
        &[two, two],
        &[base, base],
    ))?;
    expect(curve25519::add(form, &double, &double) == Ok(sum))?;
    let unequal = curve25519::multiscalar_multiply(form, &[two], &[base, base]);
    expect(unequal.is_err())?;
    expect(curve25519::add(form, &base, &two).is_err())?;
    expect(!curve25519::is_point(curve25519::Form::Ristretto, &base))?;

    // The generator of G1 is (1, 2).
    let mut generator = [0; 64];
    generator[31] = 1;
    generator[63] = 2;
    let mut scalar = [0; 32];
    scalar[31] = 2;
    let double = must(alt_bn128::add(&generator, &generator))?;
    expect(alt_bn128::multiply(&generator, &scalar) == Ok(double))?;
    expect(alt_bn128::add(&[1; 64], &generator).is_err())?;
    let compressed = must(alt_bn128::compress_g1(&double))?;
    expect(alt_bn128::decompress_g1(&compressed) == Ok(double))?;
    let infinity = must(alt_bn128::compress_g2(&[0; 128]))?;
    expect(alt_bn128::decompress_g2(&infinity) == Ok([0; 128]))?;
    // The pairing with the point at infinity is 1.
    expect(alt_bn128::check_pairings(&[[0; 192]]) == Ok(true))?;

    let mut number = [0; 32];
    number[31] = 1;
    let one = must(poseidon(ByteOrder::Big, &[&number]))?;
    number.reverse();
    let mut reversed = must(poseidon(ByteOrder::Little, &[&number]))?;
    reversed.reverse();
    expect(one == reversed)?;
    expect(poseidon(ByteOrder::Big, &[&[1]]).is_err())?;
    expect(poseidon(ByteOrder::Big, &[]).is_err())?;

    let mut power = [0; 2];
    must(big_mod_exp(&[3], &[1, 0], &[3, 0xE8], &mut power))?;
    // 3^256 modulo 1,000.
    expect(power == 521_u16.to_be_bytes())?;
    expect(big_mod_exp(&[3], &[1], &[7], &mut power).is_err())?;
    set_return_data(&[&key[..], &double, &one, &power].concat());
    Ok(())
}

fn load(key: &[u8]) -> ProgramResult {
    let key = key
        .try_into()
        .map_err(|_| ProgramError::InvalidInstructionData)?;
    let key = Pubkey::new(key);
    let mut small = AccountBuffer::<3>::new();
    let too_small = load_account(&key, &mut small).map(|_| ());
    let mut buffer = AccountBuffer::<100>::new();
    let account = load_account(&key, &mut buffer)?;
    expect(account.data().len() <= 3 || too_small == Err(ProgramError::AccountDataTooSmall))?;
    expect(*account.key() == key && !account.executable())?;
    let kelvins = account.kelvins().to_le_bytes();
    set_return_data(&[account.owner().as_ref(), &kelvins, account.data()].concat());
    Ok(())
}

fn create_vault(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let ([payer, vault], _) = split_accounts(accounts)?;
    let kelvins = Rent::get()?.minimum_balance(16);
    let bump = VAULT.1;
    let seeds = [Seed::from("vault"), Seed::from(&bump)];
    system::create_account(payer, vault, kelvins, 16, program_id)
        .invoke_signed(&[Signer::new(&seeds)])?;
    expect(vault.is_owned_by(program_id) && vault.kelvins() == kelvins)?;
    expect(*vault.try_borrow_data()? == [0; 16])?;
    vault.try_borrow_mut_data()?[0] = 1;
    system::transfer(payer, vault, 1).invoke()
}

fn call_itself(program_id: &Pubkey, accounts: &[AccountInfo], rest: &[u8]) -> ProgramResult {
    let account = first(accounts)?;
    let original = account.data_len();
    // Must not be seen as the called program's.
    set_return_data(b"before");
    let metas = [AccountMeta::writable(account.key())];
    let data = Command::Change.data(rest);
    // The loader rejects it if the account is read-only.
    invoke(&instruction(program_id, &metas, &data), &[account])?;
    let length = number(rest)? as usize;
    expect(account.data_len() == length && account.original_data_len() == original)?;
    expect(account.try_borrow_data()?.iter().all(|byte| *byte == 7))?;
    let most = original + 10_240;
    expect(account.resize(most + 1) == Err(ProgramError::InvalidRealloc))?;
    account.resize(most)?;
    expect(
        account.try_borrow_data()?[length..]
            .iter()
            .all(|byte| *byte == 0),
    )?;
    account.resize(length)?;
    let mut buffer = [0; 4];
    let found = get_return_data(&mut buffer);
    expect(found == Some((4, *program_id)) && buffer == *b"done")?;
    set_return_data(&account.rent_epoch().to_le_bytes());
    Ok(())
}

fn borrows(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let ([first, second], _) = split_accounts(accounts)?;
    let data = Command::Fail.data(&[]);
    let failing = |metas: &[AccountMeta<'_>]| {
        // The command would end this program, so the call must not be made.
        invoke(&instruction(program_id, metas, &data), &[first, second])
    };
    let shared = first.try_borrow_data()?;
    let writable = [AccountMeta::writable(first.key())];
    expect(failing(&writable) == Err(ProgramError::AccountBorrowFailed))?;
    let data = Command::Events.data(&[]);
    let readonly = [
        AccountMeta::readonly(first.key()),
        AccountMeta::writable(second.key()),
    ];
    let succeeding = instruction(program_id, &readonly, &data);
    invoke(&succeeding, &[first, second])?;
    expect(shared.first() == Some(&3))?;
    drop(shared);
    let mutable = first.try_borrow_mut_data()?;
    let result = invoke(&succeeding, &[second, first]);
    expect(result == Err(ProgramError::AccountBorrowFailed))?;
    drop(mutable);
    invoke(&succeeding, accounts)
}

fn deep(program_id: &Pubkey, accounts: &[AccountInfo], rest: &[u8]) -> ProgramResult {
    let height = stack_height();
    if height == number(rest)? {
        set_return_data(&height.to_le_bytes());
        return Ok(());
    }
    let data = Command::Deep.data(rest);
    invoke_signed(&instruction(program_id, &[], &data), accounts, &[])
}

fn instruction<'a>(
    program_id: &'a Pubkey,
    accounts: &'a [AccountMeta<'a>],
    data: &'a [u8],
) -> Instruction<'a> {
    Instruction {
        program_id,
        accounts,
        data,
    }
}

fn first<'a, 'input>(
    accounts: &'a [AccountInfo<'input>],
) -> Result<&'a AccountInfo<'input>, ProgramError> {
    accounts.first().ok_or(ProgramError::NotEnoughAccountKeys)
}

fn number(bytes: &[u8]) -> Result<u64, ProgramError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| ProgramError::InvalidInstructionData)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Fails if something is not as it must be, with the line as the error.
#[track_caller]
fn expect(is_so: bool) -> ProgramResult {
    if is_so {
        return Ok(());
    }
    let line = core::panic::Location::caller().line();
    Err(ProgramError::Custom(line))
}

/// Returns the result, or the line as the error.
#[track_caller]
fn must<T>(result: Result<T, ProgramError>) -> Result<T, ProgramError> {
    let line = core::panic::Location::caller().line();
    result.map_err(|_| ProgramError::Custom(line))
}
