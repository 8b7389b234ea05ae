//! Random programs that change accounts and call each other, against the rules stated once more.
//!
//! The model knows nothing of the loader's code: it has the rules of `docs/limits.md` and decision
//! 0022 as a reader would write them down. It predicts whether an invocation succeeds, and all
//! accounts after it.

use std::cell::Cell;

use abi::call::MAX_CALL_DEPTH;
use caller::{Call, Listed, Script, Step};
use loader::{AccountInput, Engine, Invocation, Pubkey};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tests::caller_guest::{A, B, C, account, run};

/// The programs, by their numbers in a plan.
const PROGRAMS: [Pubkey; 3] = [A, B, C];

/// An account of a step: the first one that the program may change, or the one at a position.
#[derive(Clone, Copy, Debug)]
enum Place {
    Own,
    At(usize),
}

/// A step of a program. Its numbers become those of a script when the model reaches it.
#[derive(Clone, Debug)]
enum Plan {
    /// Moves kelvins.
    Move(Place, Place, u64),
    /// Sets the byte at an offset.
    Byte(Place, u64, u8),
    Resize(Place, u64),
    Assign(Place, usize),
    Fail,
    /// Calls a program with accounts of the caller: their positions, and whether each is writable
    /// and a signer. Without a list it passes all accounts on as they are.
    Call(usize, Option<Vec<(usize, bool, bool)>>, Vec<Plan>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    owner: Pubkey,
    kelvins: u64,
    data: Vec<u8>,
}

/// A program while it runs.
struct Frame {
    program: usize,
    /// The account at each position of its list.
    list: Vec<usize>,
    /// The flags of each account: writable, signer.
    flags: Vec<Option<(bool, bool)>>,
    /// What its changes are compared with.
    before: Vec<State>,
}

/// The invocation ends without any change.
struct Refused;

struct Model {
    now: Vec<State>,
    /// The programs that wait, from the outermost on, and the one that runs.
    running: Vec<usize>,
}

impl Frame {
    fn find(&self, place: Place, now: &[State]) -> usize {
        let own = || {
            let mut list = self.list.iter();
            list.position(|account| {
                let is_writable = matches!(self.flags[*account], Some((true, _)));
                is_writable && now[*account].owner == PROGRAMS[self.program]
            })
        };
        match place {
            Place::Own => own().unwrap_or(0),
            Place::At(position) => position % self.list.len(),
        }
    }

    /// The rules for the changes of this program to some accounts.
    fn judge(&self, now: &[State], accounts: &[usize]) -> Result<(), Refused> {
        let sum = |states: &[State]| -> u128 {
            let kelvins = accounts.iter().map(|account| states[*account].kelvins);
            kelvins.map(u128::from).sum()
        };
        let allowed = accounts.iter().all(|account| {
            let (before, after) = (&self.before[*account], &now[*account]);
            let is_writable = matches!(self.flags[*account], Some((true, _)));
            let is_owner = before.owner == PROGRAMS[self.program];
            let has_no_data = after.data.iter().all(|byte| *byte == 0);
            before == after
                || is_writable
                    && (before.data == after.data || is_owner)
                    && (before.kelvins <= after.kelvins || is_owner)
                    && (before.owner == after.owner || is_owner && has_no_data)
        });
        if allowed && sum(&self.before) == sum(now) {
            Ok(())
        } else {
            Err(Refused)
        }
    }
}

impl Model {
    /// Runs a plan, and writes the script that does the same.
    fn run(&mut self, frame: &mut Frame, plan: &[Plan]) -> (Script, Result<(), Refused>) {
        let mut script = Script::new();
        for step in plan {
            let result;
            (script, result) = self.step(frame, step, script);
            if result.is_err() {
                return (script, result);
            }
        }
        let all: Vec<usize> = (0..self.now.len())
            .filter(|account| frame.flags[*account].is_some())
            .collect();
        (script, frame.judge(&self.now, &all))
    }

    fn step(
        &mut self,
        frame: &mut Frame,
        step: &Plan,
        script: Script,
    ) -> (Script, Result<(), Refused>) {
        let at = |place: &Place, now: &[State]| {
            let position = frame.find(*place, now);
            (position as u64, frame.list[position])
        };
        match step {
            Plan::Move(from, to, amount) => {
                let (position, account) = at(from, &self.now);
                let rest = self.now[account].kelvins.saturating_sub(*amount);
                self.now[account].kelvins = rest;
                let script = script.step(Step::SetKelvins, [position, rest]);
                let (position, account) = at(to, &self.now);
                self.now[account].kelvins += amount;
                let sum = self.now[account].kelvins;
                (script.step(Step::SetKelvins, [position, sum]), Ok(()))
            }
            Plan::Byte(place, offset, byte) => {
                let (position, account) = at(place, &self.now);
                let numbers = [position, *offset, (*byte).into()];
                let data = self.now[account].data.get_mut(*offset as usize);
                let result = data.map(|place| *place = *byte).ok_or(Refused);
                (script.step(Step::SetData, numbers), result)
            }
            Plan::Resize(place, length) => {
                let (position, account) = at(place, &self.now);
                self.now[account].data.resize(*length as usize, 0);
                (script.step(Step::Resize, [position, *length]), Ok(()))
            }
            Plan::Assign(place, owner) => {
                let (position, account) = at(place, &self.now);
                self.now[account].owner = PROGRAMS[*owner];
                (script.assign(position, &PROGRAMS[*owner]), Ok(()))
            }
            Plan::Fail => (script.step(Step::Return, [7]), Err(Refused)),
            Plan::Call(program, list, plan) => {
                let (call, result) = self.call(frame, *program, list.as_deref(), plan);
                (script.call(&call), result)
            }
        }
    }

    fn call(
        &mut self,
        caller: &mut Frame,
        program: usize,
        list: Option<&[(usize, bool, bool)]>,
        plan: &[Plan],
    ) -> (Call, Result<(), Refused>) {
        let own = |(position, account): (usize, &usize)| {
            let (is_writable, is_signer) = caller.flags[*account].unwrap_or_default();
            (position, is_writable, is_signer)
        };
        let all: Vec<_> = caller.list.iter().enumerate().map(own).collect();
        let list: Vec<(usize, bool, bool)> = list.map_or(all, |list| {
            let fit = |(position, writable, signer): &(usize, bool, bool)| {
                (position % caller.list.len(), *writable, *signer)
            };
            list.iter().map(fit).collect()
        });
        let mut callee = Frame {
            program,
            list: Vec::new(),
            flags: vec![None; self.now.len()],
            before: self.now.clone(),
        };
        let mut result = Ok(());
        for (position, is_writable, is_signer) in &list {
            let account = caller.list[*position];
            callee.list.push(account);
            let (may_write, may_sign) = caller.flags[account].unwrap_or_default();
            if *is_writable && !may_write || *is_signer && !may_sign {
                result = Err(Refused);
            }
            let flags = callee.flags[account].get_or_insert_default();
            *flags = (flags.0 | is_writable, flags.1 | is_signer);
        }
        let mut accounts = callee.list.clone();
        accounts.sort_unstable();
        accounts.dedup();
        let waits = self.running.contains(&program) && self.running.last() != Some(&program);
        if waits || self.running.len() as u64 == MAX_CALL_DEPTH {
            result = Err(Refused);
        }
        if caller.judge(&self.now, &accounts).is_err() {
            result = Err(Refused);
        }
        self.running.push(program);
        // Without accounts, a step of the callee would have none to name.
        let plan = if callee.list.is_empty() { &[] } else { plan };
        let (script, ran) = self.run(&mut callee, plan);
        self.running.pop();
        for account in accounts {
            caller.before[account] = self.now[account].clone();
        }
        let listed = list
            .iter()
            .map(|(position, is_writable, is_signer)| Listed {
                is_writable: (*is_writable).into(),
                is_signer: (*is_signer).into(),
                ..Listed::at(*position as u64)
            });
        let call = Call {
            program_id: PROGRAMS[program],
            listed: listed.collect(),
            passed: (0..caller.list.len() as u64).collect(),
            signers: Vec::new(),
            data: script.0,
        };
        (call, result.and(ran))
    }
}

/// The accounts: one of each program, a second one of A that signs, and one that is read-only.
fn accounts() -> Vec<AccountInput> {
    let mut accounts = vec![
        account(1, A, &[0; 8]),
        account(2, B, &[0; 8]),
        account(3, C, &[1, 2, 3]),
        account(4, A, &[]),
        account(5, B, &[9; 4]),
    ];
    accounts[3].is_signer = true;
    accounts[4].is_writable = false;
    accounts
}

/// The invocation of a plan, and the accounts after it if it succeeds.
fn predict(plan: &[Plan]) -> (Invocation, Option<Vec<State>>) {
    let accounts = accounts();
    let state = |input: &AccountInput| State {
        owner: input.account.owner,
        kelvins: input.account.kelvins,
        data: input.account.data.to_vec(),
    };
    let now: Vec<State> = accounts.iter().map(state).collect();
    let flags = accounts.iter();
    let flags = flags.map(|input| Some((input.is_writable, input.is_signer)));
    let mut frame = Frame {
        program: 0,
        list: (0..accounts.len()).collect(),
        flags: flags.collect(),
        before: now.clone(),
    };
    let mut model = Model {
        now,
        running: vec![0],
    };
    let (script, result) = model.run(&mut frame, plan);
    let invocation = tests::caller_guest::invocation(script, accounts);
    (invocation, result.is_ok().then_some(model.now))
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![6 => Just(Place::Own), 1 => (0..5_usize).prop_map(Place::At)]
}

fn any_place() -> impl Strategy<Value = Place> {
    prop_oneof![1 => Just(Place::Own), 2 => (0..4_usize).prop_map(Place::At)]
}

fn edit() -> impl Strategy<Value = Plan> {
    prop_oneof![
        6 => (place(), any_place(), 0..60_u64).prop_map(|(from, to, n)| Plan::Move(from, to, n)),
        6 => (place(), 0..4_u64, any::<u8>()).prop_map(|(at, offset, n)| Plan::Byte(at, offset, n)),
        3 => (place(), 4..40_u64).prop_map(|(at, length)| Plan::Resize(at, length)),
        1 => (place(), 0..3_usize).prop_map(|(at, owner)| Plan::Assign(at, owner)),
        1 => (place(), 0..3_usize).prop_flat_map(|(at, owner)| {
            Just(Plan::Call(owner, None, vec![Plan::Resize(at, 0), Plan::Assign(at, owner)]))
        }),
        1 => Just(Plan::Fail),
    ]
}

fn list() -> impl Strategy<Value = Option<Vec<(usize, bool, bool)>>> {
    let listed = (0..5_usize, any::<bool>(), prop::bool::weighted(0.1));
    let some = prop::collection::vec(listed, 0..6).prop_map(Some);
    prop_oneof![5 => Just(None), 2 => some]
}

fn plan() -> impl Strategy<Value = Vec<Plan>> {
    let step = edit().prop_recursive(5, 40, 4, |step| {
        let inner = prop::collection::vec(step.clone(), 0..4);
        let call = (0..3_usize, list(), inner);
        let call = call.prop_map(|(program, list, plan)| Plan::Call(program, list, plan));
        prop_oneof![1 => step, 2 => call]
    });
    prop::collection::vec(step, 1..5)
}

/// Compares the outcomes of random plans with the model's. The engine runs one in so many of them.
fn outcomes_are_the_models(engine: Engine, cases: u32) {
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    });
    let ends = [const { Cell::new(0) }; 2];
    let result = runner.run(&plan(), |plan| {
        let (invocation, expected) = predict(&plan);
        let outcome = run(engine, &invocation);
        prop_assert_eq!(
            outcome.is_success(),
            expected.is_some(),
            "{:?}",
            outcome.failure
        );
        let before = accounts().into_iter().map(|input| input.account);
        let kept = before.zip(&outcome.accounts).enumerate();
        for (index, (before, after)) in kept {
            let after = (after.owner, after.kelvins, after.data.to_vec());
            let state = match &expected {
                Some(states) => states[index].clone(),
                None => State {
                    owner: before.owner,
                    kelvins: before.kelvins,
                    data: before.data.into_vec(),
                },
            };
            prop_assert_eq!(after, (state.owner, state.kelvins, state.data));
        }
        let end = &ends[usize::from(expected.is_some())];
        end.set(end.get() + 1);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{engine}: {error}"));
    // Plans that all fail would show little, and so would plans that all succeed.
    let [failed, succeeded] = ends.map(Cell::into_inner);
    let least = cases / 10;
    assert!(
        failed > least && succeeded > least,
        "{failed} failed, {succeeded} succeeded"
    );
}

#[test]
fn outcomes_are_the_models_on_the_interpreter() {
    outcomes_are_the_models(Engine::Interpreter, 2_000);
}

#[test]
fn outcomes_are_the_models_on_every_other_engine() {
    for engine in &program_test::polkavm_engines()[1..] {
        outcomes_are_the_models(*engine, 60);
    }
    outcomes_are_the_models(Engine::Wasm, 300);
    if program_build::guest::RUNS_NATIVELY {
        outcomes_are_the_models(Engine::Native, 60);
    }
}
