//! Why a call of a handler came to nothing.

use crate::display::thousands;
use crate::error::Failure;

/// Why a call of a handler came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[non_exhaustive]
pub enum CallError {
    /// The handler does not have this export.
    #[error("the handler does not export `{export}` as a function of the type (i64) -> (i64)")]
    NoExport {
        /// The name that the host called.
        export: String,
    },
    /// The handler cannot allocate memory for the argument.
    #[error(
        "the handler cannot allocate {} bytes for the argument",
        thousands(length)
    )]
    NoRoom {
        /// Number of bytes.
        length: usize,
    },
    /// The handler did not return. The instance cannot be called any more.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The handler could not allocate memory for its result.
    #[error("the handler could not allocate its result")]
    NoRoomForAnswer,
    /// The handler's result is not a range of its memory.
    #[error("the handler returned {value:#018x}, which is not a range of its memory")]
    InvalidAnswer {
        /// The value that it returned.
        value: u64,
    },
    /// An earlier call failed, and may have stopped in the middle of a change.
    #[error("an earlier call of this instance failed; create a new instance")]
    Dead,
}

impl CallError {
    /// The stable name of the kind of error: that of the variant, or of the failure.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.kind(),
            other => other.into(),
        }
    }
}
