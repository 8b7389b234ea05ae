//! Programs: the accounts that have them, and those that are loaded.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bytemuck::{Pod, Zeroable};
use loader::{Account, Builtin, Callee, LoadError, Loader, Program, Pubkey, ids};

/// What precedes a program's file in the data of its account. The layout is that of the runtime's
/// loader (crate `rialo-risc-v-loader-interface` 0.23.0-alpha.0).
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | slot in which the program was deployed |
/// | 8 | 32 | authority: the account that may deploy it again; zero here |
/// | 40 | 8 | status: 1 for a program that is deployed |
/// | 48 | | the file |
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct ProgramHeader {
    slot: u64,
    authority: Pubkey,
    status: u64,
}

/// The status of a program that is deployed.
const DEPLOYED: u64 = 1;

/// The data of a program's account.
pub(crate) fn account_data(slot: u64, file: &[u8]) -> Vec<u8> {
    let header = ProgramHeader {
        slot,
        authority: Pubkey::default(),
        status: DEPLOYED,
    };
    [bytemuck::bytes_of(&header), file].concat()
}

/// The file of a program, if this is the account of one.
pub(crate) fn file_of(account: &Account) -> Option<&[u8]> {
    let is_program = account.executable && account.owner == ids::PROGRAM_LOADER;
    is_program.then(|| account.data.get(size_of::<ProgramHeader>()..))?
}

/// The programs of a ledger: built-in ones, and those that are loaded from accounts.
pub(crate) struct Programs {
    loader: Loader,
    /// A list, because there are few: searching it is faster than hashing an id.
    builtins: Vec<(Pubkey, Arc<dyn Builtin>)>,
    /// The programs that were loaded, each with the account that it was loaded from.
    loaded: RwLock<HashMap<Pubkey, (Arc<Account>, Program)>>,
}

impl Programs {
    pub fn new(loader: Loader) -> Self {
        Self {
            loader,
            builtins: Vec::new(),
            loaded: RwLock::default(),
        }
    }

    pub fn loader(&self) -> &Loader {
        &self.loader
    }

    pub fn add_builtin(&mut self, program_id: Pubkey, builtin: Arc<dyn Builtin>) {
        self.builtins.retain(|(known, _)| *known != program_id);
        self.builtins.push((program_id, builtin));
    }

    /// Whether this is the id of a built-in program.
    pub fn is_builtin(&self, program_id: &Pubkey) -> bool {
        self.builtin(program_id).is_some()
    }

    /// The built-in program with this id.
    pub fn builtin(&self, program_id: &Pubkey) -> Option<&Arc<dyn Builtin>> {
        let known = self.builtins.iter().find(|(known, _)| known == program_id);
        known.map(|(_, builtin)| builtin)
    }

    /// The program in an account; `None` if it is not the account of a program.
    pub fn load(&self, account: &Arc<Account>) -> Result<Option<Program>, LoadError> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, program)) = loaded.get(&account.key)
            && Arc::ptr_eq(from, account)
        {
            return Ok(Some(program.clone()));
        }
        drop(loaded);
        let Some(file) = file_of(account) else {
            return Ok(None);
        };
        let program = self.loader.load(file)?;
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(account.key, (Arc::clone(account), program.clone()));
        Ok(Some(program))
    }

    /// The program with this id, for a program that calls it.
    pub fn callee(&self, program_id: &Pubkey, account: Option<Arc<Account>>) -> Option<Callee> {
        if let Some(builtin) = self.builtin(program_id) {
            return Some(Callee::Builtin(Arc::clone(builtin)));
        }
        // A program that was deployed on another target cannot be loaded, so there is none.
        let program = self.load(&account?).ok()??;
        Some(Callee::Program(program))
    }
}

/// The programs that a thread has used last. To find one here, it needs no lock, and counts no
/// users of what it shares with other threads.
#[derive(Debug, Default)]
pub(crate) struct Loaded(Vec<(Arc<Account>, Program)>);

impl Loaded {
    /// The most programs. It is a list, so there are few.
    const MOST: usize = 8;

    /// The program in an account; `None` if it is not the account of a program.
    pub fn find(
        &mut self,
        programs: &Programs,
        account: &Arc<Account>,
    ) -> Result<Option<&Program>, LoadError> {
        let place = self
            .0
            .iter()
            .position(|(from, _)| Arc::ptr_eq(from, account));
        let place = match place {
            Some(place) => place,
            None => {
                let Some(program) = programs.load(account)? else {
                    return Ok(None);
                };
                if self.0.len() == Self::MOST {
                    self.0.clear();
                }
                self.0.push((Arc::clone(account), program));
                self.0.len() - 1
            }
        };
        Ok(Some(&self.0[place].1))
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Programs")
            .field("loader", &self.loader)
            .field(
                "builtins",
                &self.builtins.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
