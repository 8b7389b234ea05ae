//! A program that makes the calls of a script, handwritten in the VM's instructions, and its memory
//! map.

use std::ops::Range;

use abi::heap::{BUMP_HEAP_EXPORT, MIN_HEAP_LENGTH};
use abi::imports::Import;
use loader::inspect::{Region, RegionKind};
use loader::{AccountInput, Engine, Failure, Invocation, Limits, Loader, Outcome, Program, Pubkey};
use polkavm_common::program::Reg::{A0, A1, A2, A3, A4, S0, S1, T0, T1};
use polkavm_common::program::{Instruction, InstructionSetKind, Reg, asm};
use polkavm_common::writer::ProgramBlobBuilder;

use super::model::{self, Model};
use super::script::{CALL_LENGTH, Call, MAX_CALLS, MODELLED, SCRIPT_LENGTH, Script};

/// The VM's page size: the end of each region is a multiple of it.
const PAGE: u64 = 4_096;

/// Bytes of read-write data: the results of all calls, and free space.
pub const WINDOW: u64 = 4_096;

/// The gas of every call. It pays for more bytes than the program's memory has.
pub const GAS: u64 = 1 << 24;

/// The program's id.
pub const PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// The program's memory map. The program cannot access memory between the ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub read_only: Range<u64>,
    /// Read-write data, input and heap.
    pub writable: Range<u64>,
    pub stack: Range<u64>,
    pub heap: u64,
    pub input: u64,
    pub input_end: u64,
}

/// The program on some engines.
pub struct Machine {
    pub programs: Vec<Program>,
    pub layout: Layout,
    pub limits: Limits,
    /// The input as the program reads it, with a script of zeros.
    pub input: Vec<u8>,
}

/// The call of the program. It owns the first account, and not the second.
pub fn invocation(script: &Script) -> Invocation {
    let account = |number| AccountInput::new(Pubkey::new([number; 32])).kelvins(number.into());
    Invocation::new(PROGRAM_ID)
        .data(script.encode())
        .gas(GAS)
        .account(account(2).owner(PROGRAM_ID).data([7; 40]).writable())
        .account(account(3).data([9; 8]))
        .repeat(0)
}

impl Machine {
    pub fn new(engines: &[Engine]) -> Self {
        let blob = blob();
        let limits = Limits::default().return_data(64 << 10).logs(1 << 10);
        let loaders = engines
            .iter()
            .map(|engine| Loader::new(*engine).expect("an engine").limits(limits));
        let programs: Vec<Program> = loaders
            .map(|loader| loader.load(&blob).expect("a program"))
            .collect();
        let inspection = Loader::new(Engine::Interpreter)
            .expect("the interpreter")
            .inspect(&blob)
            .expect("a blob");
        let regions = inspection.memory.expect("a memory map").regions;
        let mut machine = Self {
            programs,
            layout: layout(&regions, 0),
            limits,
            input: Vec::new(),
        };
        machine.input = machine.read_input();
        machine.layout = layout(&regions, machine.input.len() as u64);
        machine
    }

    /// Reads the input: a script returns it as return data. The length is known from `docs/abi.md`.
    fn read_input(&self) -> Vec<u8> {
        let accounts = abi::input::entry_length(40).unwrap() + abi::input::entry_length(8).unwrap();
        let length = 8 + SCRIPT_LENGTH + 32 + 8 + accounts + 8 + 3 * 8 + 16;
        let script = Script::new([(
            Import::SetReturnData,
            vec![self.layout.input, length as u64],
        )]);
        let mut input = self.run(&script).return_data;
        assert_eq!(input.len(), length);
        assert!(
            input.ends_with(b"ACCTABLE"),
            "the input ends with the account table"
        );
        input[8..8 + SCRIPT_LENGTH].fill(0);
        input
    }

    /// The outcome of a script, which must be the same on all engines.
    pub fn run(&self, script: &Script) -> Outcome {
        let invocation = invocation(script);
        let mut outcomes = self.programs.iter().map(|program| {
            let mut outcome = program.invoke(&invocation).expect("a valid invocation");
            outcome.engine = Engine::Interpreter;
            outcome
        });
        let first = outcomes.next().expect("an engine");
        for other in outcomes {
            assert_eq!(first, other, "the engines differ on {script:?}");
        }
        first
    }

    /// Runs a script, and then, if it has not ended, returns the window of memory as return data.
    /// The outcome must be that of the model.
    pub fn check(&self, script: &Script) -> Outcome {
        let mut script = script.clone();
        if script.calls.len() < MAX_CALLS {
            script.calls.push(Call {
                import: Import::SetReturnData,
                arguments: [self.layout.writable.start, WINDOW, 0, 0, 0],
            });
        }
        let outcome = self.run(&script);
        let model = Model::run(self, &script);
        model::compare(self, &script, &model, &outcome);
        outcome
    }

    /// Checks any bytes as a script.
    pub fn check_bytes(&self, bytes: &[u8]) {
        let _ = self.check(&Script::decode(bytes, &self.layout));
    }
}

/// Asserts that a failure left the accounts unchanged and no return data.
pub fn assert_nothing_kept(invocation: &Invocation, outcome: &Outcome) {
    let failure: &Failure = outcome.failure.as_ref().expect("a failure");
    let before = invocation.accounts.iter().filter_map(|entry| match entry {
        loader::AccountEntry::First(input) => Some(&input.account),
        loader::AccountEntry::Repeat(_) => None,
    });
    assert!(before.eq(&outcome.accounts), "{failure} changed an account");
    assert!(outcome.return_data.is_empty(), "{failure} left return data");
}

fn layout(regions: &[Region], input_length: u64) -> Layout {
    let place = |kind| {
        let mut regions = regions.iter();
        let region = regions
            .find(|region| region.kind == kind)
            .expect("the region");
        u64::from(region.address)..u64::from(region.address) + u64::from(region.length)
    };
    let data_end = place(RegionKind::ReadWriteData).end;
    let input = data_end.next_multiple_of(PAGE);
    assert_eq!(input, place(RegionKind::Input).start);
    // The heap is unaligned: it is whole pages above the end of the data.
    let heap = data_end + (input + input_length - data_end).next_multiple_of(PAGE);
    let heap_end = heap + u64::from(MIN_HEAP_LENGTH);
    let whole_pages = |range: Range<u64>| range.start..range.end.next_multiple_of(PAGE);
    Layout {
        read_only: whole_pages(place(RegionKind::ReadOnlyData)),
        writable: whole_pages(place(RegionKind::ReadWriteData).start..heap_end),
        stack: place(RegionKind::Stack),
        heap,
        input,
        input_end: input + input_length,
    }
}

/// The basic blocks of the program.
const LOOP: u32 = 1;
const STORE: u32 = 3;
const END: u32 = 4;
const DISPATCH: u32 = 5;

/// The program. For each call of the script it loads the arguments, makes the call, and stores the
/// result in the next word of its read-write data. Then it returns the status.
fn blob() -> Vec<u8> {
    let imports = MODELLED.len() as u32;
    let calls = DISPATCH + imports + 1;
    let mut code = vec![
        // 0: the instruction data follow their length. T1 is the address of the next result.
        asm::add_imm_64(S0, A0, 8),
        asm::load_indirect_u64(S1, S0, 0),
        asm::add_imm_64(S0, S0, 8),
        asm::load_imm(T1, 0x3_0000),
        asm::fallthrough(),
        // 1: the loop over the calls.
        asm::branch_eq_imm(S1, 0, END),
        // 2: load a call.
        asm::load_indirect_u64(T0, S0, 0),
    ];
    let registers: [Reg; 5] = [A0, A1, A2, A3, A4];
    for (index, register) in registers.into_iter().enumerate() {
        code.push(asm::load_indirect_u64(register, S0, 8 + 8 * index as i32));
    }
    code.extend([
        asm::add_imm_64(S0, S0, CALL_LENGTH as i32),
        asm::add_imm_64(S1, S1, -1),
        asm::jump(DISPATCH),
        // 3: store the result.
        asm::store_indirect_u64(A0, T1, 0),
        asm::add_imm_64(T1, T1, 8),
        asm::jump(LOOP),
        // 4: return the status.
        asm::load_indirect_u64(A0, S0, 0),
        asm::ret(),
    ]);
    // From 5 on: find the import.
    for number in 0..imports {
        code.push(asm::branch_eq_imm(T0, number as i32, calls + number));
    }
    code.push(asm::trap());
    for number in 0..imports {
        code.push(asm::ecalli(number as i32));
        code.push(asm::jump(STORE));
    }
    assert!(matches!(code[5], Instruction::branch_eq_imm(..)));

    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_ro_data(b"Read only, and no multiple of a page.".to_vec());
    builder.set_ro_data_size(100);
    builder.set_rw_data((0..WINDOW).map(|place| place as u8).collect());
    // Eight more bytes, so that the heap is unaligned.
    builder.set_rw_data_size(WINDOW as u32 + 8);
    builder.set_stack_size(8_192);
    builder.add_export_by_basic_block(0, b"entrypoint");
    // The export declares a heap header. No test calls it.
    builder.add_export_by_basic_block(END, BUMP_HEAP_EXPORT.as_bytes());
    for import in MODELLED {
        builder.add_import(import.symbol().as_bytes());
    }
    builder.set_code(&code, &[]);
    builder.to_vec().expect("a blob")
}
