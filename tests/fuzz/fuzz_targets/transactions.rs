//! Any bytes as transactions of the guest `bank`, which has a planted mistake.
#![no_main]

use program_test::random::fuzz::Start;
use program_test::{TestLedger, key, program};

const HOLDERS: [&str; 3] = ["vault", "alice", "bob"];

program_test::fuzz!(start, |ledger, _| {
    let balances = HOLDERS.map(|holder| ledger.data_as::<u64>(key(holder)));
    assert_eq!(balances.iter().sum::<u64>(), 1_000, "money was made");
});

/// The vault has all the money.
fn start() -> Start {
    let mut ledger = TestLedger::new();
    let bank = ledger.deploy(program!("../guests/bank"));
    let accounts = HOLDERS.map(key).to_vec();
    for (account, balance) in accounts.iter().zip([1_000_u64, 0, 0]) {
        ledger.create(*account, bank, balance);
    }
    Start {
        ledger,
        programs: vec![bank],
        accounts,
    }
}
