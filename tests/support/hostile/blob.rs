//! Any bytes as a blob: rejected, or run with the same outcome on every engine.

use loader::{AccountInput, Engine, Failure, Invocation, Limits, Loader, Outcome, Pubkey};

use super::machine::assert_nothing_kept;

/// The gas of every call, which bounds the time that a blob takes.
pub const GAS: u64 = 20_000;

/// Loaders that differ only in their engine.
pub struct Loaders(Vec<Loader>);

impl Loaders {
    /// Loaders with low limits, so that a test can try many blobs.
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

    /// Checks any bytes as a blob, and again with the correct length in the header: otherwise the
    /// loader would reject nearly all of them. Returns whether they are a program.
    pub fn check_bytes(&self, bytes: &[u8]) -> bool {
        let first = self.check(bytes);
        let mut with_length = bytes.to_vec();
        set_length(&mut with_length);
        if with_length == bytes {
            return first.is_some();
        }
        assert!(first.is_none(), "a blob with a wrong length");
        self.check(&with_length).is_some()
    }

    /// Loads and calls a blob on every engine. Returns the outcome, which must be the same, if the
    /// blob is a program.
    pub fn check(&self, bytes: &[u8]) -> Option<Outcome> {
        let invocation = invocation();
        let mut results = self.0.iter().map(|loader| {
            let program = loader.load(bytes)?;
            let mut outcome = program.invoke(&invocation).expect("a valid invocation");
            let again = program.invoke(&invocation).expect("a valid invocation");
            assert_eq!(outcome, again, "a second call has the same outcome");
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
                // The message can be formatted.
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

/// Sets the header's length to that of the bytes.
pub fn set_length(bytes: &mut [u8]) {
    let length = bytes.len() as u64;
    if let Some(field) = bytes.get_mut(5..13) {
        field.copy_from_slice(&length.to_le_bytes());
    }
}
