//! `rlo_get_processed_sibling_instruction`.

use std::sync::Arc;

use abi::call::AccountMeta;
use abi::imports::Import;
use abi::instructions::SiblingLengths;
use bytemuck::{bytes_of, cast_slice};
use loader::{Access, Environment, Failure, Host, ProcessedInstruction, Pubkey};

use crate::syscalls::guest::{Number, Script, programs};

/// The arguments, by name.
const LENGTHS: usize = 1;
const PROGRAM_ID: usize = 2;
const DATA: usize = 3;
const ACCOUNTS: usize = 4;

/// Instructions of the transaction, the oldest first.
fn transaction() -> [ProcessedInstruction; 2] {
    let keys = [1, 2].map(|byte| Pubkey::new([byte; 32]));
    [
        ProcessedInstruction {
            program_id: keys[1],
            accounts: vec![
                AccountMeta::writable(&keys[0]),
                AccountMeta::readonly_signer(&keys[1]),
            ],
            data: b"pay".to_vec(),
        },
        ProcessedInstruction {
            program_id: keys[0],
            ..ProcessedInstruction::default()
        },
    ]
}

pub fn host() -> Environment {
    let transaction = transaction().into_iter();
    transaction.fold(Environment::new(), Environment::processed)
}

fn lengths(instruction: &ProcessedInstruction) -> SiblingLengths {
    SiblingLengths {
        data_length: instruction.data.len() as u64,
        account_count: instruction.accounts.len() as u64,
    }
}

/// A call with these lengths, and memory for the longest instruction.
pub fn script(index: u64, lengths: SiblingLengths) -> Script {
    Script::new(Import::GetProcessedSiblingInstruction)
        .number(index)
        .bytes(bytes_of(&lengths))
        .output(32)
        .output(3)
        .output(2 * size_of::<AccountMeta>())
}

/// The lengths of the oldest instruction, which is at index 1.
pub fn oldest() -> SiblingLengths {
    lengths(&transaction()[0])
}

#[test]
fn the_newest_instruction_has_index_0() {
    let [oldest, newest] = transaction();
    for (index, expected) in [(0, newest), (1, oldest)] {
        let done = script(index, lengths(&expected)).run_with(host());
        assert_eq!(done.result, 1);
        let id = expected.program_id.as_bytes();
        assert_eq!(done.argument(PROGRAM_ID, 32), id);
        let length = expected.data.len();
        assert_eq!(done.argument(DATA, length), expected.data);
        let accounts: &[u8] = cast_slice(&expected.accounts);
        assert_eq!(done.argument(ACCOUNTS, accounts.len()), accounts);
        // Nothing behind them is written.
        assert_eq!(done.argument(DATA, 3)[length..], vec![0; 3 - length]);
    }
}

#[test]
fn other_lengths_are_corrected_and_nothing_else_is_written() {
    let right = oldest();
    for wrong in [
        SiblingLengths::default(),
        SiblingLengths {
            data_length: 4,
            ..right
        },
        SiblingLengths {
            account_count: u64::MAX,
            ..right
        },
    ] {
        let done = script(1, wrong).run_with(host());
        assert_eq!(done.result, 1);
        assert_eq!(done.argument(LENGTHS, 16), bytes_of(&right));
        for (argument, length) in [(PROGRAM_ID, 32), (DATA, 3), (ACCOUNTS, 68)] {
            assert_eq!(done.argument(argument, length), vec![0; length]);
        }
        // So their addresses need not be valid.
        let pointers = [PROGRAM_ID, DATA, ACCOUNTS].into_iter();
        let script = pointers.fold(script(1, wrong), |script, argument| {
            script.with(argument, Number(0xffff_ffff))
        });
        let done = script.run_with(host());
        assert_eq!(done.argument(LENGTHS, 16), bytes_of(&right));
    }
}

#[test]
fn there_is_no_instruction_beyond_the_oldest() {
    for index in [2, 3, 1 << 32, 1 << 63, u64::MAX - 1, u64::MAX] {
        let done = script(index, oldest()).run_with(host());
        assert_eq!(done.result, 0, "{index}");
        assert_eq!(done.argument(LENGTHS, 16), bytes_of(&oldest()));
        assert_eq!(done.argument(PROGRAM_ID, 32), [0; 32]);
    }
    // Not even the address of the lengths need be valid then, as on the Rialo runtime's family.
    let done = script(2, oldest()).with(LENGTHS, Number(0xffff_ffff));
    assert_eq!(done.run_with(host()).result, 0);
    // By default there is none.
    assert_eq!(script(0, oldest()).run().result, 0);
}

#[test]
fn every_address_is_checked() {
    let host: Arc<dyn Host> = Arc::new(host());
    for program in programs() {
        for (argument, length, access) in [
            (LENGTHS, 16, Access::Read),
            (PROGRAM_ID, 32, Access::Write),
            (DATA, 3, Access::Write),
            (ACCOUNTS, 68, Access::Write),
        ] {
            for wild in [0xffff_0000, 0xffff_ffff - length + 1, 0x8000_0000] {
                let script = script(1, oldest()).with(argument, Number(wild));
                let expected = Failure::InvalidPointer {
                    import: Import::GetProcessedSiblingInstruction,
                    address: wild,
                    length,
                    access,
                };
                let outcome = script.invoke(program, &host);
                assert_eq!(outcome.failure, Some(expected), "{}", program.engine());
            }
        }
    }
}
