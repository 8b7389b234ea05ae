//! The instruction data of the system program.

use core::fmt;

use super::Instruction;
use crate::Pubkey;

/// The key that signs for an account, and the text that the account's key is derived from.
pub(super) struct Seed<'a> {
    pub base: Pubkey,
    pub text: &'a str,
}

/// What the system program is to do.
pub(super) enum Request<'a> {
    CreateAccount {
        seed: Option<Seed<'a>>,
        kelvins: u64,
        space: u64,
        owner: Pubkey,
    },
    Assign {
        seed: Option<Seed<'a>>,
        owner: Pubkey,
    },
    Allocate {
        seed: Option<Seed<'a>>,
        space: u64,
        /// Only with a seed.
        owner: Option<Pubkey>,
    },
    Transfer {
        kelvins: u64,
    },
    TransferWithSeed {
        kelvins: u64,
        seed: &'a str,
        owner: Pubkey,
    },
}

/// Why instruction data are not a request.
pub(super) enum Unreadable {
    NoNumber,
    UnknownNumber(u32),
    Nonce(Instruction),
    Fields(Instruction),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber => {
                formatter.write_str("the instruction data are shorter than an instruction's number")
            }
            Self::UnknownNumber(number) => {
                write!(formatter, "the system program has no instruction {number}")
            }
            Self::Nonce(instruction) => write!(
                formatter,
                "this system program has no nonce accounts, and no {}",
                instruction.name()
            ),
            Self::Fields(instruction) => write!(
                formatter,
                "the instruction data of {} are too short, or its seed is not UTF-8",
                instruction.name()
            ),
        }
    }
}

impl<'a> Request<'a> {
    /// Reads the instruction data. Bytes after the fields are ignored, as in the runtime.
    ///
    /// # Errors
    ///
    /// Why they are not a request.
    pub fn read(data: &'a [u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader(data);
        let number = reader.array().map(u32::from_le_bytes);
        let number = number.ok_or(Unreadable::NoNumber)?;
        let instruction = Instruction::from_u32(number).ok_or(Unreadable::UnknownNumber(number))?;
        if matches!(
            instruction,
            Instruction::AdvanceNonceAccount
                | Instruction::WithdrawNonceAccount
                | Instruction::InitializeNonceAccount
                | Instruction::AuthorizeNonceAccount
                | Instruction::UpgradeNonceAccount
        ) {
            return Err(Unreadable::Nonce(instruction));
        }
        reader
            .fields(instruction)
            .ok_or(Unreadable::Fields(instruction))
    }

    /// How many accounts the instruction needs at least.
    pub fn account_count(&self) -> usize {
        match self {
            Self::Assign { .. } | Self::Allocate { .. } => 1,
            Self::CreateAccount { .. } | Self::Transfer { .. } => 2,
            Self::TransferWithSeed { .. } => 3,
        }
    }
}

/// The rest of the instruction data.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn fields(&mut self, instruction: Instruction) -> Option<Request<'a>> {
        let is_seeded = matches!(
            instruction,
            Instruction::CreateAccountWithSeed
                | Instruction::AllocateWithSeed
                | Instruction::AssignWithSeed
        );
        let seed = if is_seeded {
            let base = self.key()?;
            Some(Seed {
                base,
                text: self.text()?,
            })
        } else {
            None
        };
        Some(match instruction {
            Instruction::CreateAccount | Instruction::CreateAccountWithSeed => {
                Request::CreateAccount {
                    seed,
                    kelvins: self.number()?,
                    space: self.number()?,
                    owner: self.key()?,
                }
            }
            Instruction::Assign | Instruction::AssignWithSeed => Request::Assign {
                seed,
                owner: self.key()?,
            },
            Instruction::Allocate => Request::Allocate {
                seed,
                space: self.number()?,
                owner: None,
            },
            Instruction::AllocateWithSeed => Request::Allocate {
                seed,
                space: self.number()?,
                owner: Some(self.key()?),
            },
            Instruction::Transfer => Request::Transfer {
                kelvins: self.number()?,
            },
            Instruction::TransferWithSeed => Request::TransferWithSeed {
                kelvins: self.number()?,
                seed: self.text()?,
                owner: self.key()?,
            },
            // The nonce accounts' are refused before.
            _ => return None,
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn key(&mut self) -> Option<Pubkey> {
        self.array().map(Pubkey::new)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        core::str::from_utf8(bytes).ok()
    }
}
