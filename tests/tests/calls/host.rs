//! Programs and accounts of the host's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use caller::{Script, Step};
use loader::backend::{Backend, SyscallSet};
use loader::{
    Account, Builtin, BuiltinCall, Engine, Failure, Host, InvocationError, Limits, LoadError,
    Loader, Outcome, ProgramError, Pubkey,
};
use tests::caller_guest::{
    A, B, account, call, calling, environment, invocation, load, program, step,
};
use tests::everywhere_guest::engines;
use tests::toy::{Toy, ToyInstance, ToyProgram};

const BUILTIN: Pubkey = Pubkey::new([0xF; 32]);

/// Does what the first byte of its instruction data says.
struct Scripted;

impl Builtin for Scripted {
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
        call.use_gas(1_000)?;
        match call.data() {
            [0, amount] => {
                let amount = u64::from(*amount);
                let from = call.account_mut(0)?;
                let left = from.kelvins.checked_sub(amount);
                from.kelvins = left.ok_or(ProgramError::InsufficientFunds)?;
                call.account_mut(1)?.kelvins += amount;
            }
            [1, length] => call.account_mut(0)?.data = vec![1; usize::from(*length)].into(),
            [2] => {
                let text = format!(
                    "{} accounts at depth {} of {}",
                    call.account_count(),
                    call.depth(),
                    call.program_id()
                );
                call.log(text)?;
                call.set_return_data(*b"builtin")?;
            }
            [3] => panic!("a bug of the host's"),
            [4] => call.use_gas(u64::MAX)?,
            [5] => call.account_mut(0)?.key = Pubkey::new([9; 32]),
            [6] => call.set_return_data(vec![0; 5_000])?,
            [7] => {
                let signer = call.account(0)?.is_signer;
                call.log(format!("signer {signer}"))?;
            }
            _ => return Err(ProgramError::InvalidInstructionData.into()),
        }
        Ok(())
    }
}

fn outcome(engine: Engine, data: &[u8], accounts: u64) -> Outcome {
    let host: Arc<dyn Host> = Arc::new(environment([engine; 3]).builtin(BUILTIN, Scripted));
    let script = calling(&call(BUILTIN, accounts, Script(data.to_vec())));
    let invocation = invocation(script, [account(1, BUILTIN, &[7]), account(2, A, &[])]);
    program(engine).invoke_with(&host, &invocation).unwrap()
}

#[test]
fn a_builtin_is_a_program() {
    let kind = |data: &[u8], accounts| {
        let outcome = outcome(Engine::Interpreter, data, accounts);
        outcome.failure.map_or("none", |failure| failure.kind())
    };
    let moved = outcome(Engine::Interpreter, &[0, 30], 2);
    assert_eq!(moved.failure, None);
    assert_eq!([70, 130], [0, 1].map(|index| moved.accounts[index].kelvins));
    assert_eq!(moved.calls[0].gas_used, 1_000);
    let grown = outcome(Engine::Interpreter, &[1, 200], 2);
    assert_eq!(grown.accounts[0].data, [1; 200]);
    let told = outcome(Engine::Interpreter, &[2], 2);
    assert_eq!(told.logs, [format!("2 accounts at depth 2 of {BUILTIN}")]);
    assert_eq!(told.return_data, b"builtin");
    assert_eq!(outcome(Engine::Interpreter, &[7], 1).logs, ["signer false"]);
    assert_eq!(kind(&[0, 101], 2), "ProgramError");
    assert_eq!(kind(&[0, 1], 1), "ProgramError");
    assert_eq!(kind(&[9], 1), "ProgramError");
    assert_eq!(kind(&[4], 1), "OutOfGas");
    assert_eq!(kind(&[5], 1), "KeyChanged");
    assert_eq!(kind(&[6], 1), "ReturnDataTooLong");
}

#[test]
fn a_panic_of_a_builtin_reaches_the_embedder_on_every_engine() {
    for engine in engines() {
        let panicked = catch_unwind(AssertUnwindSafe(|| outcome(engine, &[3], 1)));
        let panic = panicked.expect_err("a panic");
        assert_eq!(
            panic.downcast_ref::<&str>(),
            Some(&"a bug of the host's"),
            "{engine}"
        );
        // The programs can be called again.
        assert_eq!(outcome(engine, &[2], 1).failure, None, "{engine}");
    }
}

#[test]
fn without_a_host_there_is_no_program() {
    let script = calling(&call(B, 0, Script::new()));
    let outcome = program(Engine::Interpreter)
        .invoke(&invocation(script, []))
        .unwrap();
    assert_eq!(
        outcome.failure.map(|failure| failure.to_string()),
        Some(format!("the host has no program {B}"))
    );
}

/// A host that knows accounts only.
struct Accounts(loader::Sysvars);

impl Host for Accounts {
    fn sysvars(&self) -> &loader::Sysvars {
        &self.0
    }

    fn find_account(&self, key: &Pubkey) -> Option<Account> {
        (*key == A).then(Account::default)
    }
}

#[test]
fn a_host_may_have_no_programs() {
    let host: Arc<dyn Host> = Arc::new(Accounts(loader::Sysvars::default()));
    assert!(host.find_program(&A).is_none());
    let script = step(Step::LogDepth, []);
    let outcome = program(Engine::Interpreter)
        .invoke_with(&host, &invocation(script, []))
        .unwrap();
    assert_eq!(outcome.logs, ["depth 1"]);
}

/// A backend whose engine always fails.
struct Broken;

impl Backend for Broken {
    type Program = ToyProgram;
    type Instance<'a> = ToyInstance<'a>;

    fn engine(&self) -> Engine {
        Engine::Interpreter
    }

    fn load(
        &self,
        file: &[u8],
        limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Result<ToyProgram, LoadError> {
        Toy.load(file, limits, syscalls)
    }

    fn with_instance<T>(
        &self,
        _program: &ToyProgram,
        _limits: &Limits,
        _run: impl FnOnce(&mut ToyInstance<'_>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        Err(InvocationError::engine("no power"))
    }
}

#[test]
fn an_engine_that_fails_under_a_call_fails_the_invocation() {
    let loader = Loader::with_backend(Broken);
    let broken = loader.load(b"TOY\nreturn 0\n\n").unwrap();
    for engine in engines() {
        let environment = environment([engine; 3]).program(BUILTIN, broken.clone());
        let host: Arc<dyn Host> = Arc::new(environment);
        // Also if it is not the host that calls the caller.
        let inner = calling(&call(BUILTIN, 0, Script::new()));
        for script in [inner.clone(), calling(&call(B, 0, inner))] {
            let result = program(engine).invoke_with(&host, &invocation(script, []));
            assert_eq!(result, Err(InvocationError::engine("no power")), "{engine}");
        }
    }
}

#[test]
fn a_callee_has_the_limits_of_its_own_loader() {
    let engine = Engine::Interpreter;
    let inner = calling(&call(BUILTIN, 1, Script::new()));
    let outcome = |limits| {
        let callee = load(engine, limits);
        let host: Arc<dyn Host> = Arc::new(environment([engine; 3]).program(BUILTIN, callee));
        let invocation = invocation(calling(&call(B, 1, inner.clone())), [account(1, A, &[])]);
        program(engine).invoke_with(&host, &invocation).unwrap()
    };
    // Lengths of the instruction data, the id, the count, the entry, and the account table.
    let length = 8 + 32 + 8 + abi::input::entry_length(0).unwrap() + 8 + 16;
    assert_eq!(outcome(Limits::default().input(length)).failure, None);
    let failed = outcome(Limits::default().input(length - 1));
    let failure = failed.failure.expect("a failure");
    assert_eq!(failure.kind(), "NotCalled");
    assert_eq!(
        failure.to_string(),
        format!(
            "program {B}, called at depth 2, failed: program {BUILTIN} was not called: the \
             serialized input takes 10,408 bytes; the limit is 10,407"
        )
    );
    // The gas is the caller's.
    let little = outcome(Limits::default().gas(1_000));
    assert_eq!(little.failure, None);
    assert_eq!(little.gas_used, outcome(Limits::default()).gas_used);
    assert!(little.calls[1].gas_used < 1_000);
}
