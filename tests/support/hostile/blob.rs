//! Any bytes as a blob: refused or run, with the same outcome on every engine.

use loader::{AccountInput, Engine, Failure, Invocation, Limits, Loader, Outcome, Pubkey};

use super::machine::assert_nothing_kept;

/// Gas of every call; it bounds how long a blob may take.
pub const GAS: u64 = 20_000;

/// Loaders that differ in nothing but the engine.
pub struct Loaders(Vec<Loader>);

impl Loaders {
    /// Loaders with small limits, so that many blobs can be tried.
    pub fn new(engines: &[Engine]) -> Self {
        let limits = Limits::default()
            .code(1 << 16)
            .program_data(1 << 18)
            .stack(1 << 18)
            .logs(1 << 12);
        let loaders = engines
            .iter()
            .map(|engine| Loader::new(*engine).expect("an engine").limits(limits));
        Self(loaders.collect())
    }

    /// Any bytes as a blob, and the same with a header that says how many they are: without that
    /// nearly all would be refused for the header alone. Answers whether it is a program.
    pub fn check_bytes(&self, bytes: &[u8]) -> bool {
        let first = self.check(bytes);
        let mut with_length = bytes.to_vec();
        set_length(&mut with_length);
        if with_length == bytes {
            return first.is_some();
        }
        assert!(first.is_none(), "a blob that is not as long as it says");
        self.check(&with_length).is_some()
    }

    /// Loads and calls a blob on every engine. Answers the outcome they agree on, if it is a
    /// program.
    pub fn check(&self, bytes: &[u8]) -> Option<Outcome> {
        let invocation = invocation();
        let mut results = self.0.iter().map(|loader| {
            let program = loader.load(bytes)?;
            let mut outcome = program.invoke(&invocation).expect("it is called");
            let again = program.invoke(&invocation).expect("it is called");
            assert_eq!(outcome, again, "a program does the same twice");
            outcome.engine = Engine::Interpreter;
            Ok(outcome)
        });
        let first = results.next().expect("an engine");
        for other in results {
            assert_eq!(first, other, "the engines differ");
        }
        let outcome = first
            .map_err(|error: loader::LoadError| error.to_string())
            .ok()?;
        assert!(outcome.gas_used <= GAS);
        let logged: usize = outcome.logs.iter().map(String::len).sum();
        assert!(logged <= 1 << 12);
        match &outcome.failure {
            Some(failure) => {
                assert_nothing_kept(&invocation, &outcome);
                if let Failure::OutOfGas { limit, .. } = failure {
                    assert_eq!((*limit, outcome.gas_used), (GAS, GAS));
                }
                // What it says to people can be said.
                assert!(!failure.to_string().is_empty());
            }
            None => {
                assert_eq!(outcome.status, Some(0));
                let kelvins: Vec<u64> = outcome.accounts.iter().map(|it| it.kelvins).collect();
                assert_eq!(kelvins.iter().sum::<u64>(), 30);
                assert_eq!(outcome.accounts[1].data, [1, 2, 3]);
            }
        }
        Some(outcome)
    }
}

fn invocation() -> Invocation {
    let account = |number| AccountInput::new(Pubkey::new([number; 32]));
    let id = Pubkey::new([1; 32]);
    Invocation::new(id)
        .gas(GAS)
        .data([0, 1, 2, 3, 4, 5, 6, 7, 8])
        .account(account(2).owner(id).kelvins(10).data([0; 8]).writable())
        .account(account(3).kelvins(20).data([1, 2, 3]).signer())
        .repeat(0)
}

/// Makes the header's length that of the bytes.
pub fn set_length(bytes: &mut [u8]) {
    let length = bytes.len() as u64;
    if let Some(field) = bytes.get_mut(5..13) {
        field.copy_from_slice(&length.to_le_bytes());
    }
}
