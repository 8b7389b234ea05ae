//! One compile shows every mistake in an enum of errors.

use entrypoint::ProgramError;

#[derive(ProgramError)]
#[program_error(path = entrypoint)]
enum VaultError<T> {
    WrongAuthority(T),
    TooMuch { asked: u64 },
    #[error(7)]
    NoText,
    #[error("one text")]
    #[error("another text")]
    TwoTexts,
    #[error("zero \0 byte")]
    ZeroByte,
}

#[derive(ProgramError)]
enum NegativeCode {
    Negative = -1,
}

#[derive(ProgramError)]
#[program_error(crate = entrypoint)]
#[program_error(crate = entrypoint)]
enum TwoPaths {
    One,
}

fn main() {
    // Nothing more is reported here.
    let _: ProgramError = NegativeCode::Negative.into();
    let _: ProgramError = TwoPaths::One.into();
}
