//! Instructions of the system program.

use super::{Key, Random};

pub const COUNT: usize = 3_000;

/// A key of an account.
#[derive(Clone, Debug)]
pub enum Name {
    Plain(Key),
    /// The address that a base, a seed and an owner give.
    Derived(Key, String, Key),
}

/// An account of the instruction.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: Name,
    pub owner: Key,
    pub kelvins: u64,
    pub data: Vec<u8>,
    pub is_signer: bool,
    pub is_writable: bool,
}

/// An instruction, and its accounts.
pub struct Instruction {
    pub data: Vec<u8>,
    pub accounts: Vec<Account>,
}

/// The program of the accounts that are not the system program's.
pub const OTHER: Key = [9; 32];

/// The instructions that the loader's program has, by their tags: all but those of nonces.
pub const TAGS: [u32; 8] = [0, 1, 2, 3, 8, 9, 10, 11];

pub fn case(number: usize) -> Instruction {
    let mut random = Random::new(7, number);
    let tag = random.pick(&TAGS);
    let base = random.pick(&[[1; 32], [2; 32]]);
    let seed = random.pick(&[
        "",
        "seed",
        "another",
        "a seed of more than thirty-two bytes",
    ]);
    // The last one ends as the marker of derived addresses, which a seed refuses.
    let mut marked = [3; 32];
    marked[11..].copy_from_slice(b"ProgramDerivedAddress");
    let owner = random.pick(&[[0; 32], OTHER, [3; 32], marked]);
    let space = match random.below(8) {
        0 => 10 << 20,
        1 => (10 << 20) + 1,
        2 => random.next(),
        _ => random.below(200) as u64,
    };
    let kelvins = match random.below(6) {
        0 => random.next(),
        _ => random.below(120) as u64,
    };
    let mut data = tag.to_le_bytes().to_vec();
    let text = |data: &mut Vec<u8>| {
        data.extend((seed.len() as u64).to_le_bytes());
        data.extend(seed.bytes());
    };
    match tag {
        0 => {
            data.extend(kelvins.to_le_bytes());
            data.extend(space.to_le_bytes());
            data.extend(owner);
        }
        1 => data.extend(owner),
        2 => data.extend(kelvins.to_le_bytes()),
        3 => {
            data.extend(base);
            text(&mut data);
            data.extend(kelvins.to_le_bytes());
            data.extend(space.to_le_bytes());
            data.extend(owner);
        }
        8 => data.extend(space.to_le_bytes()),
        9 => {
            data.extend(base);
            text(&mut data);
            data.extend(space.to_le_bytes());
            data.extend(owner);
        }
        10 => {
            data.extend(base);
            text(&mut data);
            data.extend(owner);
        }
        _ => {
            data.extend(kelvins.to_le_bytes());
            text(&mut data);
            data.extend(owner);
        }
    }
    match random.below(20) {
        0 => data.truncate(random.below(data.len() + 1)),
        1 => data.push(0),
        2 => data[0] = random.pick(&[13, 99]),
        _ => {}
    }
    // Which accounts the instruction wants, as a rule.
    let [plain, other] = [Name::Plain([1; 32]), Name::Plain([2; 32])];
    let derived = Name::Derived(base, seed.to_owned(), owner);
    let signer = Name::Plain(base);
    let wanted = match tag {
        0 | 2 => vec![plain.clone(), other.clone()],
        1 | 8 => vec![plain.clone()],
        3 => vec![plain.clone(), derived.clone(), signer],
        9 | 10 => vec![derived.clone(), signer],
        _ => vec![derived.clone(), signer, other.clone()],
    };
    let names = [plain, other, Name::Plain([4; 32]), derived];
    let count = match random.below(10) {
        0 => random.below(3),
        1 => wanted.len() + 1,
        _ => wanted.len(),
    };
    let mut accounts: Vec<Account> = Vec::new();
    for position in 0..count {
        let is_new = matches!(tag, 0 | 3) && position == 1 || matches!(tag, 8 | 9);
        let length = match random.below(if is_new { 12 } else { 6 }) {
            0 => random.below(20),
            _ => 0,
        };
        let mut data = random.bytes(length);
        if random.one_in(2) {
            data.fill(0);
        }
        let name = match wanted.get(position) {
            Some(name) if !random.one_in(12) => name.clone(),
            _ => random.pick(&names),
        };
        accounts.push(Account {
            name,
            owner: match random.below(10) {
                0 => OTHER,
                _ => [0; 32],
            },
            kelvins: match is_new && !random.one_in(6) {
                true => 0,
                false => random.pick(&[0, 100, 100, 1_000, u64::MAX - 50]),
            },
            data,
            is_signer: !random.one_in(8),
            is_writable: !random.one_in(10),
        });
    }
    Instruction { data, accounts }
}
