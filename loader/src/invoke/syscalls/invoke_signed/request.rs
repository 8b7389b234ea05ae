//! What a program passes to a call: the structures of [`abi::call`], read from its memory.

use abi::Pubkey;
use abi::call::{
    AccountMeta, CallAccount, CallInstruction, MAX_CALL_ACCOUNTS, MAX_CALL_DATA_LENGTH,
    MAX_SEED_LENGTH, MAX_SEEDS, MAX_SIGNERS, Slice,
};

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
    pub passed: Vec<CallAccount>,
    /// The addresses that the caller signs for by their seeds.
    pub signers: Vec<Pubkey>,
}

impl Request {
    /// Reads it, and checks everything that does not need the caller's accounts.
    pub fn read<G: GuestMemory>(call: &mut Call<'_, G>) -> Result<Self, Failure> {
        let [instruction, passed, passed_count, signers, signer_count, ..] = call.arguments;
        let instruction = call.read_list::<CallInstruction>(instruction, 1)?[0];
        let count = instruction.accounts.length;
        if count > MAX_CALL_ACCOUNTS as u64 {
            return Err(InvalidCall::TooManyCallAccounts { count }.into());
        }
        let length = instruction.data.length;
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
        let metas: Vec<AccountMeta> = call.read_list(instruction.accounts.address, count)?;
        for (index, meta) in metas.iter().enumerate() {
            if let Some(value) = [meta.is_signer, meta.is_writable]
                .into_iter()
                .find(|flag| *flag > 1)
            {
                let key = meta.key;
                return Err(InvalidCall::InvalidFlag { index, key, value }.into());
            }
        }
        let data = call.read(instruction.data.address, length)?;
        let passed = call.read_list(passed, passed_count)?;
        let signers = call.read_list::<Slice>(signers, signer_count)?;
        let signers = signers.into_iter().enumerate();
        let signers = signers.map(|(index, seeds)| read_signer(call, index, seeds));
        let signers = signers.collect::<Result<_, _>>()?;
        Ok(Self {
            program_id: instruction.program_id,
            metas,
            data,
            passed,
            signers,
        })
    }
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
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    abi::program_address::create_program_address(&seeds, &call.syscalls.program_id)
        .map_err(|_| InvalidCall::InvalidSignerSeeds { index }.into())
}
