//! What syscalls cost.

use abi::imports::Import;

mod defaults;
mod rialo;

/// What one syscall costs, in gas, over the one unit of its instruction.
///
/// A syscall costs [`base`](Self::base) once, and then the price of each range of the program's
/// memory that it reads or writes: see [`for_bytes`](Self::for_bytes). `docs/syscalls.md` lists the
/// ranges that count.
///
/// ```
/// use loader::Price;
///
/// let price = Price::fixed(85).bytes(1, 2).at_least(10);
/// assert_eq!(price.base, 85);
/// assert_eq!(price.for_bytes(0), 10);
/// assert_eq!(price.for_bytes(101), 51);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// The price of each call.
    pub base: u64,
    /// The price of each range of memory, whatever its length.
    pub per_range: u64,
    /// The least that the bytes of a range cost, over [`per_range`](Self::per_range).
    pub least: u64,
    /// The price of [`unit_bytes`](Self::unit_bytes) bytes, or part of them.
    pub per_unit: u64,
    /// For how many bytes [`per_unit`](Self::per_unit) is. If it is 0, bytes cost nothing.
    pub unit_bytes: u64,
}

impl Price {
    /// The same price for every call.
    #[must_use]
    pub const fn fixed(base: u64) -> Self {
        Self {
            base,
            per_range: 0,
            least: 0,
            per_unit: 0,
            unit_bytes: 0,
        }
    }

    /// Adds `price` for every `bytes` bytes, or part of them.
    #[must_use]
    pub const fn bytes(mut self, price: u64, bytes: u64) -> Self {
        self.per_unit = price;
        self.unit_bytes = bytes;
        self
    }

    /// Adds `price` for each range of memory.
    #[must_use]
    pub const fn per_range(mut self, price: u64) -> Self {
        self.per_range = price;
        self
    }

    /// Sets the least that the bytes of a range cost.
    #[must_use]
    pub const fn at_least(mut self, price: u64) -> Self {
        self.least = price;
        self
    }

    /// Returns the price of one range of `length` bytes. A price beyond `u64::MAX` is `u64::MAX`.
    #[must_use]
    pub const fn for_bytes(&self, length: u64) -> u64 {
        let units = match self.unit_bytes {
            0 => 0,
            bytes => length.div_ceil(bytes),
        };
        let price = units.saturating_mul(self.per_unit);
        let price = if price < self.least {
            self.least
        } else {
            price
        };
        price.saturating_add(self.per_range)
    }
}

/// A price that grows with the square of a number: `base + number * number * per / of`.
///
/// ```
/// use loader::SquarePrice;
///
/// assert_eq!(SquarePrice { base: 542, per: 61, of: 1 }.for_number(2), 786);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SquarePrice {
    /// The price of each call.
    pub base: u64,
    /// The numerator of the factor.
    pub per: u64,
    /// The denominator of the factor. If it is 0, only the base counts.
    pub of: u64,
}

impl SquarePrice {
    /// Returns the price. A price beyond `u64::MAX` is `u64::MAX`.
    #[must_use]
    pub const fn for_number(&self, number: u64) -> u64 {
        let square = number.saturating_mul(number).saturating_mul(self.per);
        match square.checked_div(self.of) {
            Some(price) => price.saturating_add(self.base),
            None => self.base,
        }
    }
}

/// What `rlo_big_mod_exp` costs, besides its row in [`Prices`]: the sum of a base, of a part that
/// grows with the square of the longest of the three numbers, and of a part that grows with the
/// work: the square of the longer of base and modulus, times the length of the exponent.
///
/// ```
/// use loader::Prices;
///
/// assert_eq!(Prices::rialo().big_mod_exp.of(32, 64), 190 + 64 * 64 / 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigModExpPrice {
    /// The part for the square of the longest number, with the price of each call.
    pub longest: SquarePrice,
    /// The numerator of the factor of the work.
    pub work_per: u64,
    /// The denominator of the factor of the work. If it is 0, the work costs nothing.
    pub work_of: u64,
}

impl BigModExpPrice {
    /// Returns the price for these lengths in bytes: that of the longer of base and modulus, and
    /// that of the exponent. A price beyond `u64::MAX` is `u64::MAX`.
    #[must_use]
    pub const fn of(&self, length: u64, exponent: u64) -> u64 {
        let longest = if length > exponent { length } else { exponent };
        let work = length.saturating_mul(length).saturating_mul(exponent);
        let work = match work.saturating_mul(self.work_per).checked_div(self.work_of) {
            Some(price) => price,
            None => 0,
        };
        self.longest.for_number(longest).saturating_add(work)
    }
}

/// The prices of one form of curve25519: what `rlo_curve_validate_point`, `rlo_curve_group_op` and
/// `rlo_curve_multiscalar_mul` cost, besides their rows in [`Prices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurvePrices {
    /// To check a point.
    pub validate: u64,
    /// To add two points.
    pub add: u64,
    /// To subtract two points.
    pub subtract: u64,
    /// To multiply a point.
    pub multiply: u64,
    /// To multiply the first of several points.
    pub multiscalar_first: u64,
    /// To multiply each further point.
    pub multiscalar_other: u64,
}

/// The prices of the curve alt_bn128: what `rlo_alt_bn128_group_op` and
/// `rlo_alt_bn128_compression` cost, besides their rows in [`Prices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AltBn128Prices {
    /// To add two points.
    pub add: u64,
    /// To multiply a point.
    pub multiply: u64,
    /// To check the first pair of a pairing.
    pub pairing_first: u64,
    /// To check each further pair.
    pub pairing_other: u64,
    /// To compress a point of G1.
    pub compress_g1: u64,
    /// To decompress a point of G1.
    pub decompress_g1: u64,
    /// To compress a point of G2.
    pub compress_g2: u64,
    /// To decompress a point of G2.
    pub decompress_g2: u64,
}

/// What every syscall costs: a [`Price`] for each, and prices for the work of some.
///
/// A loader charges by [`Prices::default`] unless [`Loader::prices`](crate::Loader::prices) sets
/// others. Every syscall takes its price off the gas before it does the work.
///
/// ```
/// use abi::imports::Import;
/// use loader::{Engine, Loader, Price, Prices};
///
/// let mut prices = Prices::rialo();
/// assert_eq!(prices.of(Import::CreateProgramAddress).base, 1_500);
/// prices.set(Import::Log, Price::fixed(50));
/// let loader = Loader::new(Engine::Interpreter)?.prices(prices);
/// # Ok::<(), loader::LoadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prices {
    /// By the position in [`Import::ALL`].
    syscalls: [Price; Import::ALL.len()],
    /// Bytes that are not the data itself: a list of addresses and lengths that a syscall reads
    /// before what they point to, and the input that the loader writes for a called program.
    pub lists: Price,
    /// The spare bytes of an account in the input of a called program, however many there are: the
    /// host prepares memory for them and copies nothing.
    pub call_account: u64,
    /// The price of each signer that a call adds by its seeds: the host derives its address.
    pub call_signer: u64,
    /// The price of the memory of the called program's instance, besides its input: data, stack and
    /// heap. The base of the call pays for 256 KiB.
    pub call_memory: Price,
    /// The heap of every program that is run, beyond its first 32 KiB.
    pub heap: Price,
    /// Points of curve25519 in Edwards form.
    pub edwards: CurvePrices,
    /// Points of curve25519 in Ristretto form.
    pub ristretto: CurvePrices,
    /// Points of alt_bn128.
    pub alt_bn128: AltBn128Prices,
    /// `rlo_poseidon`, by the number of inputs.
    pub poseidon: SquarePrice,
    /// `rlo_big_mod_exp`.
    pub big_mod_exp: BigModExpPrice,
    /// An instruction of [`SystemProgram`](crate::SystemProgram).
    pub system_program: u64,
}

impl Prices {
    /// The price of a syscall.
    #[must_use]
    pub const fn of(&self, syscall: Import) -> &Price {
        &self.syscalls[syscall as usize]
    }

    /// Sets the price of a syscall.
    pub fn set(&mut self, syscall: Import, price: Price) {
        self.syscalls[syscall as usize] = price;
    }

    /// Returns the price of a heap of this size in bytes, which each program pays when it begins.
    ///
    /// ```
    /// use loader::Prices;
    ///
    /// assert_eq!(Prices::rialo().heap(32 * 1024), 0);
    /// assert_eq!(Prices::rialo().heap(256 * 1024), 7 * 8);
    /// assert_eq!(Prices::default().heap(256 * 1024), 0);
    /// ```
    #[must_use]
    pub const fn heap(&self, size: u32) -> u64 {
        let further = size.saturating_sub(abi::heap::MIN_HEAP_LENGTH);
        self.heap.for_bytes(further as u64)
    }

    /// Returns the price of a call to another program that passes this many bytes: those of the
    /// instruction data and of the accounts' data.
    #[must_use]
    pub const fn call(&self, bytes: u64) -> u64 {
        let price = self.of(Import::InvokeSigned);
        price.base.saturating_add(price.for_bytes(bytes))
    }
}

impl Default for Prices {
    /// This project's prices. `docs/syscalls.md` lists them, and how they were measured.
    fn default() -> Self {
        defaults::prices()
    }
}

// `syscalls` is indexed by the enum's numbers.
const _: () = {
    let mut index = 0;
    while index < Import::ALL.len() {
        assert!(Import::ALL[index] as usize == index);
        index += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_do_not_overflow() {
        let price = Price::fixed(u64::MAX).bytes(u64::MAX, 1).per_range(1);
        assert_eq!(price.for_bytes(u64::MAX), u64::MAX);
        let square = SquarePrice {
            base: 1,
            per: 1,
            of: 1,
        };
        assert_eq!(square.for_number(u64::MAX), u64::MAX);
        let free = SquarePrice { of: 0, ..square };
        assert_eq!(free.for_number(9), 1);
    }

    #[test]
    fn memory_costs_what_the_contract_says() {
        let prices = Prices::default();
        for length in [0, 1, 7, 8, 9, 1 << 40] {
            let price = prices.of(Import::Memcpy).for_bytes(length);
            assert_eq!(price, abi::imports::gas_for_bytes(length));
        }
    }
}
