//! The accounts of calls: listed twice, and shrunk, grown, closed or reassigned by the callee.

use caller::{Call, Listed, Script, Step};
use loader::{AccountInput, Engine, Failure, Pubkey};
use tests::caller_guest::{A, B, account, call, calling, invocation, run, step};

#[test]
fn an_account_that_is_listed_twice_has_both_privileges() {
    let signer = account(1, B, &[1]).signer();
    let call = Call {
        program_id: B,
        listed: vec![
            Listed::at(0).signer(),
            Listed::at(1),
            Listed::at(0).writable(),
        ],
        passed: vec![1, 0, 0],
        signers: Vec::new(),
        data: step(Step::LogAccount, [0])
            .step(Step::LogAccount, [2])
            .step(Step::LogAccount, [1])
            .step(Step::SetData, [2, 0, 5])
            .step(Step::LogAccount, [0])
            .0,
    };
    let script = calling(&call).step(Step::LogAccount, [0]);
    let outcome = run(
        Engine::Interpreter,
        &invocation(script, [signer, account(2, A, &[])]),
    );
    assert_eq!(outcome.failure, None);
    let both = "kelvins 100, 1 bytes, sum 1, owner 11, signer, writable";
    let after = both.replace("sum 1", "sum 5");
    let other = "kelvins 100, 0 bytes, sum 0, owner 10";
    assert_eq!(outcome.logs, [both, both, other, &after, &after]);
}

#[test]
fn a_repeat_of_the_callers_input_is_the_account() {
    // The caller's list has the account twice, and the call names the second place.
    let script = calling(&call(B, 2, step(Step::SetData, [1, 0, 5]))).step(Step::LogAccount, [1]);
    let invocation = invocation(script, [account(1, B, &[1])]).repeat(0);
    let outcome = run(Engine::Interpreter, &invocation);
    assert_eq!(outcome.failure, None);
    assert_eq!(
        outcome.logs,
        ["kelvins 100, 1 bytes, sum 5, owner 11, writable"]
    );
}

#[test]
fn a_callee_shrinks_and_the_rest_is_zero() {
    // The callee's resize does not clear what it gives up, and the caller sees zeroes.
    let inner = step(Step::Resize, [0, 2]);
    let script = calling(&call(B, 1, inner))
        .step(Step::LogAccount, [0])
        .call(&call(B, 1, step(Step::Resize, [0, 8])))
        .step(Step::LogAccount, [0]);
    let outcome = run(
        Engine::Interpreter,
        &invocation(script, [account(1, B, &[7; 8])]),
    );
    assert_eq!(outcome.failure, None);
    assert_eq!(
        outcome.logs,
        [
            "kelvins 100, 2 bytes, sum 14, owner 11, writable",
            "kelvins 100, 8 bytes, sum 14, owner 11, writable",
        ]
    );
    assert_eq!(outcome.accounts[0].data, [7, 7, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn what_a_shrunk_account_gave_up_is_zero_in_the_callers_memory() {
    // The caller owns the account in the end, and reads the spare bytes without a resize.
    let inner = step(Step::SetData, [0, 0, 0])
        .step(Step::Resize, [0, 1])
        .assign(0, &A);
    let script = calling(&call(B, 1, inner))
        .step(Step::Resize, [0, 4])
        .step(Step::LogAccount, [0]);
    let outcome = run(
        Engine::Interpreter,
        &invocation(script, [account(1, B, &[9; 4])]),
    );
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.accounts[0].data, [0; 4]);
}

#[test]
fn a_callee_grows_by_the_spare_bytes_of_the_caller() {
    let grow = |length| step(Step::Resize, [0, length]);
    for (scripts, failure) in [
        (vec![grow(10_241)], None),
        (vec![grow(10_242)], Some("the callee")),
        (vec![grow(5_000), grow(10_241)], None),
        // Each callee gets 10,240 bytes more, and the caller's entry has no room.
        (vec![grow(5_000), grow(10_242)], Some("NoRoomInEntry")),
    ] {
        let script = scripts.into_iter().fold(Script::new(), |script, inner| {
            script.call(&call(B, 1, inner))
        });
        let outcome = run(
            Engine::Interpreter,
            &invocation(script, [account(1, B, &[7])]),
        );
        match failure {
            None => {
                assert_eq!(outcome.failure, None);
                assert_eq!(outcome.accounts[0].data.len(), 10_241);
                assert_eq!(outcome.accounts[0].data[0], 7);
            }
            // The guest's own check.
            Some("the callee") => {
                let kind = outcome.failure.as_ref().map(Failure::kind);
                assert_eq!(kind, Some("ProgramError"), "{outcome:?}");
            }
            Some(expected) => {
                assert_eq!(outcome.failure.as_ref().map(Failure::kind), Some(expected));
                assert_eq!(
                    outcome.failure.map(|failure| failure.to_string()),
                    Some(format!(
                        "program {B} made the data of account {} 10,242 bytes long, and the calling \
                         program's entry has room for 10,241",
                        Pubkey::new([1; 32])
                    ))
                );
                assert_eq!(outcome.accounts[0].data, [7]);
            }
        }
    }
}

#[test]
fn the_caller_grows_and_the_callee_gets_it_so() {
    let inner = step(Step::LogAccount, [0]);
    let script = step(Step::Resize, [0, 100])
        .step(Step::SetData, [0, 99, 5])
        .call(&call(B, 1, inner))
        .step(Step::Resize, [0, 3]);
    let outcome = run(
        Engine::Interpreter,
        &invocation(script, [account(1, A, &[1])]),
    );
    assert_eq!(outcome.failure, None);
    assert_eq!(
        outcome.logs,
        ["kelvins 100, 100 bytes, sum 6, owner 10, writable"]
    );
    assert_eq!(outcome.accounts[0].data, [1, 0, 0]);
}

#[test]
fn a_callee_closes_what_the_caller_holds() {
    let inner = step(Step::SetKelvins, [0, 0])
        .step(Step::SetKelvins, [1, 200])
        .step(Step::Resize, [0, 0])
        .assign(0, &Pubkey::default());
    let script = calling(&call(B, 2, inner))
        .step(Step::LogAccount, [0])
        .step(Step::LogAccount, [1]);
    let accounts = [account(1, B, &[1; 20]), account(2, A, &[])];
    let outcome = run(Engine::Interpreter, &invocation(script, accounts));
    assert_eq!(outcome.failure, None);
    assert_eq!(
        outcome.logs,
        [
            "kelvins 0, 0 bytes, sum 0, owner 0, writable",
            "kelvins 200, 0 bytes, sum 0, owner 10, writable",
        ]
    );
    assert!(outcome.accounts[0].data.is_empty());
    assert_eq!(outcome.accounts[0].owner, Pubkey::default());
}

#[test]
fn kelvins_move_through_several_levels() {
    // A gives 10 to B's account, B gives 5 of its own to C's, and A sees both.
    let deep = step(Step::SetKelvins, [0, 115]).step(Step::SetKelvins, [2, 95]);
    let inner = step(Step::SetKelvins, [0, 105])
        .step(Step::SetKelvins, [1, 105])
        .call(&call(tests::caller_guest::C, 3, deep));
    let script = step(Step::SetKelvins, [0, 90])
        .step(Step::SetKelvins, [1, 110])
        .call(&call(B, 3, inner))
        .step(Step::SetKelvins, [0, 114])
        .step(Step::SetKelvins, [1, 106]);
    let accounts = [
        account(1, A, &[]),
        account(2, B, &[]),
        account(3, tests::caller_guest::C, &[]),
    ];
    let outcome = run(Engine::Interpreter, &invocation(script, accounts));
    assert_eq!(
        outcome.failure.as_ref().map(Failure::kind),
        Some("KelvinsNotConserved")
    );
    // B credits A's account with 15, and takes only 5 from its own: no.
    let inner = step(Step::SetKelvins, [0, 95])
        .step(Step::SetKelvins, [1, 105])
        .call(&call(
            tests::caller_guest::C,
            3,
            step(Step::SetKelvins, [0, 100]).step(Step::SetKelvins, [2, 95]),
        ));
    let script = step(Step::SetKelvins, [0, 90])
        .step(Step::SetKelvins, [1, 110])
        .call(&call(B, 3, inner))
        .step(Step::SetKelvins, [0, 99])
        .step(Step::SetKelvins, [1, 106]);
    let accounts = [
        account(1, A, &[]),
        account(2, B, &[]),
        account(3, tests::caller_guest::C, &[]),
    ];
    let outcome = run(Engine::Interpreter, &invocation(script, accounts));
    assert_eq!(outcome.failure, None);
    let kelvins: Vec<u64> = outcome
        .accounts
        .iter()
        .map(|account| account.kelvins)
        .collect();
    assert_eq!(kelvins, [99, 106, 95]);
}

#[test]
fn every_length_and_number_of_accounts_reaches_the_callee() {
    for count in [1_u64, 2, 7, 8, 100, 128] {
        let accounts: Vec<AccountInput> = (0..count)
            .map(|number| {
                let data: Vec<u8> = (0..number as u8 % 17).collect();
                account(number as u8 + 1, B, &data)
            })
            .collect();
        let last = count - 1;
        let inner = step(Step::Resize, [last, 30]).step(Step::SetData, [last, 29, 200]);
        let script = calling(&call(B, count, inner)).step(Step::LogAccount, [last]);
        let outcome = run(Engine::Interpreter, &invocation(script, accounts.clone()));
        assert_eq!(outcome.failure, None, "{count}");
        for (before, after) in accounts.iter().zip(&outcome.accounts).take(last as usize) {
            assert_eq!(before.account, *after);
        }
        assert_eq!(outcome.accounts[last as usize].data.len(), 30);
    }
}
