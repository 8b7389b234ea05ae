//! This project's prices. Those of hashes and cryptography were measured: one unit for 10 ns of the
//! host's time. `docs/syscalls.md` says how.

use abi::imports::Import;

use super::{AltBn128Prices, BigModExpPrice, CurvePrices, Price, Prices, SquarePrice};

/// The price of memory that a syscall touches: that of [`abi::imports::gas_for_bytes`].
const TOUCHED: Price = Price::fixed(0).bytes(1, 8);

pub(super) fn prices() -> Prices {
    Prices {
        syscalls: std::array::from_fn(|index| of(Import::ALL[index])),
        lists: TOUCHED,
        call_account: 40,
        call_signer: 1_500,
        call_memory: Price::fixed(0).bytes(1, 64),
        heap: Price::fixed(0),
        edwards: CurvePrices {
            validate: 1_000,
            add: 2_500,
            subtract: 2_500,
            multiply: 10_000,
            multiscalar_first: 10_000,
            multiscalar_other: 5_000,
        },
        ristretto: CurvePrices {
            validate: 1_000,
            add: 2_500,
            subtract: 2_500,
            multiply: 10_000,
            multiscalar_first: 10_000,
            multiscalar_other: 5_000,
        },
        alt_bn128: AltBn128Prices {
            add: 1_000,
            multiply: 20_000,
            pairing_first: 200_000,
            pairing_other: 80_000,
            compress_g1: 500,
            decompress_g1: 2_000,
            compress_g2: 500,
            decompress_g2: 10_000,
        },
        poseidon: SquarePrice {
            base: 3_000,
            per: 400,
            of: 1,
        },
        big_mod_exp: BigModExpPrice {
            longest: SquarePrice {
                base: 1_000,
                per: 1,
                of: 1,
            },
            work_per: 1,
            work_of: 8,
        },
        system_program: 150,
    }
}

fn of(syscall: Import) -> Price {
    match syscall {
        // The called program runs in an instance of its own.
        Import::InvokeSigned | Import::InvokeSignedC => Price {
            base: 250,
            ..TOUCHED
        },
        // The difference of the first unequal pair has 4 bytes.
        Import::Memcmp => Price::fixed(1).bytes(2, 8),
        Import::CreateProgramAddress | Import::TryFindProgramAddress => Price::fixed(1_500),
        // The id has 32 bytes.
        Import::GetSysvar => Price { base: 4, ..TOUCHED },
        Import::Sha256 | Import::Keccak256 | Import::Blake3 => {
            Price::fixed(60).bytes(1, 2).per_range(10)
        }
        Import::Secp256k1Recover => Price::fixed(25_000),
        _ => TOUCHED,
    }
}
