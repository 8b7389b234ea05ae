//! Whether the Rialo runtime deploys a blob, and what that costs.
//!
//! ```
//! use loader::deploy::{self, NotDeployable};
//!
//! let blob = program_test::build("../examples/hello");
//! assert_eq!(deploy::check(&blob), Ok(()));
//! // Each byte costs 6,960 kelvins, and so do 128 bytes for the account itself.
//! assert_eq!(deploy::rent(1_000), (1_000 + 128) * 6_960);
//! // A blob that this loader runs, with an instruction set that the runtime's machine lacks.
//! let newer = b"PVM\0\x02\x15\0\0\0\0\0\0\0\x06\x05\0\0\0\0\0\0";
//! assert!(matches!(deploy::check(newer), Err(NotDeployable::InstructionSet { .. })));
//! ```

use abi::entry::ENTRYPOINT_EXPORT;
use polkavm::program::InstructionSetKind;
use polkavm::{ArcBytes, ProgramBlob, ProgramParts};

use crate::backend::polkavm::validate;
use crate::display::{escape_control, thousands};
use crate::sysvars::Rent;

/// The largest stack of a program that the runtime deploys, in bytes.
pub const MAX_STACK: u32 = 256 << 10;

/// Why the Rialo runtime does not deploy a blob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind"))]
#[non_exhaustive]
pub enum NotDeployable {
    /// The machine cannot read the blob.
    #[error("the blob is not valid: {}", escape_control(reason))]
    InvalidBlob {
        /// The reason.
        reason: String,
    },
    /// The blob is for another instruction set than that of the runtime's machine, PolkaVM 0.26.
    #[error(
        "the blob has the instruction set {found}, and the runtime's machine has revive_v1; build \
         it with `cargo entrypoint build`"
    )]
    InstructionSet {
        /// The instruction set of the blob.
        found: &'static str,
    },
    /// The blob is for 32 bits.
    #[error("the blob is a 32-bit program; build it for riscv64 with `cargo entrypoint build`")]
    Not64Bit,
    /// The stack is larger than the runtime allows.
    #[error(
        "the program has {} bytes of stack; the runtime allows {}: lower `stack` in its \
         `package.metadata.entrypoint`",
        thousands(size),
        thousands(MAX_STACK)
    )]
    StackTooLarge {
        /// The stack in bytes.
        size: u32,
    },
    /// The program has no entry.
    #[error("the blob does not export `entrypoint`; a program invokes `entrypoint!`")]
    MissingEntrypoint,
}

/// Checks a blob as the Rialo runtime does before it deploys the program (crate
/// `rialo-s-program-runtime` 0.23.0-alpha.0, `ProgramCacheEntry::new_risc_v`).
///
/// # Errors
///
/// The first rule that the blob breaks, in the runtime's order.
pub fn check(blob: &[u8]) -> Result<(), NotDeployable> {
    let invalid = |error: polkavm::program::ProgramParseError| NotDeployable::InvalidBlob {
        reason: error.to_string(),
    };
    let blob = ArcBytes::from(blob);
    let parts = ProgramParts::from_bytes(blob.clone()).map_err(invalid)?;
    match parts.isa {
        InstructionSetKind::ReviveV1 => {}
        InstructionSetKind::Latest32 => return Err(NotDeployable::Not64Bit),
        other => {
            return Err(NotDeployable::InstructionSet {
                found: other.name(),
            });
        }
    }
    let size = parts.stack_size;
    if size > MAX_STACK {
        return Err(NotDeployable::StackTooLarge { size });
    }
    let blob = ProgramBlob::parse(blob).map_err(invalid)?;
    match validate::exports_named(&blob, ENTRYPOINT_EXPORT).next() {
        Some(_) => Ok(()),
        None => Err(NotDeployable::MissingEntrypoint),
    }
}

/// The kelvins that the account of a deployed blob of so many bytes holds, so that it is exempt
/// from the [default rent](Rent).
#[must_use]
pub fn rent(length: u64) -> u64 {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Rent::default().minimum_balance(length)
}
