//! The accounts and the sysvars at one moment.

use std::sync::Arc;

use imbl::OrdMap;
use loader::sysvars::{Clock, EpochRewards, EpochSchedule, Fees, LastRestartSlot, Rent, Sysvars};
use loader::{Account, Pubkey, ids};

/// An address as a key of a tree: in the order of its bytes, which four numbers compare faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address([u64; 4]);

impl From<&Pubkey> for Address {
    fn from(key: &Pubkey) -> Self {
        let (numbers, _) = key.as_bytes().as_chunks();
        Self([0, 1, 2, 3].map(|index| u64::from_be_bytes(numbers[index])))
    }
}

/// The accounts and the sysvars at one moment. A clone takes the same short time whatever the
/// number of accounts, because it shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub accounts: OrdMap<Address, Arc<Account>>,
    pub sysvars: Arc<Sysvars>,
}

/// A change of an account: its new state, or that it does not exist any more.
pub(crate) type Change = (Pubkey, Option<Arc<Account>>);

/// What an execution reads accounts from.
pub(crate) trait View: Send + Sync + 'static {
    /// The account with this address, if it exists. Sysvars have accounts.
    fn account(&self, key: &Pubkey) -> Option<Arc<Account>>;
}

impl View for State {
    fn account(&self, key: &Pubkey) -> Option<Arc<Account>> {
        let account = self.accounts.get(&Address::from(key));
        account
            .cloned()
            .or_else(|| sysvar_account(&self.sysvars, key).map(Arc::new))
    }
}

impl State {
    /// Applies changes.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) {
        for (key, account) in changes {
            let key = Address::from(&key);
            match (account, self.accounts.get_mut(&key)) {
                (Some(account), Some(place)) => *place = account,
                (Some(account), None) => drop(self.accounts.insert(key, account)),
                (None, _) => drop(self.accounts.remove(&key)),
            }
        }
    }
}

/// The ids of the sysvars that have accounts.
const SYSVARS: [Pubkey; 6] = [
    Clock::ID,
    Rent::ID,
    EpochSchedule::ID,
    Fees::ID,
    EpochRewards::ID,
    LastRestartSlot::ID,
];

/// Whether this is the address of a sysvar, which no transaction can change.
pub(crate) fn is_sysvar(key: &Pubkey) -> bool {
    SYSVARS.contains(key) || *key == ids::INSTRUCTIONS
}

/// The account of a sysvar.
fn sysvar_account(sysvars: &Sysvars, key: &Pubkey) -> Option<Account> {
    let data = sysvars.data(key)?;
    Some(Account {
        key: *key,
        owner: ids::SYSVAR_OWNER,
        kelvins: sysvars.rent.minimum_balance(data.len()),
        data: data.into(),
        ..Account::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_order_of_keys() {
        let mut keys: Vec<Pubkey> = (0..32)
            .flat_map(|at| [1, 127, 128, 255].map(|byte| (at, byte)))
            .map(|(at, byte)| {
                let mut bytes = [0; 32];
                bytes[at] = byte;
                Pubkey::new(bytes)
            })
            .collect();
        keys.sort_by_key(|key| Address::from(key));
        assert!(keys.is_sorted());
    }
}
