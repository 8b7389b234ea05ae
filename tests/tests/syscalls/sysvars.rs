//! The sysvars: `rlo_get_…_sysvar`, `rlo_get_sysvar`, `rlo_get_random_seed`.

use abi::Pubkey;
use abi::imports::Import;
use loader::sysvars::{Clock, EpochRewards, EpochSchedule, Fees, LastRestartSlot, Rent, Sysvars};
use loader::{Access, Environment};

use crate::syscalls::guest::{Number, Script};

/// Sysvars with a different value in every field.
fn sysvars() -> Sysvars {
    Sysvars::default()
        .clock(Clock {
            slot: 1,
            epoch_start_timestamp_ms: -2,
            unix_timestamp_ms: 3,
        })
        .rent(Rent {
            kelvins_per_byte_year: 4,
            exemption_threshold: 5.5,
            burn_percent: 6,
            padding: [0; 7],
        })
        .epoch_schedule(EpochSchedule {
            slots_per_epoch: 7,
            leader_schedule_slot_offset: 8,
            warmup: 1,
            padding: [0; 7],
            first_normal_epoch: 9,
            first_normal_slot: 10,
        })
        .fees(Fees {
            kelvins_per_signature: 11,
        })
        .epoch_rewards(EpochRewards {
            distribution_starting_block_height: 12,
            num_partitions: 13,
            parent_blockhash: [14; 32],
            total_points: 15 << 64,
            total_rewards: 16,
            distributed_rewards: 17,
            active: 1,
            padding: [0; 15],
        })
        .last_restart_slot(18)
        .random_seed(0x1919_1919_1919_1919)
}

fn host() -> Environment {
    Environment::new().sysvars(sysvars())
}

/// Each syscall, and the bytes that it writes.
fn structs() -> [(Import, Vec<u8>); 7] {
    let words =
        |words: &[u64]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let mut rewards = words(&[12, 13]);
    rewards.extend([14; 32]);
    rewards.extend(words(&[0, 15, 16, 17, 1, 0]));
    [
        (Import::GetClockSysvar, words(&[1, -2_i64 as u64, 3])),
        (Import::GetRentSysvar, words(&[4, 5.5_f64.to_bits(), 6])),
        (Import::GetEpochScheduleSysvar, words(&[7, 8, 1, 9, 10])),
        (Import::GetFeesSysvar, words(&[11])),
        (Import::GetEpochRewardsSysvar, rewards),
        (Import::GetLastRestartSlot, words(&[18])),
        (Import::GetRandomSeed, words(&[0x1919_1919_1919_1919])),
    ]
}

#[test]
fn each_syscall_writes_its_struct_and_no_more() {
    for (import, expected) in structs() {
        let memory = vec![0xaa; expected.len() + 16];
        let done = Script::new(import).bytes(&memory).run_with(host());
        assert_eq!(done.result, 0, "{import:?}");
        assert_eq!(&done.memory[..expected.len()], expected, "{import:?}");
        assert_eq!(&done.memory[expected.len()..], [0xaa; 16], "{import:?}");
    }
}

#[test]
fn wild_addresses_are_rejected() {
    for (import, expected) in structs() {
        let script = Script::new(import).output(expected.len());
        script.reject_wild(&[(0, expected.len() as u64, Access::Write)]);
    }
    let script = by_id(&Rent::ID, 0, 17, 17);
    script.reject_wild(&[(0, 32, Access::Read), (1, 17, Access::Write)]);
}

fn by_id(id: &Pubkey, offset: u64, length: u64, memory: usize) -> Script {
    let script = Script::new(Import::GetSysvar).bytes(id.as_bytes());
    script.output(memory).number(offset).number(length)
}

#[test]
fn a_part_of_a_sysvar_is_that_of_its_account() {
    let sysvars = sysvars();
    let all = [
        (Clock::ID, sysvars.clock.to_data().to_vec()),
        (Rent::ID, sysvars.rent.to_data().to_vec()),
        (EpochSchedule::ID, sysvars.epoch_schedule.to_data().to_vec()),
        (Fees::ID, sysvars.fees.to_data().to_vec()),
        (EpochRewards::ID, sysvars.epoch_rewards.to_data().to_vec()),
        (
            LastRestartSlot::ID,
            sysvars.last_restart_slot.to_data().to_vec(),
        ),
    ];
    for (id, data) in all {
        let length = data.len();
        for (offset, end) in [(0, length), (1, length), (length, length), (3, 5), (0, 0)] {
            let part = (end - offset) as u64;
            let done = by_id(&id, offset as u64, part, length).run_with(host());
            assert_eq!(done.result, 0, "{id}");
            assert_eq!(done.argument(1, end - offset), &data[offset..end], "{id}");
        }
        // One byte too many, and sums that do not fit.
        for (offset, part) in [(1, length as u64), (u64::MAX, 1), (u64::MAX, 0)] {
            let done = by_id(&id, offset, part, length).run_with(host());
            assert_eq!(done.result, 1, "{id}");
            assert_eq!(done.argument(1, length), vec![0; length], "{id}");
        }
    }
    let unknown = Pubkey::new([5; 32]);
    assert_eq!(by_id(&unknown, 0, 8, 8).run_with(host()).result, 2);
}

#[test]
fn a_wild_length_does_not_allocate() {
    for length in [1 << 31, 1 << 40, u64::MAX] {
        let failure = by_id(&Clock::ID, 0, 0, 8).with(3, Number(length)).fail();
        assert!(
            matches!(failure.kind(), "InvalidPointer" | "OutOfGas"),
            "{failure}"
        );
    }
}
