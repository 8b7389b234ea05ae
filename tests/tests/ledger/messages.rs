//! What the assertions of `program_test::TestLedger` say when they fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use program_test::{
    AccountMeta, Instruction, ProgramError, Pubkey, TestLedger, for_each_target, key, program,
};
use token::TokenError;
use token::state::Holding;

/// A ledger with the token, and two holdings of gold: 100 of Alice, 5 of Bob.
fn ledger() -> (TestLedger, Pubkey) {
    let mut ledger = TestLedger::new();
    let token = ledger.deploy(program!("../examples/token"));
    for (name, owner, amount) in [("alices_gold", "alice", 100), ("bobs_gold", "bob", 5)] {
        let holding = Holding {
            mint: key("gold"),
            owner: key(owner),
            delegate: Pubkey::default(),
            amount,
            delegated: 0,
        };
        ledger.create(key(name), token, holding);
    }
    (ledger, token)
}

fn transfer(token: Pubkey, from: &str, to: &str, owner: &str, amount: u64) -> Instruction {
    Instruction::new(token)
        .account(AccountMeta::writable(key(from)))
        .account(AccountMeta::writable(key(to)))
        .account(AccountMeta::readonly_signer(key(owner)))
        .data([&[3], &amount.to_le_bytes()[..]].concat())
}

/// The message of the panic.
#[track_caller]
fn message(panics: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(panics)).expect_err("the assertion does not fail");
    *panic.downcast::<String>().expect("a message with values")
}

/// Drops what an assertion returns.
fn ignore<T>(_: T) {}

/// A text with each number of gas as `N`.
fn without_gas(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let mut words: Vec<&str> = line.split(' ').collect();
        for index in 1..words.len() {
            if words[index].starts_with("gas") {
                words[index - 1] = "N";
            }
        }
        if let ["failed,", "after", gas, ..] = &mut words[..] {
            *gas = "N";
        }
        words.join(" ") + "\n"
    });
    lines.collect()
}

#[test]
fn failed_transaction_shows_error_names_and_no_keys() {
    let (mut ledger, token) = ledger();
    let pay = transfer(token, "alices_gold", "bobs_gold", "alice", 60);
    let outcome = ledger.send([pay.clone(), pay]);
    let found = message(|| ignore(outcome.assert_success()));
    assert_eq!(
        without_gas(&found),
        "the transaction failed
failed, after N of N gas
  instruction 1 of token failed: the program returned Custom(5)
  error 5 of token is TokenError::TooFewTokens, \"The holding has too few tokens, or its delegate \
         may spend too few\"
  0 token, N gas
  1 token, N gas, failed
"
    );
}

/// The page shows the message of the test above, and the one of an account with other data.
#[test]
fn page_shows_the_messages() {
    let page = include_str!("../../../docs/ledger.md");
    let (mut ledger, token) = ledger();
    let pay = transfer(token, "alices_gold", "bobs_gold", "alice", 60);
    let outcome = ledger.send([pay.clone(), pay]);
    let found = without_gas(&message(|| ignore(outcome.assert_success())));
    assert!(without_gas(page).contains(&found), "{found}");

    let (mut ledger, token) = self::ledger();
    let pay = transfer(token, "alices_gold", "bobs_gold", "alice", 30);
    ledger.send(pay).assert_success();
    let mut expected: Holding = ledger.data_as(key("bobs_gold"));
    expected.owner = key("carol");
    expected.amount = 30;
    let account = ledger.assert_account(key("bobs_gold"));
    let found = message(|| ignore(account.data_as(expected)));
    assert!(page.contains(&found), "{found}");
}

#[test]
fn another_error_is_shown_by_its_name() {
    let (mut ledger, token) = ledger();
    let outcome = ledger.send(transfer(token, "alices_gold", "bobs_gold", "bob", 1));
    let found = message(|| ignore(outcome.assert_error(TokenError::TooFewTokens)));
    let wrong_authority = "Custom(4): TokenError::WrongAuthority, \"The signer is neither the owner \
                           nor the delegate; of a mint, not the authority\"";
    let first = format!("expected TokenError::TooFewTokens, found {wrong_authority}");
    assert_eq!(found.lines().next(), Some(&*first));
    let found = message(|| ignore(outcome.assert_error(ProgramError::InvalidArgument)));
    let first = format!("expected InvalidArgument, found {wrong_authority}");
    assert_eq!(found.lines().next(), Some(&*first));
    let found = message(|| ignore(outcome.assert_failure("OutOfGas")));
    let first = "expected the failure OutOfGas, found ProgramError";
    assert_eq!(found.lines().next(), Some(first));
    let found = message(|| ignore(outcome.assert_log("paid")));
    assert_eq!(found.lines().next(), Some("no program logged \"paid\""));
    let outcome_of_nothing = ledger.send(Instruction::new(key("nothing")));
    outcome_of_nothing.assert_failure("UnknownProgram");
    let found = message(|| ignore(outcome_of_nothing.assert_error(TokenError::NotEmpty)));
    let first = "expected TokenError::NotEmpty";
    assert_eq!(found.lines().next(), Some(first));
    outcome.assert_error(ProgramError::Custom(4));
    outcome.assert_failure("ProgramError");
}

/// An error with the number of one of the token's.
#[derive(Clone, Copy, Debug)]
struct OtherError;

impl From<OtherError> for ProgramError {
    fn from(_: OtherError) -> Self {
        TokenError::TooFewTokens.into()
    }
}

#[test]
fn error_of_another_enum_with_the_same_number_is_another_error() {
    let (mut ledger, token) = ledger();
    let outcome = ledger.send(transfer(token, "bobs_gold", "alices_gold", "bob", 6));
    outcome.assert_error(TokenError::TooFewTokens);
    let found = message(|| ignore(outcome.assert_error(OtherError)));
    assert!(
        found.starts_with("expected OtherError::OtherError, found Custom(5): TokenError::TooFew"),
        "{found}"
    );
}

#[test]
fn fields_that_differ_are_shown() {
    let (mut ledger, token) = ledger();
    ledger
        .send(transfer(token, "alices_gold", "bobs_gold", "alice", 30))
        .assert_success();
    let expected = Holding {
        mint: key("gold"),
        owner: key("carol"),
        delegate: Pubkey::default(),
        amount: 30,
        delegated: 0,
    };
    let account = ledger.assert_account(key("bobs_gold"));
    assert_eq!(
        message(|| ignore(account.clone().data_as(expected))),
        "the account bobs_gold has other data (- expected, + found):
    Holding {
        mint: Pubkey(gold),
  -     owner: Pubkey(carol),
  +     owner: Pubkey(bob),
        delegate: Pubkey(system program),
  -     amount: 30,
  +     amount: 35,
        delegated: 0,
    }
"
    );
    assert_eq!(
        message(|| ignore(account.clone().owner(key("alice")).kelvins(5))),
        "the account bobs_gold has other owner (- expected, + found):\n  - alice\n  + token\n"
    );
    assert_eq!(
        message(|| ignore(account.clone().kelvins(5))),
        "the account bobs_gold has other kelvins (- expected, + found):\n  - 5\n  + 1,670,400\n"
    );
    assert_eq!(
        message(|| ignore(account.clone().data_as(5_u64))),
        "the account bobs_gold has 112 bytes of data, and a u64 has 8"
    );
    let bytes = bytemuck::bytes_of(&expected);
    let found = message(|| ignore(account.clone().data(bytes)));
    assert!(found.contains("-     96: 1e 00 00"), "{found}");
    assert!(found.contains("+     96: 23 00 00"), "{found}");
    let field = |holding: Holding| holding.amount;
    let found = message(|| ignore(account.clone().field(field, 30)));
    assert!(found.ends_with("  - 30\n  + 35\n"), "{found}");
}

#[test]
fn missing_account_and_unexpected_account_are_named() {
    let (mut ledger, _) = ledger();
    assert_eq!(
        message(|| ignore(ledger.assert_account(key("carol")))),
        "there is no account carol"
    );
    let pool = ledger.name("pool", Pubkey::new([7; 32]));
    ledger.assert_no_account(pool);
    assert_eq!(
        message(|| ignore(ledger.clone().create(key("token"), pool, 0_u64))),
        "there is an account token: it is a program; take another name for one of them"
    );
    ledger.fund(pool, 5_000_000);
    assert_eq!(
        message(|| ledger.assert_no_account(pool)),
        "there is an account pool: it has 5,000,000 kelvins and 0 bytes of data, and belongs to \
         system program"
    );
}

#[test]
fn difference_between_targets_is_a_failure() {
    let found = message(|| {
        for_each_target(|ledger| {
            let token = ledger.deploy(program!("../examples/token"));
            // What the test does differs here, and not the program. It is found in the same way.
            let engine = ledger.loader().engine();
            let data = match engine.target() {
                loader::Target::Wasm32 => [9],
                _ => [6],
            };
            let _ = ledger.send(Instruction::new(token).data(data));
        });
    });
    assert_eq!(
        found,
        "transaction 0 differs (- on the interpreter engine, + on the wasm engine):
  - token failed: the program returned NotEnoughAccountKeys: the instruction needs more accounts \
         than it was given
  + token failed: the program returned InvalidInstructionData: the instruction data cannot be \
         understood
    instruction 0 of token
  -   status 0xb00000000 (NotEnoughAccountKeys)
  +   status 0x300000000 (InvalidInstructionData)
      returned []
"
    );
}
