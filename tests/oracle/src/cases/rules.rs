//! Accounts, and changes that a program makes of them.

use super::accounts::Account;
use super::{Key, Random};

pub const COUNT: usize = 4_000;

/// The program.
pub const PROGRAM: Key = [7; 32];

/// What a program leaves in an account's entry.
#[derive(Clone, Debug)]
pub struct After {
    pub kelvins: u64,
    pub owner: Key,
    pub length: u64,
    /// The data, as far as it is written: shorter than `length` if that is too long.
    pub data: Vec<u8>,
    /// Changes that the runtime never reads back, by offsets in the entry: key and flags.
    pub ignored: Vec<(usize, u8)>,
}

/// Accounts before and after.
pub struct Changes {
    pub accounts: Vec<Account>,
    pub after: Vec<After>,
}

pub fn case(number: usize) -> Changes {
    let mut random = Random::new(2, number);
    let owners = [PROGRAM, PROGRAM, [8; 32], [0; 32]];
    let count = 1 + random.below(4);
    let accounts: Vec<Account> = (0..count)
        .map(|number| Account::any(&mut random, number as u8, &owners))
        .collect();
    let mut after: Vec<After> = accounts.iter().map(unchanged).collect();
    for _ in 0..random.below(5) {
        change(&mut random, &accounts, &mut after);
    }
    Changes { accounts, after }
}

fn unchanged(account: &Account) -> After {
    After {
        kelvins: account.kelvins,
        owner: account.owner,
        length: account.data.len() as u64,
        data: account.data.clone(),
        ignored: Vec::new(),
    }
}

fn change(random: &mut Random, accounts: &[Account], after: &mut [After]) {
    // Half of the changes are of an account that may be changed, if there is one.
    let is_free =
        |position: &usize| accounts[*position].is_writable && accounts[*position].owner == PROGRAM;
    let free: Vec<usize> = (0..accounts.len()).filter(is_free).collect();
    let position = match free.is_empty() || random.one_in(2) {
        true => random.below(accounts.len()),
        false => random.pick(&free),
    };
    let sent = accounts[position].data.len() as u64;
    match random.below(16) {
        0..=4 => {
            let to = random.below(accounts.len());
            let amount = after[position]
                .kelvins
                .min(random.next() >> random.pick(&[40, 60]));
            after[position].kelvins -= amount;
            after[to].kelvins = after[to].kelvins.wrapping_add(amount);
        }
        5 => after[position].kelvins = random.next() >> 40,
        6..=8 => {
            let data = &mut after[position].data;
            if !data.is_empty() {
                let place = random.below(data.len());
                data[place] = random.next() as u8;
            }
        }
        9 => after[position].data.fill(0),
        10 | 11 => {
            let length = match random.below(6) {
                0 => sent + 10_240,
                1 => sent + 10_241,
                2 => random.next() >> random.below(64),
                3 => 0,
                _ => random.below(100) as u64,
            };
            after[position].length = length;
            after[position]
                .data
                .resize(length.min(sent + 10_240) as usize, 0);
        }
        12..=14 => {
            let owner = random.pick(&[PROGRAM, [8; 32], [0; 32]]);
            after[position].owner = owner;
            if random.one_in(2) {
                after[position].data.fill(0);
            }
        }
        _ => {
            let offset = random.pick(&[1, 2, 3, 8, 39]);
            after[position]
                .ignored
                .push((offset, random.next() as u8 % 3));
        }
    }
}
