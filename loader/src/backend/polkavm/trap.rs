//! The instruction that trapped, and the address that it accessed.

use polkavm::program::{Instruction, RawReg};
use polkavm::{ProgramBlob, ProgramCounter, RawInstance, Reg};

/// The instruction at a place; `None` if none starts there.
pub(crate) fn instruction_at(blob: &ProgramBlob, place: ProgramCounter) -> Option<Instruction> {
    let parsed = blob.instructions_bounded_at(place).next()?;
    let is_there = parsed.offset == place && (place.0 as usize) < blob.code().len();
    is_there.then_some(parsed.kind)
}

/// The guest address that an instruction reads or writes at, if it does. Addresses wrap around at
/// 32 bits.
///
/// An instruction that traps changes no register, so they still have its operands.
pub(crate) fn address_of(instruction: Instruction, instance: &RawInstance) -> Option<u32> {
    use Instruction as I;
    let based = |base: RawReg, offset: i32| {
        let base = instance.reg(base.get()) as u32;
        Some(base.wrapping_add_signed(offset))
    };
    match instruction {
        I::load_u8(_, address)
        | I::load_i8(_, address)
        | I::load_u16(_, address)
        | I::load_i16(_, address)
        | I::load_u32(_, address)
        | I::load_i32(_, address)
        | I::load_u64(_, address)
        | I::store_u8(_, address)
        | I::store_u16(_, address)
        | I::store_u32(_, address)
        | I::store_u64(_, address)
        | I::store_imm_u8(address, _)
        | I::store_imm_u16(address, _)
        | I::store_imm_u32(address, _)
        | I::store_imm_u64(address, _) => Some(address as u32),
        I::load_indirect_u8(_, base, offset)
        | I::load_indirect_i8(_, base, offset)
        | I::load_indirect_u16(_, base, offset)
        | I::load_indirect_i16(_, base, offset)
        | I::load_indirect_u32(_, base, offset)
        | I::load_indirect_i32(_, base, offset)
        | I::load_indirect_u64(_, base, offset)
        | I::store_indirect_u8(_, base, offset)
        | I::store_indirect_u16(_, base, offset)
        | I::store_indirect_u32(_, base, offset)
        | I::store_indirect_u64(_, base, offset)
        | I::store_imm_indirect_u8(base, offset, _)
        | I::store_imm_indirect_u16(base, offset, _)
        | I::store_imm_indirect_u32(base, offset, _)
        | I::store_imm_indirect_u64(base, offset, _) => based(base, offset),
        _ => None,
    }
}

/// Whether an inaccessible address is in a frame beyond the stack's end: below the stack, and not
/// below the stack pointer. A wild pointer is there only by chance.
pub(crate) fn is_below_stack(address: u32, instance: &RawInstance) -> bool {
    let lowest = instance.module().memory_map().stack_address_low();
    let pointer = instance.reg(Reg::SP) as u32;
    pointer <= address && address < lowest
}
