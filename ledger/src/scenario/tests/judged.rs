//! Each expectation of a step is compared, and its difference is named. The programs are built in.

use super::super::*;
use crate::Ledger;

/// Accounts, and a transfer of 1,000,000 kelvins from Anna to Bert.
const TRANSFER: &str = r#"
[layouts]
two = { first = "u64", second = "key" }

[keys]
nowhere = {}

[accounts]
anna = { kelvins = 5_000_000 }
bert = {}
full = { data = { two = { first = 7, second = "$anna" } } }

[[steps]]
title = "transfer"
program = "system"
accounts = ["$anna signer writable", "$bert writable"]
data = [{ u32 = 2 }, { u64 = 1_000_000 }]
"#;

fn run_text(text: &str) -> ScenarioOutcome {
    let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let no_program = |_: &Path| Err("there is no program".into());
    run(&scenario, Ledger::new(), no_program).expect("no program is needed")
}

/// The differences of the transfer with this expectation.
fn differences(expect: &str) -> Vec<String> {
    run_text(&format!("{TRANSFER}{expect}")).steps[0]
        .differences
        .clone()
}

#[test]
fn what_is_as_expected_is_no_difference() {
    for expect in [
        "",
        "expect = {}",
        "expect.success = true",
        "expect.logs = []",
        "expect.gas_used = 150",
        "expect.return_data = \"\"",
        "expect.accounts.anna = { kelvins = 4_000_000, owner = \"$system\", data = \"\" }",
        "expect.accounts.anna = { kelvins = \"-1_000_000\" }",
        "expect.accounts.bert = { kelvins = \"+1_000_000\" }",
        "expect.accounts.nowhere = \"gone\"",
        "expect.accounts.full = { data = { two = { first = 7 } } }",
        "expect.accounts.full = { data = { two = { second = \"$anna\" } } }",
        "expect.accounts.full = { data = [{ any = 8 }, \"$anna\"] }",
    ] {
        assert_eq!(differences(expect), [""; 0], "{expect}");
    }
}

#[test]
fn each_difference_is_named() {
    for (expect, difference) in [
        ("success = false", "expected an error, but it succeeded"),
        (
            "error = \"OutOfGas\"",
            "error: expected OutOfGas, but it succeeded",
        ),
        ("logs = [\"one\"]", "logs: expected [\"one\"], found []"),
        (
            "logs_contain = [\"one\"]",
            "logs: no line contains \"one\", found []",
        ),
        ("gas_used = 1_000", "gas used: expected 1_000, found 150"),
        (
            "return_data = [{ u8 = 1 }]",
            "return data: length: expected 1 byte, found none",
        ),
        (
            "accounts.anna = \"gone\"",
            "$anna: expected gone, found 4_000_000 kelvins",
        ),
        (
            "accounts.nowhere = {}",
            "$nowhere: expected an account, found none",
        ),
        (
            "accounts.anna = { kelvins = 5 }",
            "kelvins of $anna: expected 5, found 4_000_000",
        ),
        (
            "accounts.anna = { kelvins = \"+5\" }",
            "kelvins of $anna: expected +5, found -1_000_000",
        ),
        (
            "accounts.bert = { kelvins = \"-5\" }",
            "kelvins of $bert: expected -5, found +1_000_000",
        ),
        (
            "accounts.anna = { owner = \"$bert\" }",
            "owner of $anna: expected $bert, found $system",
        ),
        (
            "accounts.full = { data = { two = { first = 8 } } }",
            "data of $full: `first`: expected 8, found 7",
        ),
        (
            "accounts.full = { data = [{ u64 = 7 }, \"$bert\"] }",
            "data of $full: the key at 8: expected $bert, found $anna",
        ),
        (
            "accounts.full = { data = \"0700\" }",
            "data of $full: length: expected 2 bytes, found 40 bytes",
        ),
    ] {
        assert_eq!(differences(&format!("expect.{expect}")), [difference]);
    }
}

#[test]
fn an_error_has_names() {
    let unsigned = TRANSFER.replace("$anna signer", "$anna");
    let too_much = TRANSFER.replace("u64 = 1_000_000", "u64 = 9_000_000");
    let no_program = TRANSFER.replace("program = \"system\"", "program = \"bert\"");
    let no_rent = TRANSFER.replace("u64 = 1_000_000", "u64 = 4_999_999");
    let found = |text: &str, expect: &str| {
        run_text(&format!("{text}expect.{expect}")).steps[0]
            .differences
            .clone()
    };
    for (text, name) in [
        (&unsigned, "MissingRequiredSignature"),
        (&unsigned, "ProgramError"),
        (&too_much, "SystemError::ResultWithNegativeKelvins"),
        (&no_program, "UnknownProgram"),
        (&no_rent, "InsufficientFundsForRent"),
    ] {
        assert_eq!(found(text, &format!("error = \"{name}\"")), [""; 0]);
        assert_eq!(found(text, "success = false"), [""; 0], "{name}");
        assert_eq!(found(text, "success = true").len(), 1, "{name}");
    }
    assert_eq!(
        found(&unsigned, "error = \"InvalidArgument\""),
        ["error: expected InvalidArgument, found 0x800000000 (MissingRequiredSignature)"]
    );
    let lines = found(&unsigned, "error = \"MissingSignature\"");
    assert!(
        lines[1].starts_with("no error is called `MissingSignature`; "),
        "{lines:?}"
    );
}

#[test]
fn nothing_is_judged_without_expectations() {
    let unsigned = TRANSFER.replace("$anna signer", "$anna");
    let alone = run_text(&unsigned);
    assert_eq!(alone.differences(), [""; 0]);
    assert!(alone.steps[0].error.is_some());
    // With one expectation anywhere, each transaction has to succeed.
    let judged = format!("{unsigned}\n[[steps]]\nwarp = \"1 s\"\nexpect = {{}}");
    assert_eq!(
        run_text(&judged).differences(),
        [
            "step 1 (transfer): expected success, found the error 0x800000000 \
          (MissingRequiredSignature)"
        ]
    );
}

#[test]
fn steps_keep_state_and_report_changes() {
    let text = "clock = 2026-01-01T00:00:00Z\n[keys]\nnew = {}\n\
        [[steps]]\nairdrop = { new = 890_880 }\n\
        [[steps]]\nwarp = \"30 days\"\n\
        [[steps]]\nset.new = { data = [{ name = \"count\", u64 = 5 }] }\n\
        [[steps]]\nset.new = { data = [{ name = \"count\", u64 = 6 }] }\n\
        [[steps]]\nset.new = { kelvins = 0 }\n";
    assert_eq!(
        run_text(text).to_string(),
        "1. $new gets 890_880
   changed   $new
               made: 890_880 kelvins, owner $system

2. 30 days pass

3. set $new
   changed   $new
               kelvins  890_880 -> 946_560 (+55_680)
               data  0 -> 8 bytes
               count  5

4. set $new
   changed   $new
               count  5 -> 6

5. set $new
   changed   $new
               gone: it had 946_560 kelvins
"
    );
}
