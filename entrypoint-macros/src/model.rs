//! The program that an invocation of a macro describes.

use syn::{Expr, ExprPath};

/// The entry macros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `entrypoint!`
    WithHeap,
    /// `entrypoint_no_alloc!`
    NoAlloc,
    /// `entrypoint_lazy!`
    Lazy,
}

/// A program that can be expanded.
pub struct Program {
    pub function: ExprPath,
    pub accounts: Accounts,
    pub heap: Heap,
    /// The least heap in bytes, an expression; `None` for 32 KiB.
    pub heap_size: Option<Expr>,
    /// `None` if the program declares its own panic handler.
    pub panic: Option<PanicLevel>,
}

/// Where the entry lists the accounts if there is no account table.
#[derive(Clone, Copy)]
pub enum Accounts {
    OnHeap {
        reject_duplicates: bool,
    },
    OnStack {
        max: u8,
        reject_duplicates: bool,
    },
    /// Nowhere: the function reads them itself.
    Nowhere,
}

impl Accounts {
    pub fn entry(self) -> Entry {
        match self {
            Self::OnHeap { .. } => Entry::WithHeap,
            Self::OnStack { .. } => Entry::NoAlloc,
            Self::Nowhere => Entry::Lazy,
        }
    }
}

/// The program's heap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Heap {
    Ours(HeapKind),
    /// A heap that the program declares itself.
    Custom,
}

/// The heaps that the option `heap` offers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum HeapKind {
    Bump,
    Segregated,
}

impl HeapKind {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "bump" => Some(Self::Bump),
            "segregated" => Some(Self::Segregated),
            _ => None,
        }
    }
}

/// How much the default panic handler reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PanicLevel {
    Message,
    Location,
    Abort,
}

impl PanicLevel {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "message" => Some(Self::Message),
            "location" => Some(Self::Location),
            "abort" => Some(Self::Abort),
            _ => None,
        }
    }
}
