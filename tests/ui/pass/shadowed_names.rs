//! Names of the program that the expansion could confuse with others.

#[allow(dead_code)]
mod core {}

#[allow(dead_code)]
mod guest {}

#[allow(dead_code)]
struct ProcessInstruction;

type ProgramResult = ::core::result::Result<(), ::entrypoint::ProgramError>;

mod program {
    #[allow(dead_code)]
    mod entrypoint {}

    #[allow(dead_code)]
    struct Option;

    #[allow(dead_code, non_camel_case_types)]
    struct u8;

    #[allow(dead_code, non_camel_case_types)]
    struct u64;

    #[allow(dead_code, non_camel_case_types)]
    struct usize;

    ::entrypoint::entrypoint!(super::process);
}

fn process(
    _program_id: &::entrypoint::Pubkey,
    _accounts: &[::entrypoint::AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    Ok(())
}

fn main() {}
