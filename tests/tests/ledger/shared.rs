//! What the instructions of one transaction share: the list of them, and the runtime's limits.

use std::sync::LazyLock;

use asks::{Command, ID};
use ledger::{Account, AccountMeta, Instruction, Ledger, Transaction};
use loader::{Engine, Failure, InvalidCall, Limits, Loader, Pubkey, Runtime, ids};

const OWNED: Pubkey = Pubkey::new([7; 32]);

/// A ledger with the guest `asks`, and an account that it owns.
fn ledger(limits: Limits) -> Ledger {
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter runs everywhere");
    let mut ledger = Ledger::with_loader(loader.as_on(Runtime::Rialo).limits(limits));
    static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| program_test::build(tests::guest("asks")));
    ledger.deploy(ID, &FILE).expect("a program");
    let account = Account {
        key: OWNED,
        owner: ID,
        kelvins: 1 << 40,
        ..Account::default()
    };
    ledger.set_account(account).expect("memory");
    ledger
}

fn asks(command: Command, rest: &[u8]) -> Instruction {
    Instruction::new(ID)
        .account(AccountMeta::writable(OWNED))
        .data(command.data(rest))
}

#[test]
fn instructions_see_those_before_them() {
    let ledger = ledger(Limits::rialo());
    let first = asks(Command::Events, &[]);
    let second = asks(Command::Change, &u64::to_le_bytes(5));
    for (index, sibling) in [(0, &second), (1, &first)] {
        let ask = asks(Command::Sibling, &u64::to_le_bytes(index));
        let outcome = ledger.simulate([first.clone(), second.clone(), ask]);
        assert_eq!(outcome.error, None);
        let found = outcome.return_data();
        assert_eq!(&found[..32], ID.as_ref());
        assert_eq!(&found[32..][..sibling.data.len()], sibling.data);
    }
    // The transaction lists the sysvar, and so has its account in all instructions.
    let introspect = |distance: i64| {
        Instruction::new(ID)
            .account(AccountMeta::readonly(ids::INSTRUCTIONS))
            .data(Command::Introspect.data(&distance.to_le_bytes()))
    };
    let outcome = ledger.simulate([introspect(1), introspect(-1), first.clone()]);
    assert_eq!(outcome.error, None);
    for (index, other) in [(0_u8, introspect(-1)), (1, introspect(1))] {
        let found = &outcome.instructions[usize::from(index)].return_data;
        assert_eq!(found[..4], [3, 0, index, 0]);
        assert_eq!(found[36..][..other.data.len()], other.data);
    }
    let sysvar = outcome
        .accounts
        .iter()
        .find(|one| one.key == ids::INSTRUCTIONS);
    assert!(!sysvar.expect("it is listed").is_changed());
}

#[test]
fn instructions_share_the_limit_of_calls() {
    let ledger = ledger(Limits::rialo().calls(7));
    // Three calls, and the instruction itself.
    let deep = asks(Command::Deep, &u64::to_le_bytes(4));
    let mut outcome = ledger.simulate([deep.clone(), deep.clone()]);
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.instructions[1].calls.len(), 3);
    outcome = ledger.simulate(Transaction::new([deep.clone(), deep.clone(), deep]).gas(1_400_000));
    let error = outcome.error.expect("too many calls");
    assert_eq!(
        error.failure(),
        Some(&InvalidCall::TooManyCalls { limit: 7 }.into())
    );
    assert_eq!(outcome.instructions.len(), 3);
}

#[test]
fn instructions_share_the_limit_of_growth() {
    let ledger = ledger(Limits::rialo().growth(100));
    let resize = |length: u64| asks(Command::Change, &length.to_le_bytes());
    // What shrinks makes room.
    let kept = ledger.simulate([resize(60), resize(20), resize(100)]);
    assert_eq!(kept.error, None);
    let outcome = ledger.simulate([resize(60), resize(101)]);
    let error = outcome.error.expect("too much growth");
    let grew = Failure::GrewTooMuch {
        growth: 101,
        limit: 100,
    };
    assert_eq!(error.failure(), Some(&grew));
}

#[test]
fn instructions_share_the_limit_of_logs() {
    let events = || asks(Command::Events, &[]);
    let all: Vec<Instruction> = (0..7).map(|_| events()).collect();
    let plain: Vec<String> = own_lines(&ledger(Limits::rialo().logs(1 << 20)), all.clone());
    let limit: usize = plain.iter().map(String::len).sum::<usize>() / 2;
    let cut = own_lines(&ledger(Limits::rialo().logs(limit)), all);
    let truncated = cut.iter().position(|line| line == "Log truncated");
    let truncated = truncated.expect("half of the lines do not fit");
    assert_eq!(cut[..truncated], plain[..truncated]);
    let kept: usize = cut.iter().map(String::len).sum::<usize>() - "Log truncated".len();
    assert!(kept < limit);
    assert_eq!(
        cut.iter().filter(|line| *line == "Log truncated").count(),
        1
    );
}

fn own_lines(ledger: &Ledger, instructions: Vec<Instruction>) -> Vec<String> {
    let outcome = ledger.simulate(Transaction::new(instructions));
    assert_eq!(outcome.error, None);
    outcome.logs().map(str::to_owned).collect()
}
