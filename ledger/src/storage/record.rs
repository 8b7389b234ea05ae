//! Transactions in the file, in the encoding of the crate `borsh`.

use borsh::{BorshDeserialize, BorshSerialize};
use loader::Pubkey;

use crate::history::TransactionRecord;
use crate::instruction::{AccountMeta, Instruction};
use crate::transaction::Transaction;

#[derive(BorshSerialize, BorshDeserialize)]
struct Stored {
    slot: u64,
    unix_timestamp_ms: i64,
    instructions: Vec<StoredInstruction>,
    payer: Option<[u8; 32]>,
    gas: Option<u64>,
    heap: Option<u32>,
    error: Option<String>,
    gas_used: u64,
    gas_limit: u64,
    fee: u64,
    logs: Vec<String>,
    return_data: Vec<u8>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct StoredInstruction {
    program_id: [u8; 32],
    /// Address, whether it signs, whether it is writable.
    accounts: Vec<([u8; 32], bool, bool)>,
    data: Vec<u8>,
}

/// The bytes of a record, without its number, which is the key.
pub(super) fn encode(record: &TransactionRecord) -> Vec<u8> {
    let record = record.clone();
    let transaction = record.transaction;
    let instructions = transaction.instructions.into_iter();
    let stored = Stored {
        slot: record.slot,
        unix_timestamp_ms: record.unix_timestamp_ms,
        instructions: instructions.map(StoredInstruction::from).collect(),
        payer: transaction.payer.map(|payer| *payer.as_bytes()),
        gas: transaction.gas,
        heap: transaction.heap,
        error: record.error,
        gas_used: record.gas_used,
        gas_limit: record.gas_limit,
        fee: record.fee,
        logs: record.logs,
        return_data: record.return_data,
    };
    borsh::to_vec(&stored).expect("a vector takes all bytes")
}

/// The record of these bytes.
pub(super) fn decode(number: u64, bytes: &[u8]) -> Result<TransactionRecord, String> {
    let stored = Stored::try_from_slice(bytes)
        .map_err(|error| format!("the record of transaction {number}: {error}"))?;
    let mut transaction = Transaction::new(stored.instructions.into_iter().map(Instruction::from));
    transaction.payer = stored.payer.map(Pubkey::new);
    transaction.gas = stored.gas;
    transaction.heap = stored.heap;
    Ok(TransactionRecord {
        number,
        slot: stored.slot,
        unix_timestamp_ms: stored.unix_timestamp_ms,
        transaction,
        error: stored.error,
        gas_used: stored.gas_used,
        gas_limit: stored.gas_limit,
        fee: stored.fee,
        logs: stored.logs,
        return_data: stored.return_data,
    })
}

impl From<Instruction> for StoredInstruction {
    fn from(instruction: Instruction) -> Self {
        let accounts = instruction.accounts.iter();
        Self {
            program_id: *instruction.program_id.as_bytes(),
            accounts: accounts
                .map(|meta| (*meta.key.as_bytes(), meta.is_signer, meta.is_writable))
                .collect(),
            data: instruction.data,
        }
    }
}

impl From<StoredInstruction> for Instruction {
    fn from(stored: StoredInstruction) -> Self {
        let accounts = stored.accounts.into_iter();
        Self {
            program_id: Pubkey::new(stored.program_id),
            accounts: accounts
                .map(|(key, is_signer, is_writable)| {
                    AccountMeta::new(Pubkey::new(key), is_signer, is_writable)
                })
                .collect(),
            data: stored.data,
        }
    }
}
