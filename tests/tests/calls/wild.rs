//! Any value in any field of any structure of a call, and in its arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use abi::call::{AccountMeta, CallAccount, CallInstruction, Slice};
use abi::heap::MIN_HEAP_LENGTH;
use abi::imports::Import;
use abi::input::{AccountHeader, entry_length};
use bytemuck::{Pod, bytes_of};
use loader::inspect::RegionKind;
use loader::{
    Account, AccountInput, Engine, Environment, Host, Invocation, Loader, Outcome, Program, Pubkey,
};
use polkavm_common::program::Reg::{A0, A1, A2, A3, A4, T0};
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;
use tests::caller_guest::{A, B};
use tests::toy::Toy;

const KEYS: [Pubkey; 2] = [Pubkey::new([1; 32]), Pubkey::new([2; 32])];

/// A program whose memory begins with the five arguments of one syscall, and which makes it.
struct Machine {
    name: &'static str,
    make: fn(import: Import, data: &[u8]) -> Program,
    /// The address of its data.
    data: u64,
    /// The address of the input, and its end.
    input: std::ops::Range<u64>,
}

/// The data of the program: arguments, and structures.
struct Memory {
    bytes: Vec<u8>,
    base: u64,
    /// The name and the place of each number of eight bytes that is an address or a length.
    fields: Vec<(String, usize)>,
}

impl Memory {
    fn new(base: u64) -> Self {
        let mut memory = Self {
            bytes: vec![0; 40],
            base,
            fields: Vec::new(),
        };
        for index in 0..5 {
            memory.fields.push((format!("argument {index}"), 8 * index));
        }
        memory
    }

    /// Adds a value, and returns its address.
    fn add<T: Pod>(&mut self, name: &str, value: &T, fields: &[(&str, usize)]) -> u64 {
        let place = self.bytes.len();
        self.bytes.extend_from_slice(bytes_of(value));
        for (field, offset) in fields {
            self.fields
                .push((format!("{name}: {field}"), place + offset));
        }
        self.base + place as u64
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    fn set(&mut self, place: usize, value: u64) {
        self.bytes[place..place + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn get(&self, place: usize) -> u64 {
        bytemuck::pod_read_unaligned(&self.bytes[place..place + 8])
    }
}

const DATA_LENGTH: usize = 1_024;

fn toy(import: Import, data: &[u8]) -> Program {
    let argument =
        |index: usize| -> u64 { bytemuck::pod_read_unaligned(&data[8 * index..8 * index + 8]) };
    let arguments: Vec<String> = (0..5).map(|index| argument(index).to_string()).collect();
    let code = format!(
        "TOY\ncall {} {}\nreturn 0\n\n",
        import.symbol(),
        arguments.join(" ")
    );
    let file = [code.as_bytes(), data].concat();
    Loader::with_backend(Toy).load(&file).expect("a program")
}

/// The program for PolkaVM.
fn blob(import: Import, data: &[u8], base: u32) -> Vec<u8> {
    let mut code = vec![asm::load_imm(T0, base as i32)];
    for (index, register) in [A0, A1, A2, A3, A4].into_iter().enumerate() {
        code.push(asm::load_indirect_u64(register, T0, 8 * index as i32));
    }
    code.extend([asm::ecalli(0), asm::load_imm(A0, 0), asm::ret()]);
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_rw_data(data.to_vec());
    builder.set_rw_data_size(DATA_LENGTH as u32);
    builder.set_stack_size(4_096);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.add_import(import.symbol().as_bytes());
    builder.set_code(&code, &[]);
    builder.to_vec().expect("a blob")
}

/// The address of the data, and that of the input.
fn places() -> (u64, u64) {
    let blob = blob(Import::InvokeSigned, &[0; DATA_LENGTH], 0);
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter");
    let regions = loader
        .inspect(&blob)
        .expect("a blob")
        .memory
        .expect("a map")
        .regions;
    let address = |kind| {
        let mut regions = regions.iter();
        let region = regions.find(|region| region.kind == kind);
        u64::from(region.expect("the region").address)
    };
    (
        address(RegionKind::ReadWriteData),
        address(RegionKind::Input),
    )
}

fn polkavm(import: Import, data: &[u8]) -> Program {
    let blob = blob(import, data, places().0 as u32);
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter");
    loader.load(&blob).expect("a program")
}

fn input_length() -> u64 {
    let entries = 2 * entry_length(8).expect("a length");
    (8 + 32 + 8 + entries + 8 + 3 * 8 + 16) as u64
}

fn machines() -> [Machine; 2] {
    let (data, input) = places();
    let length = input_length();
    let toy_data = 0x1000;
    let toy_input = toy_data + DATA_LENGTH as u64 + u64::from(MIN_HEAP_LENGTH);
    [
        Machine {
            name: "toy",
            make: toy,
            data: toy_data,
            input: toy_input..toy_input + length,
        },
        Machine {
            name: "PolkaVM",
            make: polkavm,
            data,
            input: input..input + length,
        },
    ]
}

/// The program's accounts: one of its own, one that it may not change, and the first again.
fn invocation() -> Invocation {
    let [first, second] = KEYS.map(|key| AccountInput::new(key).owner(A).kelvins(5).data([7; 8]));
    Invocation::new(A)
        .account(first.writable())
        .account(second)
        .repeat(0)
}

fn host() -> Arc<dyn Host> {
    let callee = Loader::with_backend(Toy)
        .load(b"TOY\nreturn 0\n\n")
        .expect("a program");
    let account = Account {
        key: B,
        owner: A,
        kelvins: 3,
        data: vec![1, 2, 3],
        executable: true,
        rent_epoch: 9,
    };
    Arc::new(Environment::new().program(B, callee).account(account))
}

/// The memory of a good call: two accounts, one signer with two seeds.
fn call(machine: &Machine) -> Memory {
    let mut memory = Memory::new(machine.data);
    let metas = KEYS.map(|key| AccountMeta {
        key,
        is_signer: 0,
        is_writable: 0,
    });
    let metas = memory.add("metas", &metas, &[]);
    memory.align();
    let data = memory.add("data", &[1_u8, 2, 3, 4, 5, 6, 7, 8], &[]);
    let bump = (0..=255).find(|bump| {
        abi::program_address::create_program_address(&[b"a seed", &[*bump, 0]], &A).is_ok()
    });
    let text = memory.add("text", b"a seed", &[]);
    let bump = memory.add("bump", &[bump.expect("a bump"), 0], &[]);
    memory.align();
    let slice = |address, length| Slice { address, length };
    let fields = [("address", 0), ("length", 8)];
    let seeds = memory.add("first seed", &slice(text, 6), &fields);
    memory.add("second seed", &slice(bump, 2), &fields);
    let signers = memory.add("signer", &slice(seeds, 2), &fields);
    let mut accounts = 0;
    for (index, key) in KEYS.into_iter().enumerate() {
        let entry = machine.input.start + 48 + (index * entry_length(8).expect("a length")) as u64;
        let account = CallAccount {
            key,
            kelvins: entry + AccountHeader::KELVINS as u64,
            data: slice(entry + AccountHeader::DATA as u64, 8),
            data_length: entry + AccountHeader::DATA_LENGTH as u64,
            owner: entry + AccountHeader::OWNER as u64,
            // The loader knows these.
            rent_epoch: 12_345,
            is_signer: 7,
            is_writable: 8,
            executable: 9,
            padding: [1, 2, 3, 4, 5],
        };
        let fields = [
            ("kelvins", 32),
            ("data address", 40),
            ("data length", 48),
            ("address of the data length", 56),
            ("owner", 64),
        ];
        let address = memory.add(&format!("account {index}"), &account, &fields);
        accounts = if index == 0 { address } else { accounts };
    }
    let instruction = CallInstruction {
        program_id: B,
        accounts: slice(metas, 2),
        data: slice(data, 8),
    };
    let fields = [
        ("accounts", 32),
        ("number of accounts", 40),
        ("data", 48),
        ("data length", 56),
    ];
    let instruction = memory.add("instruction", &instruction, &fields);
    for (index, argument) in [instruction, accounts, 2, signers, 1]
        .into_iter()
        .enumerate()
    {
        memory.set(8 * index, argument);
    }
    assert!(memory.bytes.len() <= DATA_LENGTH);
    memory.bytes.resize(DATA_LENGTH, 0);
    memory
}

/// Addresses and numbers that a program may pass instead of one.
fn wild(machine: &Machine, good: u64) -> Vec<u64> {
    let mut numbers = vec![
        0,
        1,
        7,
        good.wrapping_add(1),
        good.wrapping_sub(1),
        good.wrapping_add(8),
        good | 1 << 32,
        good | 1 << 63,
        machine.data - 1,
        machine.data + DATA_LENGTH as u64 - 4,
        machine.input.start,
        machine.input.end - 8,
        machine.input.end - 1,
        machine.input.end,
    ];
    for power in [8, 16, 31, 32, 33, 48, 61, 62, 63, 64] {
        let number = 1_u128 << power;
        let around = [
            number - 8,
            number - 1,
            number % (1 << 64),
            (number + 1) % (1 << 64),
        ];
        numbers.extend(around.map(|number| number as u64));
    }
    numbers.retain(|number| *number != good);
    numbers
}

fn run(machine: &Machine, import: Import, memory: &Memory) -> Outcome {
    let program = (machine.make)(import, &memory.bytes);
    let outcome = program.invoke_with(&host(), &invocation());
    outcome.unwrap_or_else(|error| panic!("{}: {error}", machine.name))
}

#[test]
fn the_good_call_succeeds() {
    for machine in machines() {
        let outcome = run(&machine, Import::InvokeSigned, &call(&machine));
        assert_eq!(outcome.failure, None, "{}", machine.name);
        assert_eq!(outcome.calls.len(), 1);
    }
}

#[test]
fn every_field_may_have_any_value() {
    for machine in machines() {
        let good = call(&machine);
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, place) in &good.fields {
            let value = good.get(*place);
            for wild in wild(&machine, value) {
                let mut memory = call(&machine);
                memory.set(*place, wild);
                let outcome = run(&machine, Import::InvokeSigned, &memory);
                let kind = outcome
                    .failure
                    .as_ref()
                    .map_or("none", |failure| failure.kind());
                *kinds.entry(kind).or_default() += 1;
                let context = format!("{}: {name} is {wild:#x}: {outcome:?}", machine.name);
                let before = invocation();
                assert!(
                    outcome
                        .accounts
                        .iter()
                        .eq(before.accounts.iter().filter_map(|entry| {
                            match entry {
                                loader::AccountEntry::First(input) => Some(&input.account),
                                loader::AccountEntry::Repeat(_) => None,
                            }
                        })),
                    "{context}"
                );
                if name.starts_with("account ") {
                    assert_eq!(kind, "MovedAccount", "{context}");
                }
                if wild > 1 << 32 && wild != value | 1 << 32 {
                    assert_ne!(kind, "none", "{context}");
                }
                assert!(outcome.gas_used < 20_000, "{context}");
            }
        }
        let expected = [
            "CallDataTooLong",
            "InvalidPointer",
            "InvalidSignerSeeds",
            "MissingAccount",
            "MovedAccount",
            "SeedTooLong",
            "TooManyCallAccounts",
            "TooManyPassedAccounts",
            "TooManySeeds",
            "TooManySigners",
        ];
        for kind in expected {
            assert!(
                kinds.contains_key(kind),
                "{}: no {kind}: {kinds:?}",
                machine.name
            );
        }
        assert!(kinds["InvalidPointer"] > 200, "{kinds:?}");
    }
}

#[test]
fn any_bytes_may_be_the_structures() {
    // The same bytes on every run.
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 32
    };
    for machine in machines() {
        for _ in 0..500 {
            let mut memory = call(&machine);
            for _ in 0..1 + random() % 8 {
                let place = random() as usize % DATA_LENGTH;
                memory.bytes[place] = random() as u8;
            }
            let outcome = run(&machine, Import::InvokeSigned, &memory);
            assert!(outcome.gas_used <= invocation().gas);
        }
    }
}

/// The entry of the host's account, as `rlo_load_account` writes it.
fn load(machine: &Machine, key: u64, entry: u64) -> Outcome {
    let mut memory = Memory::new(machine.data);
    memory.bytes.extend_from_slice(B.as_bytes());
    memory.bytes.resize(DATA_LENGTH, 0);
    memory.set(0, key);
    memory.set(8, entry);
    run(machine, Import::LoadAccount, &memory)
}

#[test]
fn an_account_of_the_hosts_is_loaded_only_where_all_of_it_fits() {
    let length = entry_length(3).expect("a length") as u64;
    for machine in machines() {
        let key = machine.data + 40;
        // The heap follows the data.
        let heap = machine.data + DATA_LENGTH as u64;
        let outcome = load(&machine, key, heap);
        assert_eq!(outcome.failure, None, "{}", machine.name);
        // The key is read, and the whole entry is written.
        assert!(outcome.gas_used >= 4 + length.div_ceil(8));
        // There is no account with this key.
        assert_eq!(
            load(&machine, key + 1, u64::MAX).failure,
            None,
            "{}",
            machine.name
        );
        for entry in wild(&machine, heap) {
            let outcome = load(&machine, key, entry);
            let kind = outcome
                .failure
                .as_ref()
                .map_or("none", |failure| failure.kind());
            // The memory of the toy begins with its data; it has no hole.
            let fits =
                entry >= machine.data && entry < 1 << 32 && entry + length <= machine.input.end;
            let is_good = ["none", "RepeatChanged", "KeyChanged", "OutOfMemory"].contains(&kind)
                || kind.ends_with("Changed");
            assert_eq!(is_good, fits, "{}: {entry:#x}: {kind}", machine.name);
            if !fits {
                assert_eq!(kind, "InvalidPointer", "{}: {entry:#x}", machine.name);
            }
        }
        for key in wild(&machine, key) {
            let _ = load(&machine, key, heap);
        }
    }
}

#[test]
fn a_loaded_account_is_an_entry_of_the_input() {
    let length = entry_length(3).expect("a length");
    let heap = 0x1000 + DATA_LENGTH as u64;
    // The bytes of the buffer are not zero before; the return data show parts of it after.
    let read = |start: u64, count: u64| {
        let code = format!(
            "TOY\ncall rlo_memset_ {heap} 9 {length}\ncall rlo_load_account data heap\n\
             call rlo_set_return_data {} {count}\nreturn 0\n\n",
            heap + start
        );
        let mut data = B.as_bytes().to_vec();
        data.resize(DATA_LENGTH, 0);
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
    let mut expected = bytes_of(&header).to_vec();
    expected.extend([1, 2, 3]);
    expected.resize(length - 8, 0);
    expected.extend(9_u64.to_le_bytes());
    let mut entry = Vec::new();
    while entry.len() < length {
        let count = 1_000.min(length - entry.len());
        entry.extend(read(entry.len() as u64, count as u64));
    }
    assert!(entry == expected);
}

#[test]
fn an_unknown_account_is_an_error_of_the_program() {
    // The toy returns what it has at an address only as a status, so a guest of PolkaVM's does.
    let base = places().0;
    let mut data = vec![0; DATA_LENGTH];
    data[..8].copy_from_slice(&(base + 40).to_le_bytes());
    data[8..16].copy_from_slice(&(base + 80).to_le_bytes());
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
