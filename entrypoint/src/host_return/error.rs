//! The error of reading bytes from the host.

use core::fmt;

use abi::ProgramError;
use abi::packed::Malformed;

/// Why the bytes from the host cannot be read.
///
/// Converts into [`ProgramError::InvalidArgument`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostReturnError {
    /// The host had a value, and it did not fit into the scratch memory.
    NoRoom,
    /// A length without an address that means neither "nothing" nor "did not fit".
    Malformed {
        /// The length.
        length: u32,
    },
    /// Bytes that are not in scratch memory that the host got in this invocation.
    OutsideArena {
        /// The address of the first byte.
        address: u32,
        /// The number of bytes.
        length: u32,
    },
    /// The bytes are not UTF-8.
    NotUtf8 {
        /// The number of valid bytes from the start.
        valid_up_to: usize,
    },
}

impl fmt::Display for HostReturnError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => formatter.write_str(
                "the host found no room for what it had: it takes a larger arena, or more memory",
            ),
            Self::Malformed { length } => {
                write!(
                    formatter,
                    "the host passed {length} bytes without an address"
                )
            }
            Self::OutsideArena { address, length } => write!(
                formatter,
                "the host passed {length} bytes at {address:#x}, which were not handed out to it"
            ),
            Self::NotUtf8 { valid_up_to } => write!(
                formatter,
                "the host passed bytes that are no UTF-8 from byte {valid_up_to} on"
            ),
        }
    }
}

impl core::error::Error for HostReturnError {}

impl From<Malformed> for HostReturnError {
    fn from(Malformed { length }: Malformed) -> Self {
        Self::Malformed { length }
    }
}

impl From<HostReturnError> for ProgramError {
    fn from(_: HostReturnError) -> Self {
        Self::InvalidArgument
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use abi::ProgramError;

    use super::HostReturnError;

    #[test]
    fn errors_become_errors_of_the_program() {
        let error = ProgramError::from(HostReturnError::NoRoom);
        assert_eq!(error, ProgramError::InvalidArgument);
        let error = ProgramError::from(crate::host_return::HexError::OddLength { length: 1 });
        assert_eq!(error, ProgramError::InvalidInstructionData);
    }

    #[test]
    fn errors_say_what_was_passed() {
        let shown = [
            HostReturnError::NoRoom,
            HostReturnError::Malformed { length: 7 },
            HostReturnError::OutsideArena {
                address: 0x3_0008,
                length: 5,
            },
            HostReturnError::NotUtf8 { valid_up_to: 2 },
        ]
        .map(|error| error.to_string());
        assert_eq!(
            shown,
            [
                "the host found no room for what it had: it takes a larger arena, or more memory",
                "the host passed 7 bytes without an address",
                "the host passed 5 bytes at 0x30008, which were not handed out to it",
                "the host passed bytes that are no UTF-8 from byte 2 on",
            ]
        );
    }
}
