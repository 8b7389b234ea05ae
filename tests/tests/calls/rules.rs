//! Calls that the loader does not make, each by the name of its rule.

use abi::program_address::create_program_address;
use caller::{Call, Listed, Script, Step};
use loader::{AccountInput, Engine, Failure, Outcome, Pubkey};
use tests::caller_guest::{A, B, account, call, calling, invocation, run, step};

/// The accounts of each test: one of the callee's, one of the caller's, a read-only one.
fn accounts() -> Vec<AccountInput> {
    let mut read_only = account(3, B, &[3]);
    read_only.is_writable = false;
    vec![account(1, B, &[1]), account(2, A, &[2]), read_only.signer()]
}

#[track_caller]
fn refused(script: Script) -> Outcome {
    let invocation = invocation(script, accounts());
    let outcome = run(Engine::Interpreter, &invocation);
    assert!(outcome.failure.is_some(), "{outcome:?}");
    assert!(invocation_accounts().eq(outcome.accounts.iter().cloned()));
    assert!(outcome.return_data.is_empty());
    outcome
}

fn invocation_accounts() -> impl Iterator<Item = loader::Account> {
    accounts().into_iter().map(|input| input.account)
}

#[track_caller]
fn kind(script: Script) -> &'static str {
    refused(script).failure.expect("a failure").kind()
}

/// A call of `B` that changes nothing.
fn plain() -> Call {
    call(B, 2, Script::new())
}

#[test]
fn each_rule_of_a_request_is_refused_by_name() {
    let key = Pubkey::new([77; 32]);
    let cases: Vec<(&str, Call)> = vec![
        (
            "UnknownProgram",
            Call {
                program_id: Pubkey::new([99; 32]),
                ..plain()
            },
        ),
        (
            "MissingAccount",
            Call {
                listed: vec![Listed::key(key)],
                ..plain()
            },
        ),
        (
            // The caller has it, and does not pass it on.
            "MissingAccount",
            Call {
                listed: vec![Listed::at(2)],
                ..plain()
            },
        ),
        (
            "WritableEscalated",
            Call {
                listed: vec![Listed::at(2).writable()],
                passed: vec![2],
                ..plain()
            },
        ),
        (
            "SignerEscalated",
            Call {
                listed: vec![Listed::at(0).signer()],
                ..plain()
            },
        ),
        (
            // Listed twice: the second escalates.
            "SignerEscalated",
            Call {
                listed: vec![Listed::at(0), Listed::at(0).signer()],
                ..plain()
            },
        ),
        (
            // The seeds derive another address.
            "SignerEscalated",
            Call {
                listed: vec![Listed::at(0).signer()],
                signers: vec![seeds(&A)],
                ..plain()
            },
        ),
        (
            "InvalidFlag",
            Call {
                listed: vec![Listed {
                    is_writable: 2,
                    ..Listed::at(0)
                }],
                ..plain()
            },
        ),
        (
            "InvalidFlag",
            Call {
                listed: vec![Listed {
                    is_signer: 255,
                    ..Listed::at(0)
                }],
                ..plain()
            },
        ),
        (
            "TooManyCallAccounts",
            Call {
                listed: vec![Listed::at(0); 256],
                ..plain()
            },
        ),
        (
            "CallDataTooLong",
            Call {
                data: vec![0; 10 * 1024 + 1],
                ..plain()
            },
        ),
        (
            "TooManySigners",
            Call {
                signers: vec![seeds(&A); 17],
                ..plain()
            },
        ),
        (
            "TooManySeeds",
            Call {
                signers: vec![vec![vec![1]; 17]],
                ..plain()
            },
        ),
        (
            "SeedTooLong",
            Call {
                signers: vec![vec![vec![1; 33]]],
                ..plain()
            },
        ),
        (
            "InvalidSignerSeeds",
            Call {
                signers: vec![on_curve(&A)],
                ..plain()
            },
        ),
    ];
    for (expected, call) in cases {
        assert_eq!(kind(calling(&call)), expected, "{call:?}");
    }
}

/// Seeds of an address that derives from a program's id.
fn seeds(program_id: &Pubkey) -> Vec<Vec<u8>> {
    let mut bumps = (0..=255_u8).map(|bump| vec![b"seed".to_vec(), vec![bump]]);
    let found = bumps.find(|seeds| derive(seeds, program_id).is_some());
    found.expect("a bump")
}

fn on_curve(program_id: &Pubkey) -> Vec<Vec<u8>> {
    let mut bumps = (0..=255_u8).map(|bump| vec![b"seed".to_vec(), vec![bump]]);
    let found = bumps.find(|seeds| derive(seeds, program_id).is_none());
    found.expect("a bump")
}

fn derive(seeds: &[Vec<u8>], program_id: &Pubkey) -> Option<Pubkey> {
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    create_program_address(&seeds, program_id).ok()
}

#[test]
fn an_address_derived_from_the_callers_id_signs() {
    let mut bumps = (0..=255_u8).map(|bump| vec![b"vault".to_vec(), vec![bump]]);
    let is_valid_for_both =
        |seeds: &Vec<Vec<u8>>| derive(seeds, &A).is_some() && derive(seeds, &B).is_some();
    let seeds = bumps.find(is_valid_for_both).expect("seeds");
    for (deriving, failure) in [
        (A, None),
        // Only the id of the calling program counts.
        (B, Some("SignerEscalated")),
    ] {
        let key = derive(&seeds, &deriving).expect("an address");
        let call = Call {
            program_id: B,
            listed: vec![Listed::at(0).signer()],
            passed: vec![0],
            signers: vec![seeds.clone()],
            data: step(Step::LogAccount, [0]).0,
        };
        let vault = AccountInput::new(key);
        let outcome = run(Engine::Interpreter, &invocation(calling(&call), [vault]));
        assert_eq!(outcome.failure.as_ref().map(Failure::kind), failure);
        if failure.is_none() {
            assert_eq!(outcome.logs, ["kelvins 0, 0 bytes, sum 0, owner 0, signer"]);
        }
    }
}

#[test]
fn the_callers_changes_are_judged_before_the_callee_runs() {
    let cases: Vec<(&str, Script)> = vec![
        ("DataChangedByNonOwner", step(Step::SetData, [0, 0, 9])),
        ("DebitedByNonOwner", step(Step::SetKelvins, [0, 99])),
        ("KelvinsNotConserved", step(Step::SetKelvins, [1, 99])),
        ("KelvinsNotConserved", step(Step::SetKelvins, [1, 101])),
        ("ReassignedByNonOwner", Script::new().assign(0, &A)),
        ("ReassignedWithData", Script::new().assign(1, &B)),
        // The 32 bytes of the key come before those of the owner.
        ("ReassignedByNonOwner", step(Step::Overwrite, [0, 32, 1])),
    ];
    let inner = Script::new().with_bytes(Step::Log, b"the callee runs");
    for (expected, change) in cases {
        let script = change.clone().call(&call(B, 2, inner.clone()));
        let outcome = refused(script);
        let failure = outcome.failure.expect("a failure");
        assert!(matches!(failure, Failure::WriteBack(_)), "{failure}");
        assert_eq!(failure.kind(), expected, "{change:?}");
        assert_eq!(outcome.logs, [""; 0], "{change:?}");
    }
    let mut read_only = plain();
    read_only.listed = vec![Listed::at(2)];
    read_only.passed = vec![2];
    let script = step(Step::SetKelvins, [2, 101]).call(&read_only);
    assert_eq!(kind(script), "AccountNotWritable");
}

#[test]
fn a_change_to_an_account_that_is_not_listed_is_judged_at_the_end() {
    let script = step(Step::SetKelvins, [1, 101]).call(&call(B, 1, Script::new()));
    let outcome = refused(script);
    assert_eq!(
        outcome.failure.map(|failure| failure.kind()),
        Some("KelvinsNotConserved")
    );
    assert_eq!(outcome.calls.len(), 1);
    // A change that is made good before the end is none.
    let script = step(Step::SetKelvins, [1, 101])
        .call(&call(B, 1, Script::new()))
        .step(Step::SetKelvins, [1, 100]);
    let outcome = run(Engine::Interpreter, &invocation(script, accounts()));
    assert_eq!(outcome.failure, None);
}

#[test]
fn the_callees_changes_are_judged_with_its_id() {
    let cases: Vec<(&str, Script)> = vec![
        ("DataChangedByNonOwner", step(Step::SetData, [1, 0, 9])),
        (
            "DebitedByNonOwner",
            step(Step::SetKelvins, [1, 99]).step(Step::SetKelvins, [0, 101]),
        ),
        ("KelvinsNotConserved", step(Step::SetKelvins, [0, 99])),
        ("ReassignedWithData", Script::new().assign(0, &A)),
        ("ReassignedByNonOwner", Script::new().assign(1, &B)),
        ("KeyChanged", step(Step::Overwrite, [0, 0, 9])),
    ];
    for (expected, change) in cases {
        let outcome = refused(calling(&call(B, 2, change.clone())));
        let Some(Failure::Called {
            program_id,
            depth,
            failure,
        }) = &outcome.failure
        else {
            panic!("{outcome:?}");
        };
        assert_eq!((*program_id, *depth), (B, 2));
        assert_eq!(failure.kind(), expected, "{change:?}");
        assert_eq!(outcome.failure.as_ref().map(Failure::kind), Some(expected));
    }
}

#[test]
fn a_callee_may_not_change_what_it_got_read_only() {
    for change in [
        step(Step::SetData, [0, 0, 9]),
        step(Step::Resize, [0, 0]),
        step(Step::SetKelvins, [0, 99]).step(Step::SetKelvins, [1, 101]),
    ] {
        let mut call = call(B, 2, change);
        // Its own account, which the caller may change.
        call.listed[0].is_writable = 0;
        assert_eq!(kind(calling(&call)), "AccountNotWritable");
    }
}

#[test]
fn after_a_call_the_caller_is_judged_by_what_the_callee_left() {
    // The callee gives the account to the caller, which may then change its data.
    let inner = step(Step::SetData, [0, 0, 0]).assign(0, &A);
    let script = calling(&call(B, 1, inner.clone())).step(Step::SetData, [0, 0, 7]);
    let outcome = run(Engine::Interpreter, &invocation(script, accounts()));
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.accounts[0].data, [7]);
    assert_eq!(outcome.accounts[0].owner, A);
    // And without that, it may not.
    let script =
        calling(&call(B, 1, step(Step::SetData, [0, 0, 4]))).step(Step::SetData, [0, 0, 1]);
    assert_eq!(kind(script), "DataChangedByNonOwner");
    // The caller gives its own account away, and may then not change it any more.
    let script = step(Step::SetData, [1, 0, 0]).assign(1, &B).call(&call(
        B,
        2,
        step(Step::SetData, [1, 0, 5]),
    ));
    let outcome = run(Engine::Interpreter, &invocation(script.clone(), accounts()));
    assert_eq!(outcome.failure, None);
    assert_eq!(
        (outcome.accounts[1].owner, &outcome.accounts[1].data[..]),
        (B, &[5][..])
    );
    assert_eq!(
        kind(script.step(Step::SetData, [1, 0, 6])),
        "DataChangedByNonOwner"
    );
}
