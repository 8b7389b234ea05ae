//! Which program a test deploys.

use std::path::{Path, PathBuf};

use loader::Pubkey;

/// A program crate for [`TestLedger::deploy`](crate::TestLedger::deploy): see
/// [`program!`](crate::program).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "deploy it"]
pub struct TestProgram {
    folder: PathBuf,
    id: Option<Pubkey>,
}

impl TestProgram {
    /// The program crate in this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            id: None,
        }
    }

    /// Sets the id of the program. By default it is the [`key`](crate::key) of its package's name.
    ///
    /// ```
    /// use program_test::{Pubkey, TestLedger, program};
    ///
    /// let mut ledger = TestLedger::new();
    /// let id = Pubkey::new([1; 32]);
    /// assert_eq!(ledger.deploy(program!("../examples/counter").id(id)), id);
    /// ```
    pub fn id(mut self, id: Pubkey) -> Self {
        self.id = Some(id);
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn given_id(&self) -> Option<Pubkey> {
        self.id
    }
}

impl From<&Path> for TestProgram {
    fn from(folder: &Path) -> Self {
        Self::in_folder(folder)
    }
}

/// A program crate for [`TestLedger::deploy`](crate::TestLedger::deploy): that of the calling
/// package, or that in a folder, seen from the calling package.
///
/// ```
/// use program_test::{TestLedger, key, program};
///
/// let mut ledger = TestLedger::new();
/// // In the tests of a program: `program!()`.
/// let counter = ledger.deploy(program!("../examples/counter"));
/// assert_eq!(counter, key("counter"));
/// ```
#[macro_export]
macro_rules! program {
    () => {
        $crate::TestProgram::in_folder(::core::env!("CARGO_MANIFEST_DIR"))
    };
    ($folder:expr $(,)?) => {
        $crate::TestProgram::in_folder(
            ::std::path::Path::new(::core::env!("CARGO_MANIFEST_DIR")).join($folder),
        )
    };
}
