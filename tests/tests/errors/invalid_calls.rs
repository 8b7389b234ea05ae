//! An example of each reason for which the loader makes no call between programs.

use loader::{InvalidCall, InvocationError, Pubkey};

const KEY: Pubkey = Pubkey::new([2; 32]);

const PROGRAM: Pubkey = Pubkey::new([7; 32]);

pub fn invalid_calls() -> Vec<InvalidCall> {
    use InvalidCall as I;
    let (index, key, program_id) = (1, KEY, PROGRAM);
    vec![
        I::TooManyCallAccounts { count: 256 },
        I::TooManyPassedAccounts { count: 1 << 40 },
        I::CallDataTooLong { length: 10_241 },
        I::InvalidFlag {
            index,
            key,
            value: 2,
        },
        I::TooManySigners { count: 17 },
        I::TooManySeeds { index, count: 17 },
        I::SeedTooLong {
            index,
            seed: 3,
            length: 33,
        },
        I::InvalidSignerSeeds { index },
        I::UnknownAccount { index, key },
        I::MovedAccount {
            index,
            key,
            field: "address of the kelvins",
            found: 0x2_0000,
            expected: 0x3_0078,
        },
        I::MissingAccount { index, key },
        I::WritableEscalated { index, key },
        I::SignerEscalated { index, key },
        I::UnknownProgram { program_id },
        I::CallTooDeep { program_id },
        I::Reentered { program_id },
        I::TooManyCalls { limit: 64 },
        I::NoRoomInEntry {
            program_id,
            key,
            length: 10_242,
            room: 10_241,
        },
        I::NotCalled {
            program_id,
            error: InvocationError::InputTooLong {
                length: 20_000,
                limit: 10_000,
            },
        },
    ]
}
