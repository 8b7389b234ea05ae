//! The sysvars of a host.

use alloc::vec::Vec;

use crate::Pubkey;
use crate::sysvar::{Clock, EpochRewards, EpochSchedule, Fees, LastRestartSlot, Rent};

/// The sysvars of a host.
///
/// By default the clock, the fees, the epoch rewards and the random seed are 0, and the rent and
/// the epoch schedule are those of the runtime.
///
/// ```
/// use abi::host::Sysvars;
/// use abi::sysvar::Clock;
///
/// let sysvars = Sysvars::default()
///     .clock(Clock { slot: 7, unix_timestamp_ms: 1_700_000_000_000, ..Clock::default() })
///     .random_seed(42);
/// assert_eq!(sysvars.clock.slot, 7);
/// assert_eq!(sysvars.rent.minimum_balance(0), 890_880);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sysvars {
    /// The clock.
    pub clock: Clock,
    /// The rent.
    pub rent: Rent,
    /// The epoch schedule.
    pub epoch_schedule: EpochSchedule,
    /// The fees.
    pub fees: Fees,
    /// The epoch rewards.
    pub epoch_rewards: EpochRewards,
    /// The last restart slot.
    pub last_restart_slot: LastRestartSlot,
    /// The random seed.
    pub random_seed: u64,
}

impl Sysvars {
    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the rent.
    #[must_use]
    pub fn rent(mut self, rent: Rent) -> Self {
        self.rent = rent;
        self
    }

    /// Sets the epoch schedule.
    #[must_use]
    pub fn epoch_schedule(mut self, epoch_schedule: EpochSchedule) -> Self {
        self.epoch_schedule = epoch_schedule;
        self
    }

    /// Sets the fees.
    #[must_use]
    pub fn fees(mut self, fees: Fees) -> Self {
        self.fees = fees;
        self
    }

    /// Sets the epoch rewards.
    #[must_use]
    pub fn epoch_rewards(mut self, epoch_rewards: EpochRewards) -> Self {
        self.epoch_rewards = epoch_rewards;
        self
    }

    /// Sets the slot at which the chain last restarted.
    #[must_use]
    pub fn last_restart_slot(mut self, slot: u64) -> Self {
        self.last_restart_slot.last_restart_slot = slot;
        self
    }

    /// Sets the random seed, the same for every program that asks.
    #[must_use]
    pub fn random_seed(mut self, random_seed: u64) -> Self {
        self.random_seed = random_seed;
        self
    }

    /// Returns the data of a sysvar's account, which `rlo_get_sysvar` copies from; `None` if no
    /// sysvar has this id.
    ///
    /// ```
    /// use abi::host::Sysvars;
    /// use abi::sysvar::Rent;
    ///
    /// assert_eq!(Sysvars::default().data(&Rent::ID).map(|data| data.len()), Some(17));
    /// ```
    #[must_use]
    pub fn data(&self, id: &Pubkey) -> Option<Vec<u8>> {
        match *id {
            Clock::ID => Some(self.clock.to_data().to_vec()),
            Rent::ID => Some(self.rent.to_data().to_vec()),
            EpochSchedule::ID => Some(self.epoch_schedule.to_data().to_vec()),
            Fees::ID => Some(self.fees.to_data().to_vec()),
            EpochRewards::ID => Some(self.epoch_rewards.to_data().to_vec()),
            LastRestartSlot::ID => Some(self.last_restart_slot.to_data().to_vec()),
            _ => None,
        }
    }
}
