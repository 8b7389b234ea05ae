//! What a program can reach beyond its own input: the sysvars.

use std::sync::{Arc, LazyLock};

use crate::sysvars::Sysvars;

/// What programs can reach beyond their own input.
pub trait Host: Send + Sync + 'static {
    /// The sysvars.
    fn sysvars(&self) -> &Sysvars;
}

/// A [`Host`] whose parts are set once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    sysvars: Sysvars,
}

impl Host for Environment {
    fn sysvars(&self) -> &Sysvars {
        &self.sysvars
    }
}

/// The host of an invocation that names none.
pub(crate) fn default_host() -> &'static Arc<dyn Host> {
    static HOST: LazyLock<Arc<dyn Host>> = LazyLock::new(|| Arc::new(Environment::default()));
    &HOST
}
