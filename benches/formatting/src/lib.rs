//! What a log line costs inside the VM: the guest that `cargo xtask bench formatting` measures.
//!
//! The first byte of the instruction data is the place of one of the lines in `LINES`, which the
//! program logs. The line at place 0 logs nothing, and its cost is subtracted from those of the
//! others. The compiler does not know the values, nor which line is logged. A call of a line goes
//! through the table, so it costs the same for each.
//!
//! As in `entry-bench`, an instruction costs one unit of gas, so every figure is exact.
#![no_std]

use core::hint::black_box;

use entrypoint::{
    AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, log_64, log_pubkey, msg,
};

entrypoint!(process_instruction);

/// A structure as programs have them.
#[derive(Debug)]
#[allow(dead_code, reason = "only `Debug` reads the fields")]
struct Order {
    price: u64,
    amount: u32,
    is_buy: bool,
}

/// The values that the lines show.
struct Values {
    small: u64,
    large: u64,
    negative: i64,
    text: &'static str,
    float: f64,
    key: Pubkey,
    order: Order,
}

/// The lines, in the order of `CASES` in `xtask/src/bench/formatting.rs`.
const LINES: [fn(&Values); 17] = [
    |_| {},
    |values| log_64(values.small, values.large, 0, 0, 0),
    |values| log_pubkey(&values.key),
    |_| msg!("sixteen bytes..."),
    |values| msg!(values.text),
    |values| msg!("{}", values.text),
    |values| msg!("{}", values.small),
    |values| msg!("{}", values.large),
    |values| msg!("{}", values.negative),
    |values| msg!("{:#x}", values.large),
    |values| msg!("{:>8}", values.small),
    |values| msg!("price {}, amount {}", values.large, values.small),
    |values| msg!("{}", values.key),
    |values| msg!("{:?}", values.key),
    |values| msg!("{}", values.float),
    |values| msg!("{:.2}", values.float),
    |values| msg!("{:?}", values.order),
];

/// Logs the line that the instruction data names.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let [line] = instruction_data else {
        return Err(ProgramError::InvalidInstructionData);
    };
    let line = LINES
        .get(usize::from(*line))
        .ok_or(ProgramError::InvalidInstructionData)?;
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip(0x9E_u8..) {
        *byte = value;
    }
    let values = black_box(Values {
        small: 7,
        large: u64::MAX,
        negative: -1_234_567,
        text: "sixteen bytes...",
        float: 1234.5,
        key: Pubkey::new(bytes),
        order: Order {
            price: 1_250_000,
            amount: 30,
            is_buy: true,
        },
    });
    line(&values);
    Ok(())
}
