//! Pays orders of several payments, each from several accounts, as far as their money goes.
//!
//! An order is paid as a whole or not at all. The program reports orders that cannot be paid, and
//! goes on with the others.
//!
//! Accounts: those that pay have signed and are owned by the program, or the loader rejects the
//! changes; all that pay or are paid are writable. Instruction data: payments of 12 bytes. Adjacent
//! payments with the same order number are one order.
//!
//! | bytes | |
//! |---|---|
//! | 1 | number of the order |
//! | 1 | the account that is paid |
//! | 1 | which of the first eight accounts pay, one after the other: bit n stands for account n |
//! | 1 | 0 if the order needs this payment, otherwise it can do without |
//! | 8 | amount in kelvins, little endian |
//!
//! The program plans everything in scratch memory before the first kelvin moves: in an arena, a
//! part of the heap that is allocated once. At its top is the plan until the end: the new balances
//! of the accounts. At its bottom are temporary copies. The program rewinds them after each payment
//! and each order.
#![no_std]

use entrypoint::allocator::allocator_api2::{alloc::Allocator, vec::Vec};
use entrypoint::allocator::{Arena, BottomEnd, Budget};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, msg};

// An account that is listed twice would have two balances here.
entrypoint!(process_instruction, duplicates = reject);

/// Bytes of the heap for planning, enough for five accounts. It never uses more, for any number of
/// accounts: the rest of the heap is for other uses of a program.
const SCRATCH: usize = 120;

/// Planning needs more than the scratch memory.
const NO_ROOM: ProgramError = ProgramError::Custom(1);

/// The arena rejected a mark or a handle: a mistake in this program.
const REFUSED: ProgramError = ProgramError::Custom(2);

type Payment = [u8; 12];

/// Plans all orders, then gives the accounts the balances that came out.
pub fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let (payments, []) = instruction_data.as_chunks() else {
        return Err(ProgramError::InvalidInstructionData);
    };
    // At the bottom are the balances before an order and after a payment, at the top those of the
    // plan. All types have the same size on every target, so the budget is the same too.
    let copy = size_of::<u64>() * accounts.len();
    let budget = Budget::new(2 * copy, copy);
    let mut arena = Arena::try_with_capacity(SCRATCH).map_err(|_| NO_ROOM)?;
    if !arena.fits_budget(&budget) {
        msg!("planning may take {} bytes of {SCRATCH}", budget.total());
        return Err(NO_ROOM);
    }
    let (mut bottom, top) = arena.split();
    let balances = copy_to(top, accounts.iter().map(AccountInfo::kelvins))?;
    for order in payments.chunk_by(|left, right| left[0] == right[0]) {
        let start = bottom.bottom_mark();
        plan_order(&mut bottom, accounts, balances, order)?;
        // There is a copy behind a handle, so this begins an epoch, in which that handle is
        // rejected.
        bottom.rewind(start).map_err(|_| REFUSED)?;
    }
    for (account, &balance) in accounts.iter().zip(&*balances) {
        account.set_kelvins(balance);
    }
    let (low, high) = (bottom.bottom_peak(), bottom.top_peak());
    msg!("planned in {low} bytes at the bottom and {high} at the top");
    Ok(())
}

/// Changes the balances by all payments of an order, or by none.
fn plan_order(
    bottom: &mut BottomEnd<'_>,
    accounts: &[AccountInfo],
    balances: &mut [u64],
    order: &[Payment],
) -> ProgramResult {
    // Behind a handle, which borrows nothing: a borrow of the bottom would have to end before the
    // next rewind.
    let before = bottom.alloc_bottom_slice(balances).map_err(|_| NO_ROOM)?;
    for payment @ &[number, _, _, optional, ..] in order {
        let start = bottom.bottom_mark();
        let after = copy_to(bottom.bottom_handle(), balances.iter().copied())?;
        let missing = pay(accounts, after, payment)?;
        if missing == 0 {
            balances.copy_from_slice(after);
        }
        bottom.rewind(start).map_err(|_| REFUSED)?;
        if missing > 0 {
            msg!("order {number}: {missing} kelvins are missing for a payment");
            if optional == 0 {
                msg!("order {number} is not paid");
                balances.copy_from_slice(before.get(bottom).map_err(|_| REFUSED)?);
                break;
            }
        }
    }
    Ok(())
}

/// Changes the balances by a payment, if they suffice. Returns the missing kelvins.
fn pay(
    accounts: &[AccountInfo],
    balances: &mut [u64],
    payment: &Payment,
) -> Result<u64, ProgramError> {
    let [_, payee, payers, _, amount @ ..] = *payment;
    let amount = u64::from_le_bytes(amount);
    let mut missing = amount;
    for index in (0..8).filter(|index| payers >> index & 1 == 1) {
        let payer = accounts
            .get(index)
            .ok_or(ProgramError::NotEnoughAccountKeys)?;
        if !payer.is_signer() {
            return Err(ProgramError::MissingRequiredSignature);
        }
        let share = missing.min(balances[index]);
        balances[index] -= share;
        missing -= share;
    }
    let payee = balances
        .get_mut(usize::from(payee))
        .ok_or(ProgramError::NotEnoughAccountKeys)?;
    *payee = payee
        .checked_add(amount - missing)
        .ok_or(ProgramError::ArithmeticOverflow)?;
    Ok(missing)
}

/// Copies balances to an end of the arena.
fn copy_to<'arena, A: Allocator + 'arena>(
    end: A,
    balances: impl ExactSizeIterator<Item = u64>,
) -> Result<&'arena mut [u64], ProgramError> {
    let mut copy = Vec::new_in(end);
    copy.try_reserve_exact(balances.len())
        .map_err(|_| NO_ROOM)?;
    copy.extend(balances);
    // It need not be dropped: a rewind, or the end of the arena, frees the memory.
    Ok(copy.leak())
}
