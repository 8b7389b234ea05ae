//! The syscalls that a loader has, by the symbols that programs import.

use std::sync::Arc;

use abi::imports::Import;

use crate::display::display_name;
use crate::error::LoadError;
use crate::own_syscall::{OwnSyscall, Parameter};

/// A syscall that a loader has. [`SyscallSet::find`] returns it.
#[derive(Clone, Debug)]
pub struct Syscall(pub(crate) SyscallKind);

#[derive(Clone, Debug)]
pub(crate) enum SyscallKind {
    /// One of the contract.
    Import(Import),
    /// One of the embedder's.
    Own(Arc<OwnSyscall>),
}

impl Syscall {
    /// The symbol that programs import.
    #[must_use]
    pub fn symbol(&self) -> &str {
        match &self.0 {
            SyscallKind::Import(import) => import.symbol(),
            SyscallKind::Own(own) => &own.symbol,
        }
    }

    /// The types of the parameters.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        match &self.0 {
            SyscallKind::Import(import) => {
                let types = import.parameters().iter();
                types.map(|(_, type_)| parameter(type_)).collect()
            }
            SyscallKind::Own(own) => own.signature.parameters.clone(),
        }
    }

    /// Whether it returns a number of 64 bits to the program.
    #[must_use]
    pub fn has_result(&self) -> bool {
        match &self.0 {
            SyscallKind::Import(import) => import.return_type() != "()",
            SyscallKind::Own(own) => own.signature.has_result,
        }
    }
}

impl From<Import> for Syscall {
    fn from(import: Import) -> Self {
        Self(SyscallKind::Import(import))
    }
}

fn parameter(type_: &str) -> Parameter {
    match type_ {
        "u64" => Parameter::U64,
        "u32" => Parameter::U32,
        _ => Parameter::Pointer,
    }
}

/// The syscalls that a loader has: those of the contract, and those of
/// [`Loader::syscall`](crate::Loader::syscall).
#[derive(Clone, Debug, Default)]
pub struct SyscallSet {
    own: Vec<Arc<OwnSyscall>>,
}

/// Syscalls of the runtime that no loader has, and the reason.
const UNSUPPORTED: [(&str, &str); 1] = [(
    "rlo_curve_pairing_map",
    "the curves of the runtime's other curve syscalls have no pairing; \
     `rlo_alt_bn128_group_op` has one",
)];

impl SyscallSet {
    /// Returns the syscall that a program imports by this symbol.
    ///
    /// # Errors
    ///
    /// [`LoadError::UnsupportedSyscall`] if this loader does not have the syscall of the runtime,
    /// and [`LoadError::UnknownImport`] for any other symbol.
    pub fn find(&self, symbol: &[u8]) -> Result<Syscall, LoadError> {
        if let Some(import) = Import::from_symbol(symbol) {
            return match unavailable(import) {
                None => Ok(import.into()),
                Some(reason) => Err(LoadError::UnsupportedSyscall {
                    symbol: import.symbol(),
                    reason,
                }),
            };
        }
        if let Some(own) = self.own(symbol) {
            return Ok(Syscall(SyscallKind::Own(Arc::clone(own))));
        }
        let mut unsupported = UNSUPPORTED.into_iter();
        Err(
            match unsupported.find(|(name, _)| name.as_bytes() == symbol) {
                Some((symbol, reason)) => LoadError::UnsupportedSyscall { symbol, reason },
                None => LoadError::UnknownImport {
                    symbol: display_name(symbol),
                },
            },
        )
    }

    /// Returns the embedder's syscall with this symbol, if there is one.
    #[cfg(feature = "native")]
    pub(crate) fn find_own(&self, symbol: &[u8]) -> Option<Syscall> {
        let own = Arc::clone(self.own(symbol)?);
        Some(Syscall(SyscallKind::Own(own)))
    }

    pub(crate) fn own(&self, symbol: &[u8]) -> Option<&Arc<OwnSyscall>> {
        self.own.iter().find(|own| own.symbol.as_bytes() == symbol)
    }

    pub(crate) fn add(&mut self, own: Arc<OwnSyscall>) {
        self.own.push(own);
    }
}

/// Why this build of the loader does not have a syscall of the contract, if it does not.
fn unavailable(import: Import) -> Option<&'static str> {
    let needs_crypto = matches!(
        import,
        Import::Secp256k1Recover
            | Import::CurveValidatePoint
            | Import::CurveGroupOp
            | Import::CurveMultiscalarMul
            | Import::AltBn128GroupOp
            | Import::AltBn128Compression
            | Import::Poseidon
            | Import::BigModExp
    );
    (needs_crypto && !cfg!(feature = "crypto"))
        .then_some("this loader is built without it; enable its feature `crypto`")
}
