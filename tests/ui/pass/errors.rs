//! Enums of errors, in a crate that forbids unsafe code, without a prelude, and by another path.

#![forbid(unsafe_code)]
#![no_implicit_prelude]

use ::entrypoint::ProgramError;

mod facade {
    pub use ::entrypoint as inner;
}

const BASE: ::core::primitive::isize = 100;

/// The errors of a vault.
#[derive(ProgramError)]
pub enum VaultError {
    /// It belongs to another authority.
    WrongAuthority,
    #[error("it is open already")]
    AlreadyOpen = BASE + 1,
    NotOpen,
    r#Type = 7,
}

#[derive(::entrypoint::ProgramError)]
#[program_error(crate = facade::inner)]
#[repr(u8)]
#[non_exhaustive]
enum Small {
    Last = 255,
}

#[derive(ProgramError)]
enum Only {
    One,
}

#[allow(non_camel_case_types)]
mod shadowed {
    pub struct u32;
    pub struct u128;

    #[derive(::entrypoint::ProgramError)]
    pub enum Shadowed {
        One = 1,
    }
}

fn main() {
    let code = |error: ProgramError| match error {
        ProgramError::Custom(code) => code,
        _ => ::core::panic!("another error"),
    };
    ::core::assert_eq!(code(::core::convert::Into::into(VaultError::WrongAuthority)), 0);
    ::core::assert_eq!(code(::core::convert::Into::into(VaultError::AlreadyOpen)), 101);
    ::core::assert_eq!(code(::core::convert::Into::into(VaultError::NotOpen)), 102);
    ::core::assert_eq!(code(::core::convert::Into::into(VaultError::r#Type)), 7);
    ::core::assert_eq!(code(::core::convert::Into::into(Small::Last)), 255);
    ::core::assert_eq!(code(::core::convert::Into::into(Only::One)), 0);
    ::core::assert_eq!(code(::core::convert::Into::into(shadowed::Shadowed::One)), 1);
    let _ = (shadowed::u32, shadowed::u128);
}
