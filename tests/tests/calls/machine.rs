//! A program that makes one syscall, with any structures in its memory.

use std::sync::Arc;

use abi::call::{
    AccountMeta, CAccount, CAccountMeta, CInstruction, CallAccount, CallInstruction, Slice,
};
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

pub const KEYS: [Pubkey; 2] = [Pubkey::new([1; 32]), Pubkey::new([2; 32])];

/// A program whose memory begins with the five arguments of one syscall, and which makes it.
pub struct Machine {
    pub name: &'static str,
    pub make: fn(import: Import, data: &[u8]) -> Program,
    /// The address of its data.
    pub data: u64,
    /// The address of the input, and its end.
    pub input: std::ops::Range<u64>,
}

/// The data of the program: arguments, and structures.
pub struct Memory {
    pub bytes: Vec<u8>,
    pub base: u64,
    /// The name and the place of each number of eight bytes that is an address or a length.
    pub fields: Vec<(String, usize)>,
}

impl Memory {
    pub fn new(base: u64) -> Self {
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
    pub fn add<T: Pod>(&mut self, name: &str, value: &T, fields: &[(&str, usize)]) -> u64 {
        let place = self.bytes.len();
        self.bytes.extend_from_slice(bytes_of(value));
        for (field, offset) in fields {
            self.fields
                .push((format!("{name}: {field}"), place + offset));
        }
        self.base + place as u64
    }

    pub fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }

    pub fn set(&mut self, place: usize, value: u64) {
        self.bytes[place..place + 8].copy_from_slice(&value.to_le_bytes());
    }

    pub fn get(&self, place: usize) -> u64 {
        bytemuck::pod_read_unaligned(&self.bytes[place..place + 8])
    }
}

pub const DATA_LENGTH: usize = 1_024;

pub fn toy(import: Import, data: &[u8]) -> Program {
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
pub fn blob(import: Import, data: &[u8], base: u32) -> Vec<u8> {
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
pub fn places() -> (u64, u64) {
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

pub fn polkavm(import: Import, data: &[u8]) -> Program {
    let blob = blob(import, data, places().0 as u32);
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter");
    loader.load(&blob).expect("a program")
}

pub fn input_length() -> u64 {
    let entries = 2 * entry_length(8).expect("a length");
    (8 + 32 + 8 + entries + 8 + 3 * 8 + 16) as u64
}

pub fn machines() -> [Machine; 2] {
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
pub fn invocation() -> Invocation {
    let [first, second] = KEYS.map(|key| AccountInput::new(key).owner(A).kelvins(5).data([7; 8]));
    Invocation::new(A)
        .account(first.writable())
        .account(second)
        .repeat(0)
}

pub fn host() -> Arc<dyn Host> {
    let callee = Loader::with_backend(Toy)
        .load(b"TOY\nreturn 0\n\n")
        .expect("a program");
    let account = Account {
        key: B,
        owner: A,
        kelvins: 3,
        data: [1, 2, 3].into(),
        executable: true,
        rent_epoch: 9,
    };
    Arc::new(Environment::new().program(B, callee).account(account))
}

/// Both forms of a call.
pub const FORMS: [Import; 2] = [Import::InvokeSigned, Import::InvokeSignedC];

/// The address of the entry of an account.
pub fn entry(machine: &Machine, index: usize) -> u64 {
    machine.input.start + 48 + (index * entry_length(8).expect("a length")) as u64
}

/// The memory of a good call: two accounts, one signer with two seeds.
pub fn call(machine: &Machine, form: Import) -> Memory {
    let mut memory = Memory::new(machine.data);
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
    let [instruction, accounts] = if form == Import::InvokeSigned {
        rust_form(machine, &mut memory, slice(data, 8))
    } else {
        c_form(machine, &mut memory, slice(data, 8))
    };
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

/// The structures of `rlo_invoke_signed_rust`. The first account keeps the length of its data
/// outside of the entry too, as the runtime's own crates do.
pub fn rust_form(machine: &Machine, memory: &mut Memory, data: Slice) -> [u64; 2] {
    let length = memory.add("length", &8_u64, &[]);
    let metas = KEYS.map(|key| AccountMeta {
        key,
        is_signer: 0,
        is_writable: 0,
    });
    let metas = memory.add("metas", &metas, &[]);
    memory.align();
    let mut accounts = 0;
    for (index, key) in KEYS.into_iter().enumerate() {
        let entry = entry(machine, index);
        let in_entry = entry + AccountHeader::DATA_LENGTH as u64;
        let account = CallAccount {
            key,
            kelvins: entry + AccountHeader::KELVINS as u64,
            data: Slice {
                address: entry + AccountHeader::DATA as u64,
                length: 8,
            },
            data_length: if index == 0 { length } else { in_entry },
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
        accounts: Slice {
            address: metas,
            length: 2,
        },
        data,
    };
    let fields = [
        ("accounts", 32),
        ("number of accounts", 40),
        ("data", 48),
        ("data length", 56),
    ];
    [memory.add("instruction", &instruction, &fields), accounts]
}

/// The structures of `rlo_invoke_signed_c`. A key may be anywhere.
pub fn c_form(machine: &Machine, memory: &mut Memory, data: Slice) -> [u64; 2] {
    let program_id = memory.add("program id", &B, &[]);
    let first = memory.add("first key", &KEYS[0], &[]);
    let second = entry(machine, 1) + AccountHeader::KEY as u64;
    let mut metas = 0;
    for (index, key) in [first, second].into_iter().enumerate() {
        let meta = CAccountMeta {
            key,
            is_writable: 0,
            is_signer: 0,
            padding: [1, 2, 3, 4, 5, 6],
        };
        let address = memory.add(&format!("meta {index}"), &meta, &[("key", 0)]);
        metas = if index == 0 { address } else { metas };
    }
    let mut accounts = 0;
    for (index, key) in [first, second].into_iter().enumerate() {
        let entry = entry(machine, index);
        let account = CAccount {
            key,
            kelvins: entry + AccountHeader::KELVINS as u64,
            data_length: 8,
            data: entry + AccountHeader::DATA as u64,
            owner: entry + AccountHeader::OWNER as u64,
            // The loader knows these.
            rent_epoch: 12_345,
            is_signer: 7,
            is_writable: 8,
            executable: 9,
            padding: [1, 2, 3, 4, 5],
        };
        let fields = [
            ("key", 0),
            ("kelvins", 8),
            ("data length", 16),
            ("data address", 24),
            ("owner", 32),
        ];
        let address = memory.add(&format!("account {index}"), &account, &fields);
        accounts = if index == 0 { address } else { accounts };
    }
    let instruction = CInstruction {
        program_id,
        accounts: Slice {
            address: metas,
            length: 2,
        },
        data,
    };
    let fields = [
        ("program id", 0),
        ("accounts", 8),
        ("number of accounts", 16),
        ("data", 24),
        ("data length", 32),
    ];
    [memory.add("instruction", &instruction, &fields), accounts]
}

pub fn run(machine: &Machine, import: Import, memory: &Memory) -> Outcome {
    let program = (machine.make)(import, &memory.bytes);
    let outcome = program.invoke_with(&host(), &invocation());
    outcome.unwrap_or_else(|error| panic!("{}: {error}", machine.name))
}

pub fn machines_and_forms() -> impl Iterator<Item = (Machine, Import)> {
    FORMS
        .into_iter()
        .flat_map(|form| machines().map(|machine| (machine, form)))
}

/// Addresses and numbers that a program may pass instead of one.
pub fn wild(machine: &Machine, good: u64) -> Vec<u64> {
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
