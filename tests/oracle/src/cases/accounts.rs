//! Accounts, and lists of them.

use super::{Key, Random};

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    pub key: Key,
    pub owner: Key,
    pub kelvins: u64,
    pub data: Vec<u8>,
    pub executable: bool,
    pub rent_epoch: u64,
    pub is_signer: bool,
    pub is_writable: bool,
}

/// The bytes of accounts after an instruction, to be hashed.
pub fn state<'a>(accounts: impl Iterator<Item = (Key, u64, &'a [u8])>) -> String {
    let mut bytes = Vec::new();
    for (owner, kelvins, data) in accounts {
        bytes.extend(owner);
        bytes.extend(kelvins.to_le_bytes());
        bytes.extend((data.len() as u64).to_le_bytes());
        bytes.extend(data);
    }
    super::hash(&bytes)
}

impl Account {
    /// An account of one of some owners.
    pub fn any(random: &mut Random, number: u8, owners: &[Key]) -> Self {
        let length = match random.below(6) {
            0 => 0,
            1 => random.below(200),
            _ => random.below(40),
        };
        let mut data = random.bytes(length);
        if random.one_in(3) {
            data.fill(0);
        }
        let mut key = random.key();
        key[0] = number;
        Self {
            key,
            owner: random.pick(owners),
            kelvins: random.next() >> random.pick(&[24, 40, 56, 63]),
            data,
            executable: random.one_in(10),
            rent_epoch: random.pick(&[0, 1, u64::MAX]),
            is_signer: random.one_in(2),
            is_writable: !random.one_in(4),
        }
    }
}
