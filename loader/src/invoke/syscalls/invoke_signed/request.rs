//! What a program passes to a call: the structures of [`abi::call`], read from its memory.
//!
//! Both forms of the structures become one [`Request`], so everything after it is the same.

use abi::Pubkey;
use abi::call::{
    AccountMeta, CAccount, CAccountMeta, CInstruction, CallAccount, CallInstruction,
    MAX_CALL_ACCOUNTS, MAX_CALL_DATA_LENGTH, MAX_SEED_LENGTH, MAX_SEEDS, MAX_SIGNERS, Slice,
};
use abi::imports::Import;

use super::super::call::Call;
use crate::error::{Failure, InvalidCall};
use crate::invoke::guest::GuestMemory;

/// A call that a program asks for.
pub(super) struct Request {
    pub program_id: Pubkey,
    /// The accounts that the callee gets.
    pub metas: Vec<AccountMeta>,
    /// The instruction data.
    pub data: Vec<u8>,
    /// The accounts that the caller passes on.
    pub passed: Vec<Passed>,
    /// The addresses that the caller signs for by their seeds.
    pub signers: Vec<Pubkey>,
}

/// An account that the caller passes on.
pub(super) struct Passed {
    pub key: Pubkey,
    /// The addresses of its fields.
    pub kelvins: u64,
    pub owner: u64,
    /// The address and the length of its data.
    pub data: Slice,
    /// The address of the length of its data, which the C form does not have.
    pub data_length: Option<u64>,
}

impl Request {
    /// Reads it, and checks everything that does not need the caller's accounts.
    pub fn read<G: GuestMemory>(call: &mut Call<'_, G>) -> Result<Self, Failure> {
        let is_c = call.syscall == Import::InvokeSignedC;
        let [instruction, passed, passed_count, signers, signer_count, ..] = call.arguments;
        let (program_id, accounts, data) = if is_c {
            let instruction = call.read_list::<CInstruction>(instruction, 1)?[0];
            let program_id = read_key(call, instruction.program_id)?;
            (program_id, instruction.accounts, instruction.data)
        } else {
            let instruction = call.read_list::<CallInstruction>(instruction, 1)?[0];
            (
                instruction.program_id,
                instruction.accounts,
                instruction.data,
            )
        };
        let count = accounts.length;
        if count > MAX_CALL_ACCOUNTS as u64 {
            return Err(InvalidCall::TooManyCallAccounts { count }.into());
        }
        let length = data.length;
        if length > MAX_CALL_DATA_LENGTH as u64 {
            return Err(InvalidCall::CallDataTooLong { length }.into());
        }
        if passed_count > MAX_CALL_ACCOUNTS as u64 {
            let count = passed_count;
            return Err(InvalidCall::TooManyPassedAccounts { count }.into());
        }
        if signer_count > MAX_SIGNERS as u64 {
            let count = signer_count;
            return Err(InvalidCall::TooManySigners { count }.into());
        }
        let metas = read_metas(call, is_c, accounts)?;
        for (index, meta) in metas.iter().enumerate() {
            if let Some(value) = [meta.is_signer, meta.is_writable]
                .into_iter()
                .find(|flag| *flag > 1)
            {
                let key = meta.key;
                return Err(InvalidCall::InvalidFlag { index, key, value }.into());
            }
        }
        let data = call.read(data.address, length)?;
        let passed = read_passed(call, is_c, passed, passed_count)?;
        let signers = call.read_list::<Slice>(signers, signer_count)?;
        let signers = signers.into_iter().enumerate();
        let signers = signers.map(|(index, seeds)| read_signer(call, index, seeds));
        let signers = signers.collect::<Result<_, _>>()?;
        Ok(Self {
            program_id,
            metas,
            data,
            passed,
            signers,
        })
    }
}

/// Reads a key that a structure of the C form has the address of.
fn read_key<G: GuestMemory>(call: &mut Call<'_, G>, address: u64) -> Result<Pubkey, Failure> {
    call.pay_for_layout(size_of::<Pubkey>())?;
    Ok(Pubkey::new(call.read_array(address)?))
}

/// Reads the accounts that the instruction lists.
fn read_metas<G: GuestMemory>(
    call: &mut Call<'_, G>,
    is_c: bool,
    list: Slice,
) -> Result<Vec<AccountMeta>, Failure> {
    if !is_c {
        return call.read_list(list.address, list.length);
    }
    let metas = call.read_list::<CAccountMeta>(list.address, list.length)?;
    let metas = metas.into_iter().map(|meta| {
        Ok(AccountMeta {
            key: read_key(call, meta.key)?,
            is_signer: meta.is_signer,
            is_writable: meta.is_writable,
        })
    });
    metas.collect()
}

/// Reads the accounts that the caller passes on.
fn read_passed<G: GuestMemory>(
    call: &mut Call<'_, G>,
    is_c: bool,
    address: u64,
    count: u64,
) -> Result<Vec<Passed>, Failure> {
    if !is_c {
        let passed = call.read_list::<CallAccount>(address, count)?;
        let passed = passed.into_iter().map(|account| Passed {
            key: account.key,
            kelvins: account.kelvins,
            owner: account.owner,
            data: account.data,
            data_length: Some(account.data_length),
        });
        return Ok(passed.collect());
    }
    let passed = call.read_list::<CAccount>(address, count)?;
    let passed = passed.into_iter().map(|account| {
        Ok(Passed {
            key: read_key(call, account.key)?,
            kelvins: account.kelvins,
            owner: account.owner,
            data: Slice {
                address: account.data,
                length: account.data_length,
            },
            data_length: None,
        })
    });
    passed.collect()
}

/// Reads the seeds of a signer, and derives its address.
fn read_signer<G: GuestMemory>(
    call: &mut Call<'_, G>,
    index: usize,
    seeds: Slice,
) -> Result<Pubkey, Failure> {
    let count = seeds.length;
    if count > MAX_SEEDS as u64 {
        return Err(InvalidCall::TooManySeeds { index, count }.into());
    }
    let slices: Vec<Slice> = call.read_list(seeds.address, count)?;
    let mut seeds = Vec::with_capacity(slices.len());
    for (seed, slice) in slices.into_iter().enumerate() {
        let length = slice.length;
        if length > MAX_SEED_LENGTH as u64 {
            return Err(InvalidCall::SeedTooLong {
                index,
                seed,
                length,
            }
            .into());
        }
        seeds.push(call.read(slice.address, length)?);
    }
    call.pay(call.syscalls.prices().call_signer)?;
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    abi::program_address::create_program_address(&seeds, &call.syscalls.program_id)
        .map_err(|_| InvalidCall::InvalidSignerSeeds { index }.into())
}
