//! Any value in any field of what a program passes for a sibling instruction.

use std::sync::Arc;

use abi::call::AccountMeta;
use abi::imports::Import;
use abi::instructions::SiblingLengths;
use loader::{Environment, Host, Outcome, ProcessedInstruction};
use tests::caller_guest::{A, B};

use super::machine::{DATA_LENGTH, Machine, Memory, invocation, machines, wild};

/// The places of the lengths, the id, the data and the accounts.
const LENGTHS: usize = 40;
const ID: usize = 56;
const DATA: usize = 88;
const ACCOUNTS: usize = 96;

fn host() -> Arc<dyn Host> {
    let sibling = ProcessedInstruction {
        program_id: B,
        accounts: vec![AccountMeta::writable(&A); 2],
        data: vec![9; 5],
    };
    Arc::new(Environment::new().processed(sibling))
}

/// Makes the syscall with these arguments and these lengths.
fn get(machine: &Machine, arguments: [u64; 5], lengths: SiblingLengths) -> Outcome {
    let mut memory = Memory::new(machine.data);
    memory.add("lengths", &lengths, &[]);
    memory.bytes.resize(DATA_LENGTH, 0);
    for (index, argument) in arguments.into_iter().enumerate() {
        memory.set(8 * index, argument);
    }
    let program = (machine.make)(Import::GetProcessedSiblingInstruction, &memory.bytes);
    let outcome = program.invoke_with(&host(), &invocation());
    outcome.unwrap_or_else(|error| panic!("{}: {error}", machine.name))
}

#[test]
fn an_instruction_is_written_only_into_memory_of_the_program() {
    let lengths = SiblingLengths {
        data_length: 5,
        account_count: 2,
    };
    for machine in machines() {
        let at = |place: usize| machine.data + place as u64;
        let good = [0, at(LENGTHS), at(ID), at(DATA), at(ACCOUNTS)];
        let gas = |outcome: &Outcome| outcome.gas_used;
        let outcome = get(&machine, good, lengths);
        assert_eq!(outcome.failure, None, "{}", machine.name);
        let not_found = get(&machine, [1, 0, 0, 0, 0], lengths);
        assert_eq!(not_found.failure, None, "{}", machine.name);
        // Lengths, id, data and two accounts.
        assert_eq!(gas(&outcome), gas(&not_found) + 2 + 4 + 1 + 9);
        for (argument, value) in good.into_iter().enumerate() {
            for wild in wild(&machine, value) {
                let mut arguments = good;
                arguments[argument] = wild;
                let outcome = get(&machine, arguments, lengths);
                let kind = outcome
                    .failure
                    .as_ref()
                    .map_or("none", |failure| failure.kind());
                let context = format!("{}: argument {argument}, {wild:#x}: {kind}", machine.name);
                let bytes = [0, 16, 32, 5, 68][argument];
                let end = u128::from(wild) + bytes;
                let is_inside = wild >= machine.data && end <= u128::from(machine.input.end);
                match argument {
                    // There is no second instruction.
                    0 => assert_eq!(gas(&outcome), gas(&not_found), "{context}"),
                    // It may write over the input, which then is another one.
                    _ if is_inside => assert_ne!(kind, "InvalidPointer", "{context}"),
                    _ if wild < 1 << 32 => {}
                    _ => assert_eq!(kind, "InvalidPointer", "{context}"),
                }
            }
        }
        for (data_length, account_count) in wild(&machine, 5)
            .into_iter()
            .flat_map(|wild| [(wild, 2), (5, wild), (wild, wild)])
        {
            // No address but that of the lengths is used.
            let arguments = [0, at(LENGTHS), u64::MAX, u64::MAX, u64::MAX];
            let lengths = SiblingLengths {
                data_length,
                account_count,
            };
            let outcome = get(&machine, arguments, lengths);
            assert_eq!(outcome.failure, None, "{}: {lengths:?}", machine.name);
            assert_eq!(gas(&outcome), gas(&not_found) + 2 + 2, "{lengths:?}");
        }
    }
}
