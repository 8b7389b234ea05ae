//! Any value in any field of what a program passes to load an account.

use abi::imports::Import;
use abi::input::AccountHeader;
use bytemuck::bytes_of;
use loader::{Engine, Loader, Outcome};
use polkavm_common::program::Reg::{A0, A1, T0};
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;
use tests::caller_guest::{A, B};
use tests::toy::Toy;

use super::machine::{DATA_LENGTH, Machine, Memory, host, invocation, machines, places, run, wild};

/// The place of the key and of the `LoadedEntry` in the data.
const KEY: usize = 40;
const PLACE: usize = 80;

/// Bytes of the host's account in an entry.
const LOADED: u64 = AccountHeader::DATA as u64 + 3;

/// Loads the host's account, with these fields: the arguments, the address and the length of the
/// memory for it.
fn load(machine: &Machine, fields: [u64; 4]) -> Outcome {
    let mut memory = Memory::new(machine.data);
    memory.bytes.extend_from_slice(B.as_bytes());
    memory.bytes.resize(DATA_LENGTH, 0);
    for (place, value) in [0, 8, PLACE, PLACE + 8].into_iter().zip(fields) {
        memory.set(place, value);
    }
    run(machine, Import::LoadAccount, &memory)
}

#[test]
fn an_account_is_loaded_only_into_memory_of_the_program() {
    for machine in machines() {
        // The heap follows the data.
        let heap = machine.data + DATA_LENGTH as u64;
        let good = [
            machine.data + KEY as u64,
            machine.data + PLACE as u64,
            heap,
            LOADED,
        ];
        let outcome = load(&machine, good);
        assert_eq!(outcome.failure, None, "{}", machine.name);
        // Key, place and entry are read and written.
        assert!(outcome.gas_used >= 4 + 2 + 2 + LOADED.div_ceil(8));
        for (field, value) in good.into_iter().enumerate() {
            for wild in wild(&machine, value) {
                let mut fields = good;
                fields[field] = wild;
                let outcome = load(&machine, fields);
                let kind = outcome
                    .failure
                    .as_ref()
                    .map_or("none", |failure| failure.kind());
                let context = format!("{}: field {field} is {wild:#x}: {kind}", machine.name);
                let bytes = [32, 16, LOADED, 0][field];
                let end = u128::from(wild) + u128::from(bytes);
                let is_inside = wild >= machine.data && end <= u128::from(machine.input.end);
                match field {
                    // A length beyond the memory is no error, because the entry is shorter.
                    3 => assert_eq!(kind, "none", "{context}"),
                    // Other bytes are address and length then.
                    1 if is_inside => {}
                    _ if is_inside => assert_ne!(kind, "InvalidPointer", "{context}"),
                    _ if wild < 1 << 32 => {}
                    _ => assert_eq!(kind, "InvalidPointer", "{context}"),
                }
            }
        }
    }
}

#[test]
fn a_loaded_account_is_an_entry_of_the_input() {
    let heap = 0x1000 + DATA_LENGTH as u64;
    let load = |length: u64, read: u64, count: u64| {
        let code = format!(
            "TOY\ncall rlo_load_account data+{KEY} data+{PLACE}\n\
             call rlo_set_return_data {read} {count}\nreturn 0\n\n"
        );
        let mut data = vec![9; DATA_LENGTH];
        data[KEY..KEY + 32].copy_from_slice(B.as_bytes());
        data[PLACE..PLACE + 8].copy_from_slice(&heap.to_le_bytes());
        data[PLACE + 8..PLACE + 16].copy_from_slice(&length.to_le_bytes());
        let file = [code.as_bytes(), &data].concat();
        let program = Loader::with_backend(Toy).load(&file).expect("a program");
        let outcome = program
            .invoke_with(&host(), &invocation())
            .expect("an outcome");
        assert_eq!(outcome.failure, None);
        outcome.return_data
    };
    let header = AccountHeader {
        marker: abi::input::FIRST_OCCURRENCE,
        is_signer: 0,
        is_writable: 0,
        executable: 1,
        original_data_length: 0,
        key: B.to_bytes(),
        owner: A.to_bytes(),
        kelvins: 3,
        data_length: 3,
    };
    let entry = [bytes_of(&header), &[1, 2, 3]].concat();
    // Nothing behind the entry is written, and nothing at all if there is too little memory.
    let expected = [&entry[..], &[0; 9]].concat();
    assert_eq!(load(LOADED, heap, LOADED + 9), expected);
    assert_eq!(load(LOADED - 1, heap, LOADED), [0; LOADED as usize]);
    // The length that it needs is written in both cases.
    let place = [heap.to_le_bytes(), LOADED.to_le_bytes()].concat();
    for length in [LOADED, LOADED - 1, 0] {
        assert_eq!(load(length, 0x1000 + PLACE as u64, 16), place);
    }
}

#[test]
fn an_unknown_account_is_an_error_of_the_program() {
    // The toy cannot return the value of a syscall, so a guest of PolkaVM's does. The key is zero.
    let base = places().0;
    let mut data = vec![0; DATA_LENGTH];
    data[..8].copy_from_slice(&(base + KEY as u64).to_le_bytes());
    data[8..16].copy_from_slice(&(base + PLACE as u64).to_le_bytes());
    let mut code = vec![asm::load_imm(T0, base as i32)];
    for (index, register) in [A0, A1].into_iter().enumerate() {
        code.push(asm::load_indirect_u64(register, T0, 8 * index as i32));
    }
    code.extend([asm::ecalli(0), asm::ret()]);
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_rw_data(data);
    builder.set_rw_data_size(DATA_LENGTH as u32);
    builder.set_stack_size(4_096);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.add_import(Import::LoadAccount.symbol().as_bytes());
    builder.set_code(&code, &[]);
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter");
    let program = loader
        .load(&builder.to_vec().expect("a blob"))
        .expect("a program");
    let outcome = program
        .invoke_with(&host(), &invocation())
        .expect("an outcome");
    let error = loader::ProgramError::UninitializedAccount;
    assert_eq!(outcome.failure, Some(loader::Failure::from(error)));
}
