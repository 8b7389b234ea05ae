//! Memory of pages beside the VM's other memory: random programs end in the same way, with the same
//! gas and the same accounts.

use std::sync::Arc;

use polkavm::Reg::{A0, A1, A2, S0, S1, SP, T0, T1};
use polkavm_common::program::{Instruction, InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;

use super::MIN_LENT;
use crate::account::AccountInput;
use crate::backend::Backend;
use crate::backend::polkavm::{LoadedBlob, PolkaVm};
use crate::coverage::CountingObserver;
use crate::engine::Engine;
use crate::host::default_host;
use crate::invocation::Invocation;
use crate::invoke::syscalls::Syscalls;
use crate::invoke::{self, Finished};
use crate::limits::Limits;
use crate::syscall_set::SyscallSet;
use abi::Pubkey;

/// The offset of the first account's data in the input.
const DATA: i32 = 48 + 88;

/// Bytes of the first account's data: no multiple of a page.
const LENGTH: i32 = MIN_LENT as i32 + 1_001;

struct Random(u64);

impl Random {
    fn below(&mut self, end: i32) -> i32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as i32
    }

    /// A place as a base and an offset: mostly in the data, often where pages or data end.
    fn place(&mut self) -> (polkavm::Reg, i32) {
        let near = self.below(32) - 16;
        match self.below(16) {
            0 => (SP, -self.below(8_192 + 20)),
            // Data of the blob, and the heap above it.
            1 => (S1, self.below(40_000) - 6_000),
            2 => (S0, DATA + near),
            3 => (S0, DATA + LENGTH + near),
            4..8 => (S0, self.below(LENGTH / 4_096) * 4_096 + near),
            _ => (S0, DATA + self.below(LENGTH - 8)),
        }
    }

    fn step(&mut self, code: &mut Vec<Instruction>) {
        let (base, offset) = self.place();
        match self.below(8) {
            0 => code.push(asm::store_indirect_u64(T1, base, offset)),
            1 => code.push(asm::store_indirect_u8(T1, base, offset)),
            2 => code.push(asm::store_imm_indirect_u16(base, offset, self.below(9) - 4)),
            // Writes the bytes that are there.
            3 => code.extend([
                asm::load_indirect_u32(T0, base, offset),
                asm::store_indirect_u32(T0, base, offset),
            ]),
            4 => code.extend([
                asm::add_imm_64(A0, base, offset),
                asm::load_imm(A1, self.below(256)),
                asm::load_imm(A2, self.below(10_000)),
                asm::memset(),
            ]),
            5 => code.extend([
                // Read-only data, and around it.
                asm::load_u64(T0, 0xfff0 + self.below(5_000)),
                asm::add_64(T1, T1, T0),
            ]),
            _ => code.extend([
                asm::load_indirect_u64(T0, base, offset),
                asm::add_64(T1, T1, T0),
            ]),
        }
    }

    fn program(&mut self) -> Vec<u8> {
        let mut code = vec![asm::move_reg(S0, A0), asm::move_reg(S1, A2)];
        for _ in 0..self.below(20) {
            self.step(&mut code);
        }
        // What was loaded is in the result too.
        code.extend([
            asm::store_indirect_u64(T1, S0, DATA + 5_000),
            asm::load_imm(A0, 0),
            asm::ret(),
        ]);
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
        builder.set_ro_data((0..200).collect());
        builder.set_ro_data_size(4_000);
        builder.set_rw_data((0..200).map(|byte| byte ^ 0x55).collect());
        builder.set_rw_data_size(5_000);
        builder.set_stack_size(8_192);
        builder.add_export_by_basic_block(0, b"entrypoint");
        builder.set_code(&code, &[]);
        builder.to_vec().expect("a blob")
    }
}

fn invocation(program_id: Pubkey) -> Invocation {
    let data = |length: i32, factor: usize| -> Vec<u8> {
        (0..length as usize)
            .map(|index| (index * factor / 5) as u8)
            .collect()
    };
    let account = |key, data: Vec<u8>| {
        AccountInput::new(Pubkey::new([key; 32]))
            .owner(program_id)
            .kelvins(1)
            .data(data)
            .writable()
    };
    Invocation::new(program_id)
        .account(account(2, data(LENGTH, 7)))
        .account(account(3, data(20_000, 11)))
        .gas(15_000)
}

/// Runs a program in memory of pages, or in the VM's other memory.
fn run(program: &LoadedBlob, invocation: &Invocation, in_pages: bool) -> Finished {
    let mut syscalls = Syscalls::new(default_host(), &Arc::default(), invocation);
    let mut observer = None::<CountingObserver>;
    let lent = program.lend(&mut observer, in_pages, |instance| {
        let finished = invoke::run(&mut syscalls, invocation, instance);
        assert_eq!(instance.guest.pages.is_some(), in_pages);
        finished
    });
    lent.unwrap()
}

#[test]
fn random_programs_end_as_in_other_memory() {
    let vm = PolkaVm::new(Engine::Interpreter).unwrap();
    let invocation = invocation(Pubkey::new([1; 32]));
    let (mut random, mut kept, mut failed) = (Random(1), 0, 0);
    for number in 0..400 {
        let blob = random.program();
        let program = vm
            .load(&blob, &Limits::default(), &SyscallSet::default())
            .unwrap();
        let paged = run(&program, &invocation, true);
        let other = run(&program, &invocation, false);
        assert_eq!(paged.status, other.status, "program {number}");
        assert_eq!(paged.gas, other.gas, "program {number}");
        assert_eq!(paged.result, other.result, "program {number}");
        assert_eq!(paged.heap, other.heap, "program {number}");
        match paged.result {
            Ok(_) => kept += 1,
            Err(_) => failed += 1,
        }
        // The next run begins with the same memory.
        assert_eq!(run(&program, &invocation, true).result, other.result);
    }
    assert!(kept > 100 && failed > 50, "{kept} kept, {failed} failed");
}

/// Data that no byte was changed of is not copied, even if the program has written the same bytes.
#[test]
fn unchanged_data_stays_shared() {
    let code = [
        asm::load_indirect_u64(T0, A0, DATA + 9_000),
        asm::store_indirect_u64(T0, A0, DATA + 9_000),
        asm::load_imm(A0, 0),
        asm::ret(),
    ];
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.set_code(&code, &[]);
    let vm = PolkaVm::new(Engine::Interpreter).unwrap();
    let program = vm
        .load(
            &builder.to_vec().unwrap(),
            &Limits::default(),
            &SyscallSet::default(),
        )
        .unwrap();
    let invocation = invocation(Pubkey::new([1; 32]));
    let accounts = run(&program, &invocation, true).result.unwrap();
    for (before, after) in invocation.first_accounts().zip(&accounts) {
        assert!(after.data.shares_with(&before.data));
    }
}
