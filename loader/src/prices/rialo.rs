//! The prices that the Rialo runtime publishes.

use abi::imports::Import;

use super::{AltBn128Prices, BigModExpPrice, CurvePrices, Price, Prices, SquarePrice};

/// A syscall without any work.
const SYSCALL: Price = Price::fixed(100);

/// Work on memory: 10 at least, and one unit for 250 bytes.
const MEMORY: Price = Price::fixed(0).bytes(1, 250).at_least(10);

impl Prices {
    /// The prices that the Rialo runtime publishes (crate `rialo-s-compute-budget` 0.23.0-alpha.0,
    /// `ComputeBudget`), as the Solana family's runtime uses them (crate `solana-syscalls`).
    ///
    /// No published crate has the part of the runtime that runs programs for RISC-V, so no one
    /// outside can check that it charges these prices. A part of a unit is rounded up here. The
    /// runtime publishes no prices for loading an account and for a random seed: here they cost as
    /// much as a call to another program, and as a sysvar.
    ///
    /// ```
    /// use abi::imports::Import;
    /// use loader::Prices;
    ///
    /// let prices = Prices::rialo();
    /// assert_eq!(prices.of(Import::Log).for_bytes(5), 100);
    /// assert_eq!(prices.call(500), 1_002);
    /// ```
    #[must_use]
    pub fn rialo() -> Self {
        Self {
            syscalls: std::array::from_fn(|index| of(Import::ALL[index])),
            lists: Price::fixed(0),
            call_account: 0,
            call_signer: 0,
            call_memory: Price::fixed(0),
            heap: Price::fixed(0).bytes(8, 32 << 10),
            edwards: CurvePrices {
                validate: 159,
                add: 473,
                subtract: 475,
                multiply: 2_177,
                multiscalar_first: 2_273,
                multiscalar_other: 758,
            },
            ristretto: CurvePrices {
                validate: 169,
                add: 521,
                subtract: 519,
                multiply: 2_208,
                multiscalar_first: 2_303,
                multiscalar_other: 788,
            },
            alt_bn128: AltBn128Prices {
                add: 334,
                multiply: 3_840,
                pairing_first: 36_364,
                pairing_other: 12_121,
                compress_g1: 30,
                decompress_g1: 398,
                compress_g2: 86,
                decompress_g2: 13_610,
            },
            poseidon: SquarePrice {
                base: 542,
                per: 61,
                of: 1,
            },
            big_mod_exp: BigModExpPrice {
                longest: SquarePrice {
                    base: 190,
                    per: 1,
                    of: 2,
                },
                work_per: 0,
                work_of: 0,
            },
            system_program: 150,
        }
    }
}

fn of(syscall: Import) -> Price {
    match syscall {
        Import::Log => Price::fixed(0).bytes(1, 1).at_least(100),
        Import::SetReturnData | Import::GetReturnData => SYSCALL.bytes(1, 250),
        Import::Abort => Price::fixed(0),
        Import::Memcpy | Import::Memmove | Import::Memset | Import::Memcmp => MEMORY,
        Import::InvokeSigned | Import::InvokeSignedC | Import::LoadAccount => {
            Price::fixed(1_000).bytes(1, 250)
        }
        Import::CreateProgramAddress | Import::TryFindProgramAddress => Price::fixed(1_500),
        Import::GetClockSysvar
        | Import::GetRentSysvar
        | Import::GetEpochScheduleSysvar
        | Import::GetFeesSysvar
        | Import::GetEpochRewardsSysvar
        | Import::GetLastRestartSlot
        | Import::GetRandomSeed => SYSCALL.bytes(1, 1),
        Import::GetSysvar => Price {
            base: 100,
            ..MEMORY
        },
        Import::LogData => SYSCALL.bytes(1, 1).per_range(100),
        Import::Sha256 | Import::Keccak256 | Import::Blake3 => {
            Price::fixed(85).bytes(1, 2).at_least(10)
        }
        Import::Log64
        | Import::LogPubkey
        | Import::LogComputeUnits
        | Import::RemainingComputeUnits
        | Import::GetStackHeight
        | Import::GetProcessedSiblingInstruction
        | Import::AltBn128Compression => SYSCALL,
        Import::Secp256k1Recover => Price::fixed(25_000),
        // `Prices` has the prices of the operations.
        Import::CurveValidatePoint
        | Import::CurveGroupOp
        | Import::CurveMultiscalarMul
        | Import::AltBn128GroupOp
        | Import::Poseidon => Price::fixed(0),
        Import::BigModExp => SYSCALL,
    }
}
