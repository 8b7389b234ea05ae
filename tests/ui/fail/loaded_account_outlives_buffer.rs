//! The data of a loaded account lies in the buffer, so the buffer cannot be used for another.

use entrypoint::{AccountBuffer, ProgramError, Pubkey, load_account};

fn main() -> Result<(), ProgramError> {
    let mut buffer = AccountBuffer::<8>::new();
    let first = load_account(&Pubkey::new([1; 32]), &mut buffer)?.data();
    let second = load_account(&Pubkey::new([2; 32]), &mut buffer)?.data();
    assert_eq!(first, second);
    Ok(())
}
