//! Settings under which a program runs as on a published runtime.

use std::str::FromStr;

use abi::Pubkey;

use crate::invocation::Invocation;
use crate::limits::{Limits, RIALO_DEFAULT_GAS};
use crate::log_style::LogStyle;
use crate::prices::Prices;
use crate::program::Loader;

/// Whose limits, prices and log lines a program gets.
///
/// ```
/// use loader::{Engine, Invocation, Limits, Loader, Pubkey, Runtime};
///
/// let loader = Loader::new(Engine::Interpreter)?.as_on(Runtime::Rialo);
/// let invocation = Invocation::as_on(Runtime::Rialo, Pubkey::new([1; 32]));
/// assert_eq!(invocation.gas, 200_000);
/// assert!(!invocation.account_table);
/// invocation.validate(&Limits::rialo())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Runtime {
    /// This project's: [`Limits::default`], [`Prices::default`], [`LogStyle::Plain`]. Invocations
    /// have 1,000,000 units of gas, and an account table.
    #[default]
    Own,
    /// Those that the Rialo runtime publishes: [`Limits::rialo`], [`Prices::rialo`],
    /// [`LogStyle::Runtime`]. Invocations have 200,000 units of gas, and no account table.
    ///
    /// `docs/runtime.md` lists what still differs.
    Rialo,
}

/// The text does not name a runtime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not the name of a runtime; write one of: {}", names())]
pub struct UnknownRuntime {
    /// The text.
    pub name: String,
}

fn names() -> String {
    Runtime::ALL.map(Runtime::name).join(", ")
}

impl FromStr for Runtime {
    type Err = UnknownRuntime;

    /// Reads a [`name`](Self::name).
    fn from_str(name: &str) -> Result<Self, UnknownRuntime> {
        let found = Self::ALL.into_iter().find(|runtime| runtime.name() == name);
        found.ok_or_else(|| UnknownRuntime {
            name: name.to_owned(),
        })
    }
}

impl Runtime {
    /// All runtimes.
    pub const ALL: [Self; 2] = [Self::Own, Self::Rialo];

    /// The name in a fixture and on the command line.
    ///
    /// ```
    /// use loader::Runtime;
    ///
    /// assert_eq!("rialo".parse(), Ok(Runtime::Rialo));
    /// assert_eq!(Runtime::Own.name(), "own");
    /// assert!("ours".parse::<Runtime>().is_err());
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Rialo => "rialo",
        }
    }

    /// The limits.
    #[must_use]
    pub fn limits(self) -> Limits {
        match self {
            Self::Own => Limits::default(),
            Self::Rialo => Limits::rialo(),
        }
    }

    /// The prices.
    #[must_use]
    pub fn prices(self) -> Prices {
        match self {
            Self::Own => Prices::default(),
            Self::Rialo => Prices::rialo(),
        }
    }

    /// The words of the log lines.
    #[must_use]
    pub fn log_style(self) -> LogStyle {
        match self {
            Self::Own => LogStyle::Plain,
            Self::Rialo => LogStyle::Runtime,
        }
    }
}

impl Loader {
    /// Sets limits, prices and log style to those of a runtime, for the programs that the loader
    /// loads from now on.
    #[must_use]
    pub fn as_on(self, runtime: Runtime) -> Self {
        self.limits(runtime.limits())
            .prices(runtime.prices())
            .log_style(runtime.log_style())
    }
}

impl Invocation {
    /// A call without accounts and data, with the gas that a runtime gives by default, the least
    /// heap that the program runs with, and an account table if the runtime writes one.
    #[must_use]
    pub fn as_on(runtime: Runtime, program_id: Pubkey) -> Self {
        let invocation = Self::new(program_id);
        match runtime {
            Runtime::Own => invocation,
            Runtime::Rialo => invocation.gas(RIALO_DEFAULT_GAS).account_table(false),
        }
    }
}
