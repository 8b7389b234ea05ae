//! Files that are read, and written again.

use std::time::Duration;

use super::*;

mod judged;
mod random;

/// A file with every form that there is.
const EVERY_FORM: &str = r#"
title = "Every form"
clock = { time = 2026-01-31T12:00:00Z, slot = 7 }
random_seed = 9
fee = { base = 100, per_signer = 5_000 }

[programs]
token = "../token"
escrow = { path = "..", id = "Escrow1111111111111111111111111111111111111" }

[layouts]
holding = { mint = "key", amount = "u64", rest = 8 }

[keys]
offer = { seeds = ["offer", "$maker", { u64 = 7 }], program = "escrow" }
vault = { seeds = ["vault", "$offer"], program = "$escrow" }
other = { seeds = [{ key = "$maker" }], program = "escrow", bump = 3 }
stranger = {}
gold = "Go1dMint11111111111111111111111111111111111"

[accounts]
maker = {}
taker = { kelvins = "18_446_744_073_709_551_615" }
vault = { owner = "$token", data = { holding = { mint = "$gold", amount = 5 } } }
Vau1t11111111111111111111111111111111111111 = { kelvins = 0, data = "01ff" }

[[steps]]
title = "The maker offers"
program = "escrow"
accounts = ["$maker signer writable", "$offer writable", "$system"]
data = [
    { u8 = 0 }, { bump = "$offer" }, { u64 = "18446744073709551615" }, { i64 = -5 },
    { u128 = 1 }, { f64 = 0.5 }, { bool = true }, { text = "$5" }, "abc", { hex = "0102" },
    { fill = 3 }, { fill = 3, byte = 0xff }, { time = 2026-01-31T12:00:00Z },
    { key = "Go1dMint11111111111111111111111111111111111" }, { name = "amount", u16 = 3 },
]
payer = "$maker"
gas = 50_000
heap = "64 KiB"

[steps.expect]
logs = ["one", "two"]
logs_contain = ["o"]
return_data = [{ u8 = 1 }, { any = 7 }]
gas_used = 1_000

[steps.expect.accounts]
offer = "gone"
maker = { kelvins = "-5", owner = "$system" }
taker = { kelvins = "+5" }
vault = { kelvins = 5, data = { holding = { amount = 6 } } }

[[steps]]
payer = "$maker"
[[steps.instructions]]
program = "token"
[[steps.instructions]]
program = "Escrow1111111111111111111111111111111111111"
data = "00"
[steps.expect]
error = "TokenError::TooFewTokens"

[[steps]]
warp = "1day 2h"

[[steps]]
warp_to = 2026-02-28T00:00:00Z

[[steps]]
airdrop = { maker = 1_000, stranger = 5 }

[[steps]]
set.maker = { kelvins = 7 }
set.offer = {}
expect.accounts.offer = { kelvins = 890_880 }

[[steps]]
deploy = { escrow = "../escrow_2" }
"#;

#[test]
fn every_form_is_read() {
    let scenario = Scenario::parse(EVERY_FORM).unwrap_or_else(|error| panic!("{error}"));
    let key = |name: &str| scenario.names.key(name).expect("a name of the file");
    assert_eq!(key("maker"), key_of("maker"));
    assert_eq!(key("system"), Pubkey::default());
    assert_eq!(scenario.programs[0].id, key("token"));
    let offer = scenario
        .names
        .derived(&key("offer"))
        .expect("it derives from seeds");
    assert!(offer.has_first_bump());
    let [Field { value: first, .. }, ..] = &offer.seeds.0[..] else {
        panic!("no seeds: {offer:?}");
    };
    assert_eq!(*first, Value::Text("offer".to_owned()));
    // One that is declared before the name that it derives from.
    let vault = scenario
        .names
        .derived(&key("vault"))
        .expect("it derives from seeds");
    assert_eq!(vault.seeds.0[1].value, Value::Key(key("offer")));

    assert_eq!(scenario.accounts.len(), 4);
    let vault = &scenario.accounts[2];
    assert_eq!((vault.key, vault.kelvins), (key("vault"), None));
    assert_eq!(vault.data.length(), 32 + 8 + 8);
    assert_eq!(vault.data.bytes()[32..40], 5_u64.to_le_bytes());
    assert_eq!(scenario.accounts[1].kelvins, Some(u64::MAX));

    let Action::Transaction(transaction) = &scenario.steps[0].action else {
        panic!("not a transaction: {:?}", scenario.steps[0]);
    };
    let sent = transaction.transaction();
    assert_eq!(sent.heap, Some(64 * 1024));
    let [instruction] = &sent.instructions[..] else {
        panic!("not one instruction: {sent:?}");
    };
    assert_eq!(instruction.data[1], offer.bump);
    assert_eq!(
        instruction.accounts[0],
        AccountMeta::writable_signer(key("maker"))
    );
    assert_eq!(
        scenario.steps[2].action,
        Action::Warp(Duration::from_secs(26 * 3_600))
    );
    assert_eq!(scenario.steps[3].action, Action::WarpTo(1_772_236_800_000));
}

#[test]
fn what_is_written_is_read_again() {
    let scenario = Scenario::parse(EVERY_FORM).unwrap_or_else(|error| panic!("{error}"));
    let text = scenario.to_toml();
    let again = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(again, scenario, "{text}");
    assert_eq!(again.to_toml(), text);
}

#[test]
fn what_code_makes_is_read_again() {
    let [program, alice, other] = [[1; 32], [2; 32], [3; 32]].map(Pubkey::new);
    let call = Instruction::new(program)
        .account(AccountMeta::writable_signer(alice))
        .account(AccountMeta::readonly(other))
        .data(vec![7; 100]);
    let account = crate::Account {
        key: other,
        owner: program,
        kelvins: 5,
        data: [1, 2, 3].into(),
        ..crate::Account::default()
    };
    let expect = Expect {
        success: Some(false),
        ..Expect::default()
    };
    let scenario = Scenario::new()
        .title("a \"quoted\"\ntitle")
        .program("counter", program, "../counter")
        .name("alice", alice)
        .account(account)
        .step(Step::transaction(call.clone()).title("one").expect(expect))
        .step(Step::transaction(
            Transaction::new([call.clone(), call])
                .payer(alice)
                .gas(u64::MAX),
        ))
        .step(Step::new(Action::Warp(Duration::from_millis(1_001))))
        .step(Step::new(Action::WarpTo(-7)))
        .step(Step::new(Action::Airdrop(vec![(other, u64::MAX)])));
    let text = scenario.to_toml();
    let again = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(again, scenario, "{text}");
}

/// Reads a file that is not valid, and returns the place and the last line of the error.
#[track_caller]
fn error(text: &str) -> (String, String) {
    let error = Scenario::parse(text)
        .expect_err("it is not valid")
        .to_string();
    let place = error.lines().next().unwrap_or_default();
    let place = place.rsplit(" at ").next().unwrap_or_default();
    (
        place.to_owned(),
        error.lines().last().unwrap_or_default().to_owned(),
    )
}

#[test]
fn nothing_to_do_and_accounts_that_are_there_twice_are_refused() {
    let alice = key_of("alice");
    let nothing = |kind: &str| format!("the step does nothing, because `{kind}` is empty");
    let cases = [
        (
            String::new(),
            "line 1, column 1",
            "the scenario has no steps; write at least one [[steps]]".to_owned(),
        ),
        (
            "title = \"a\"\n[[steps]]\ninstructions = []".to_owned(),
            "line 2, column 1",
            nothing("instructions"),
        ),
        (
            "[[steps]]\nset = {}".to_owned(),
            "line 1, column 1",
            nothing("set"),
        ),
        (
            "[[steps]]\nairdrop = {}".to_owned(),
            "line 1, column 1",
            nothing("airdrop"),
        ),
        (
            "[[steps]]\ndeploy = {}".to_owned(),
            "line 1, column 1",
            nothing("deploy"),
        ),
        (
            format!("[accounts]\nalice = {{}}\n{alice} = {{}}"),
            "line 3, column 1",
            "the account $alice is there already, under its name or its key; remove one of the two"
                .to_owned(),
        ),
        (
            format!("[programs]\nalice = \"x\"\n[accounts]\n{alice} = {{}}"),
            "line 4, column 1",
            "this is the key of the program `alice`, which has an account already; remove one of \
             the two"
                .to_owned(),
        ),
    ];
    for (text, place, reason) in cases {
        assert_eq!(error(&text), (place.to_owned(), reason), "{text}");
    }
}

#[test]
fn a_program_that_is_not_there_has_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("it does not build")]
    struct Outer(#[source] std::io::Error);

    let scenario = Scenario::parse("[programs]\na = \"../a\"\n[[steps]]\nprogram = \"a\"");
    let load = |_: &Path| Err(Outer(std::io::Error::other("there is no folder")).into());
    let error = run(&scenario.expect("a scenario"), crate::Ledger::new(), load);
    assert_eq!(
        error.expect_err("there is no program").to_string(),
        "the scenario's program ../a: it does not build: there is no folder"
    );
}

#[test]
fn errors_name_the_thing_and_its_place() {
    let cases = [
        (
            "[accounts]\nalice = {}\n[[steps]]\nprogram = \"alice\"\naccounts = [\"$alcie\"]",
            "line 5, column 13",
            "there is no name `$alcie`; did you mean `$alice`?",
        ),
        (
            "[accounts]\nalice = {}\n[[steps]]\nprogram = \"alice\"\naccounts = [\"$alice writeable\"]",
            "line 5, column 13",
            "`writeable` is not a flag of an account; did you mean `writable`?",
        ),
        (
            "[[steps]]\nairdrop = { bob = 1 }",
            "line 2, column 13",
            "there is no name `$bob`; the names are `$system`",
        ),
        (
            "[[steps]]\ntitle = \"nothing\"",
            "line 1, column 1",
            "the step does nothing; it needs one of `program`, `instructions`, `warp`, `warp_to`, \
             `airdrop`, `set`, `deploy`",
        ),
        (
            "[[steps]]\nwarp = \"1 day\"\nprogram = \"system\"",
            "line 1, column 1",
            "a step does one thing; make two steps of `program` and `warp`",
        ),
        (
            "[[steps]]\nwarp = \"1 day\"\ngas = 5",
            "line 1, column 1",
            "`gas` does not belong to a step with `warp`; remove it",
        ),
        (
            "[[steps]]\nwarp = \"soon\"",
            "line 2, column 8",
            "\"soon\" is not a span of time: expected number at 0; write for example \"30 days\" or \
             \"1h 30m\"",
        ),
        (
            "[accounts]\na = { data = [{ u8 = 256 }] }",
            "line 2, column 15",
            "256 is not a u8",
        ),
        (
            "[accounts]\na = { data = [{ u8 = 1, u16 = 1 }] }",
            "line 2, column 15",
            "a field has one kind, such as { u64 = 5 }; the kinds are `u8`, `u16`, `u32`, `u64`, \
             `u128`, `i8`, `i16`, `i32`, `i64`, `i128`, `f32`, `f64`, `bool`, `time`, `key`, \
             `bump`, `text`, `hex`, `fill`, `file`, `any`",
        ),
        (
            "[accounts]\na = { data = [{ any = 1 }] }",
            "line 2, column 15",
            "`any` is for expectations; write `fill` here",
        ),
        (
            "[layouts]\nholding = { amount = \"u64\" }\n[accounts]\na = { data = { holding = { amuont = 1 } } }",
            "line 4, column 28",
            "the layout `holding` has no field `amuont`; did you mean `amount`?",
        ),
        (
            "[accounts]\na = { data = { u64 = 5 } }",
            "line 2, column 14",
            "write one layout and its fields, such as { holding = { amount = 5 } }, or a list of \
             fields, such as [{ u64 = 5 }]",
        ),
        (
            "[accounts]\na = { data = { holding = { amount = 5 } } }",
            "line 2, column 16",
            "there is no layout `holding`; there are no names here; a list of fields is in \
             brackets: [{ u64 = 5 }]",
        ),
        (
            "[keys]\na = { seeds = [\"$b\"], program = \"system\" }\nb = { seeds = [\"$a\"], program = \"system\" }",
            "line 2, column 5",
            "the address of `$b` derives from itself; remove the circle from its seeds",
        ),
        (
            "[keys]\nsystem = {}",
            "line 2, column 1",
            "the name `system` is there already; choose another",
        ),
        (
            "[accounts]\na = { owner = \"system\" }",
            "line 2, column 15",
            "\"system\" is not a key; for the name, write \"$system\"",
        ),
        (
            "[accounts]\na = { data = [{ bump = \"$a\" }] }",
            "line 2, column 15",
            "\"$a\" has no bump, because it does not derive from seeds",
        ),
        (
            "[[steps]]\nwarp = \"1 day\"\nexpect.success = true",
            "line 3, column 1",
            "this step runs no program; expect only `accounts` of it",
        ),
        (
            "[accounts]\na = {}\n[[steps]]\nprogram = \"a\"\nexpect.accounts = { a = \"gnoe\" }",
            "line 5, column 25",
            "invalid value: string \"gnoe\", expected \"gone\", or a table such as { kelvins = 5 }",
        ),
    ];
    for (text, place, reason) in cases {
        let found = error(text);
        assert_eq!(
            (found.0.as_str(), found.1.as_str()),
            (place, reason),
            "{text}"
        );
    }
}

#[test]
fn airdrop_that_an_account_cannot_hold_ends_the_run() {
    let text =
        "[accounts]\nalice = {}\n[[steps]]\nairdrop = { alice = \"18_446_744_073_709_551_615\" }";
    let scenario = Scenario::parse(text).expect("a scenario");
    let load = |_: &std::path::Path| unreachable!("it has no programs");
    let error = run(&scenario, crate::Ledger::new(), load).expect_err("it has kelvins already");
    let text = error.to_string();
    assert!(text.starts_with("$alice has 890_880 kelvins"), "{text}");
}
