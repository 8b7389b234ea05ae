//! Typed data, checks of accounts, and their gas. `docs/first-program.md` quotes the figures.

use checks::Command;
use loader::{AccountInput, Engine, Invocation, Loader, Outcome, Program, ProgramError, Pubkey};
use tests::{PROGRAM_ID, guest, is_reference_compiler};

fn program() -> Program {
    let blob = program_test::build(guest("checks"));
    let loader = Loader::new(Engine::Interpreter).expect("an engine");
    loader.load(&blob).expect("a program")
}

/// A call with accounts that all checks accept.
fn call(command: Command) -> Invocation {
    Invocation::new(PROGRAM_ID)
        .account(authority())
        .account(counter())
        .data([command as u8])
}

/// The program's own key, as an authority.
fn authority() -> AccountInput {
    AccountInput::new(PROGRAM_ID)
        .owner(PROGRAM_ID)
        .data([0; 40])
        .signer()
        .writable()
}

fn counter() -> AccountInput {
    AccountInput::new(Pubkey::new([2; 32]))
        .owner(PROGRAM_ID)
        .writable()
}

fn run(program: &Program, call: &Invocation) -> Outcome {
    program.invoke(call).expect("a valid invocation")
}

#[test]
fn helpers_cost_what_hand_written_checks_cost() {
    if !is_reference_compiler() {
        return;
    }
    let program = program();
    let gas = |command| {
        let outcome = run(&program, &call(command));
        assert_eq!(outcome.failure, None, "{command:?}");
        let gas = outcome.return_data[..].try_into().expect("8 bytes");
        u64::from_le_bytes(gas)
    };
    let nothing = gas(Command::Nothing);
    let gas = |command| gas(command) - nothing;
    let commands = [
        Command::CountTyped,
        Command::CountSplit,
        Command::CountCast,
        Command::CountBytes,
        Command::ReadTyped,
        Command::ReadBytes,
        Command::Require,
        Command::RequireNamed,
        Command::RequireByHand,
        Command::CountNamed,
    ];
    for command in commands {
        println!("{command:?}: {}", gas(command));
    }
    assert!(gas(Command::CountTyped) <= gas(Command::CountCast));
    assert!(gas(Command::CountSplit) <= gas(Command::CountCast));
    // The compiler keeps the closure's result in memory, because another way to it has a call.
    assert!(gas(Command::CountNamed) <= gas(Command::CountTyped) + 2);
    // The address is checked too, which bytes by hand do not need.
    assert!(gas(Command::CountTyped) <= gas(Command::CountBytes) + 1);
    assert!(gas(Command::ReadTyped) <= gas(Command::ReadBytes) + 1);
    // The compiler's choice of registers costs a unit.
    assert!(gas(Command::Require) <= gas(Command::RequireByHand) + 1);
    assert!(gas(Command::RequireNamed) <= gas(Command::RequireByHand));
}

#[test]
fn typed_data_counts() {
    let program = program();
    for command in [
        Command::CountTyped,
        Command::CountNamed,
        Command::CountSplit,
        Command::CountCast,
        Command::CountBytes,
    ] {
        let outcome = run(&program, &call(command));
        assert_eq!(
            outcome.accounts[0].data[32..],
            1_u64.to_le_bytes(),
            "{command:?}"
        );
    }
}

#[test]
fn wrong_length_has_an_error_and_changes_nothing() {
    let program = program();
    for (length, typed, line) in [
        (0, ProgramError::AccountDataTooSmall, "has too little data"),
        (39, ProgramError::AccountDataTooSmall, "has too little data"),
        (
            41,
            ProgramError::InvalidAccountData,
            "has data of another length",
        ),
    ] {
        for command in [Command::CountTyped, Command::ReadTyped, Command::CountNamed] {
            let call = Invocation::new(PROGRAM_ID)
                .account(authority().data(vec![0; length]))
                .data([command as u8]);
            let outcome = run(&program, &call);
            assert_eq!(outcome.status, Some(typed.status()), "{command:?} {length}");
            let line = format!("account authority: {line}");
            let lines = if command == Command::CountNamed {
                vec![line]
            } else {
                vec![]
            };
            assert_eq!(outcome.logs, lines, "{command:?} {length}");
        }
    }
}

#[test]
fn failed_check_names_the_account_and_what_it_lacks() {
    let program = program();
    let other = Pubkey::new([9; 32]);
    let cases = [
        (
            AccountInput {
                is_signer: false,
                ..authority()
            },
            counter(),
            ProgramError::MissingRequiredSignature,
            "account authority: must sign",
        ),
        (
            AccountInput::new(other).signer(),
            counter(),
            ProgramError::InvalidArgument,
            "account authority: has another key than expected",
        ),
        (
            authority(),
            AccountInput {
                is_writable: false,
                ..counter()
            },
            ProgramError::Immutable,
            "account counter: must be writable",
        ),
        (
            authority(),
            counter().owner(other),
            ProgramError::InvalidAccountOwner,
            "account counter: has another owner than expected",
        ),
    ];
    for (first, second, error, line) in cases {
        let call = |command| {
            let call = Invocation::new(PROGRAM_ID).account(first.clone());
            call.account(second.clone()).data([command as u8])
        };
        let silent = run(&program, &call(Command::Require));
        assert_eq!(silent.status, Some(error.status()));
        assert!(silent.logs.is_empty());
        let named = run(&program, &call(Command::RequireNamed));
        assert_eq!(named.status, Some(error.status()));
        assert_eq!(named.logs, [line]);
    }
    let call = Invocation::new(PROGRAM_ID).account(authority());
    let outcome = run(&program, &call.data([Command::Require as u8]));
    assert_eq!(
        outcome.status,
        Some(ProgramError::NotEnoughAccountKeys.status())
    );
}

#[test]
fn every_target_reports_the_account() {
    let _ = program_test::check_fixture(guest("checks"), "named");
}
