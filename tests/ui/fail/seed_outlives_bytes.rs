//! A seed borrows its bytes.

use entrypoint::{Pubkey, Seed, create_program_address};

fn main() {
    let bump = 254;
    let seeds = [Seed::from("vault"), Seed::from(&[bump])];
    let _ = create_program_address(&seeds, &Pubkey::new([1; 32]));
}
