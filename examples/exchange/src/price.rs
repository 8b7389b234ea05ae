//! The price of a swap.

/// Thousandths of what is put in that stay in the pool as the fee.
const FEE: u128 = 3;

/// Returns how many tokens a pool pays out for `amount`, when it holds `held_in` of the tokens that
/// are put in, and `held_out` of those that are taken out.
///
/// ```
/// use exchange::amount_out;
///
/// // Nearly 2 for 1. The swap itself moves the price, and the fee is 0.3 %.
/// assert_eq!(amount_out(1_000_000, 2_000_000, 1_000), 1_992);
/// // A pool is never emptied.
/// assert_eq!(amount_out(1, 1_000, u64::MAX), 999);
/// // Nothing is paid for nothing.
/// assert_eq!(amount_out(0, 1_000, 0), 0);
/// ```
#[must_use]
pub fn amount_out(held_in: u64, held_out: u64, amount: u64) -> u64 {
    let [held_in, held_out, amount] = [held_in, held_out, amount].map(u128::from);
    // Rounded up, in favour of the pool.
    let counted = amount - (amount * FEE).div_ceil(1_000);
    // The product of two u64 fits in a u128. The result, rounded down, is less than `held_out` if
    // the pool holds anything.
    let out = (held_out * counted).checked_div(held_in + counted);
    out.unwrap_or(0) as u64
}
