//! Serialized inputs.

use super::accounts::Account;
use super::{Key, Random};

pub const COUNT: usize = 1_500;

/// An invocation.
pub struct Input {
    pub program_id: Key,
    pub data: Vec<u8>,
    pub accounts: Vec<Account>,
    /// The list: positions in `accounts`, repeats included.
    pub list: Vec<usize>,
}

pub fn case(number: usize) -> Input {
    let mut random = Random::new(1, number);
    let program_id = random.key();
    let owners = [program_id, random.key(), [0; 32]];
    let count = match random.below(20) {
        0 => random.below(255),
        _ => random.below(6),
    };
    let accounts: Vec<Account> = (0..count)
        .map(|number| Account::any(&mut random, number as u8, &owners))
        .collect();
    let mut list: Vec<usize> = Vec::new();
    for position in 0..count {
        list.push(position);
        // Repeats of an account that has come, of the one before or of any other.
        while list.len() + count - position < 255 && random.one_in(3) {
            let repeat = list[random.below(list.len())];
            list.push(repeat);
        }
    }
    // The runtime takes 255 entries at most.
    list.truncate(255);
    let used = list.iter().max().map_or(0, |last| last + 1);
    let length = random.below(40);
    Input {
        program_id,
        data: random.bytes(length),
        accounts: accounts[..used].to_vec(),
        list,
    }
}
