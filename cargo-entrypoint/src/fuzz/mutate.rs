//! Changes to an invocation: its data, its accounts, and their flags.

use loader::{AccountEntry, AccountInput, Data, Invocation, Pubkey};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

/// The longest instruction data and account data that changes make, unless a seed is longer.
const MAX_BYTES: usize = 1_024;

/// The most accounts that changes make, unless a seed has more.
const MAX_ACCOUNTS: usize = 8;

/// The largest number that a fixture can have.
const MAX_KELVINS: u64 = i64::MAX as u64;

/// Numbers at which programs often go wrong.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    i64::MAX as u64,
    i64::MIN as u64,
    u64::MAX,
];

/// Makes changes. Keeps the pairs of numbers that the program compared.
pub struct Mutator {
    random: Xoshiro256PlusPlus,
}

impl Mutator {
    pub fn new(random: Xoshiro256PlusPlus) -> Self {
        Self { random }
    }

    /// A place in a list of this length, which is not empty.
    pub fn below(&mut self, length: usize) -> usize {
        self.random.random_range(0..length)
    }

    /// An invocation with one to a few changes. `other` is another input to take parts of, and
    /// `compared` has the numbers that the program compared when it ran this input.
    pub fn change(
        &mut self,
        invocation: &Invocation,
        other: &Invocation,
        compared: &[(u64, u64)],
    ) -> Invocation {
        let mut changed = invocation.clone();
        // One change most often, and sometimes many.
        let changes = 1 << self.random.random_range(0..4_u32);
        for _ in 0..self.random.random_range(1..=changes) {
            match self.random.random_range(0..10_u32) {
                0..=4 => {
                    let mut data = std::mem::take(&mut changed.data);
                    self.change_bytes(&mut data, &other.data, compared);
                    changed.data = data;
                }
                5..=7 => self.change_account(&mut changed, other, compared),
                8 => self.change_list(&mut changed, other),
                _ => self.change_key(&mut changed),
            }
        }
        changed
    }

    fn change_bytes(&mut self, bytes: &mut Vec<u8>, other: &[u8], compared: &[(u64, u64)]) {
        let place = match bytes.len() {
            0 => 0,
            length => self.below(length),
        };
        match self.random.random_range(0..9_u32) {
            0 if !bytes.is_empty() => bytes[place] ^= 1 << self.random.random_range(0..8_u32),
            1 if !bytes.is_empty() => bytes[place] = self.random.next_u32() as u8,
            2 if !bytes.is_empty() => {
                let change = self.random.random_range(1..=16_u8);
                let is_up = self.random.random_bool(0.5);
                let byte = bytes[place];
                bytes[place] = if is_up {
                    byte.wrapping_add(change)
                } else {
                    byte.wrapping_sub(change)
                };
            }
            3 => {
                let number = NUMBERS[self.below(NUMBERS.len())];
                self.put(bytes, place, number);
            }
            4 if bytes.len() < MAX_BYTES => {
                let count = self.random.random_range(1..=8);
                let byte = self.random.next_u32() as u8;
                bytes.splice(place..place, std::iter::repeat_n(byte, count));
            }
            5 if !bytes.is_empty() => {
                let end = (place + self.random.random_range(1..=8)).min(bytes.len());
                bytes.drain(place..end);
            }
            6 if !other.is_empty() => {
                let start = self.below(other.len());
                let end = (start + self.random.random_range(1..=32)).min(other.len());
                let length = (end - start).min(bytes.len() - place);
                bytes[place..place + length].copy_from_slice(&other[start..start + length]);
            }
            _ => self.replace_compared(bytes, compared),
        }
    }

    /// Writes a number of 1, 2, 4 or 8 bytes.
    fn put(&mut self, bytes: &mut Vec<u8>, place: usize, number: u64) {
        let length = 1 << self.random.random_range(0..4_u32);
        if bytes.len() < place + length && bytes.len() < MAX_BYTES {
            bytes.resize(place + length, 0);
        }
        let length = length.min(bytes.len() - place);
        bytes[place..place + length].copy_from_slice(&number.to_le_bytes()[..length]);
    }

    /// Puts what the program compared a part of the bytes with in its place.
    fn replace_compared(&mut self, bytes: &mut Vec<u8>, compared: &[(u64, u64)]) {
        let Some((mut found, mut wanted)) = compared.choose(&mut self.random).copied() else {
            return;
        };
        if self.random.random_bool(0.5) {
            std::mem::swap(&mut found, &mut wanted);
        }
        // Programs compare lengths, too.
        if self.random.random_bool(0.1)
            && found == bytes.len() as u64
            && let Ok(length) = usize::try_from(wanted)
            && length <= MAX_BYTES
        {
            bytes.resize(length, 0);
            return;
        }
        // One off, because a limit is often the wrong one by one.
        let wanted = match self.random.random_range(0..8_u32) {
            0 => wanted.wrapping_add(1),
            1 => wanted.wrapping_sub(1),
            _ => wanted,
        };
        let shortest = match found {
            0..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        let length = shortest << self.random.random_range(0..3_u32);
        let length = length.min(8);
        let found = &found.to_le_bytes()[..length];
        let windows = bytes.windows(length).enumerate();
        let places: Vec<usize> = windows
            .filter(|(_, window)| *window == found)
            .map(|(place, _)| place)
            .collect();
        if let Some(place) = places.choose(&mut self.random) {
            bytes[*place..place + length].copy_from_slice(&wanted.to_le_bytes()[..length]);
        }
    }

    fn change_account(
        &mut self,
        invocation: &mut Invocation,
        other: &Invocation,
        compared: &[(u64, u64)],
    ) {
        let program_id = invocation.program_id;
        if invocation.accounts.is_empty() {
            return;
        }
        let index = self.below(invocation.accounts.len());
        let others_data = match other.accounts.choose(&mut self.random) {
            Some(AccountEntry::First(input)) => input.account.data.clone(),
            _ => Data::new(),
        };
        let AccountEntry::First(input) = &mut invocation.accounts[index] else {
            return;
        };
        match self.random.random_range(0..10_u32) {
            0 => input.is_signer = !input.is_signer,
            1 => input.is_writable = !input.is_writable,
            2 => input.account.kelvins = NUMBERS[self.below(NUMBERS.len())] & MAX_KELVINS,
            3 => {
                let kelvins = self.random.next_u64() >> self.random.random_range(0..64_u32);
                input.account.kelvins = kelvins & MAX_KELVINS;
            }
            4 => {
                let owners = [program_id, Pubkey::default(), input.account.key];
                input.account.owner = owners[self.below(owners.len())];
            }
            _ => self.change_bytes(&mut input.account.data, &others_data, compared),
        }
    }

    /// Adds, removes, repeats or exchanges accounts.
    fn change_list(&mut self, invocation: &mut Invocation, other: &Invocation) {
        let count = invocation.accounts.len();
        match self.random.random_range(0..5_u32) {
            0 if count > 0 => remove(invocation, self.below(count)),
            1 if count > 0 && count < MAX_ACCOUNTS => {
                let index = self.below(count);
                let first = match invocation.accounts[index] {
                    AccountEntry::First(_) => index,
                    AccountEntry::Repeat(first) => first,
                };
                invocation.accounts.push(AccountEntry::Repeat(first));
            }
            2 if count < MAX_ACCOUNTS => {
                let mut key = [0; 32];
                self.random.fill_bytes(&mut key);
                let account = AccountInput::new(Pubkey::new(key)).owner(invocation.program_id);
                invocation.accounts.push(AccountEntry::First(account));
            }
            3 if count < MAX_ACCOUNTS => {
                if let Some(entry @ AccountEntry::First(_)) =
                    other.accounts.choose(&mut self.random)
                {
                    invocation.accounts.push(entry.clone());
                }
            }
            _ if count > 1 => {
                // Repeats refer to places, so only those of first occurrences change.
                let (left, right) = (self.below(count), self.below(count));
                let is_first =
                    |index: usize| matches!(invocation.accounts[index], AccountEntry::First(_));
                if is_first(left) && is_first(right) {
                    invocation.accounts.swap(left, right);
                }
            }
            _ => {}
        }
    }

    /// Puts a key of the invocation where a program may compare it: into data.
    fn change_key(&mut self, invocation: &mut Invocation) {
        let mut keys = vec![invocation.program_id];
        for entry in &invocation.accounts {
            if let AccountEntry::First(input) = entry {
                keys.extend([input.account.key, input.account.owner]);
            }
        }
        let key = keys[self.below(keys.len())];
        let index = self.below(invocation.accounts.len() + 1);
        let bytes = match invocation.accounts.get_mut(index) {
            None => &mut invocation.data,
            Some(AccountEntry::First(input)) => &mut input.account.data,
            Some(AccountEntry::Repeat(_)) => return,
        };
        if let Some(last) = bytes.len().checked_sub(key.as_bytes().len()) {
            let place = self.random.random_range(0..=last / 8) * 8;
            bytes[place..place + 32].copy_from_slice(key.as_bytes());
        }
    }
}

/// Removes an account with its repeats.
pub fn remove(invocation: &mut Invocation, index: usize) {
    let mut kept = Vec::with_capacity(invocation.accounts.len());
    for (position, entry) in invocation.accounts.drain(..).enumerate() {
        match entry {
            _ if position == index => {}
            AccountEntry::Repeat(first) if first == index => {}
            entry => kept.push((position, entry)),
        }
    }
    let places: Vec<usize> = kept.iter().map(|(position, _)| *position).collect();
    invocation.accounts = kept
        .into_iter()
        .map(|(_, entry)| match entry {
            AccountEntry::Repeat(first) => {
                AccountEntry::Repeat(places.iter().position(|place| *place == first).unwrap_or(0))
            }
            first => first,
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn invocation() -> Invocation {
        let account = |byte| AccountInput::new(Pubkey::new([byte; 32])).data([byte; 40]);
        Invocation::new(Pubkey::new([9; 32]))
            .account(account(1))
            .account(account(2))
            .repeat(1)
            .data([1, 2, 3, 4])
    }

    #[test]
    fn removed_accounts_take_their_repeats_along() {
        let mut changed = invocation();
        remove(&mut changed, 0);
        assert_eq!(changed.accounts[1], AccountEntry::Repeat(0));
        remove(&mut changed, 0);
        assert!(changed.accounts.is_empty());
    }

    #[test]
    fn compared_number_comes_into_the_data() {
        let mut mutator = Mutator::new(Xoshiro256PlusPlus::seed_from_u64(1));
        let other = Invocation::new(Pubkey::default());
        let compared = [(0x0403_0201, u64::from(u32::from_le_bytes(*b"fuzz")))];
        let is_found = (0..10_000).any(|_| {
            let changed = mutator.change(&invocation(), &other, &compared);
            changed.data == b"fuzz"
        });
        assert!(is_found);
    }
}
