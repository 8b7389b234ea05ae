//! Targets and engines: what programs are compiled for, and what runs them.

use std::fmt;

/// One target, and the engines that run its programs.
struct Row {
    target: Target,
    name: &'static str,
    /// How the names of its files end.
    extension: &'static str,
    /// The first bytes of its files.
    magic: &'static [u8],
    engines: &'static [(Engine, &'static str)],
    /// The feature of this crate that its engines need, if they need one.
    feature: Option<Feature>,
}

/// A feature of this crate.
struct Feature {
    name: &'static str,
    is_enabled: bool,
}

/// Every target, in the order of [`Target`]. A new target is a row here and a folder in `backend`.
const TABLE: [Row; 3] = [
    Row {
        target: Target::Riscv64,
        name: "riscv64",
        extension: "polkavm",
        magic: b"PVM\0",
        engines: &[
            (Engine::Interpreter, "interpreter"),
            (Engine::Compiler, "compiler"),
        ],
        feature: None,
    },
    Row {
        target: Target::Wasm32,
        name: "wasm32",
        extension: "wasm",
        magic: b"\0asm",
        engines: &[(Engine::Wasm, "wasm")],
        feature: Some(Feature {
            name: "wasm",
            is_enabled: cfg!(feature = "wasm"),
        }),
    },
    Row {
        target: Target::Native,
        name: "native",
        extension: "so",
        magic: b"\x7fELF",
        engines: &[(Engine::Native, "native")],
        feature: Some(Feature {
            name: "native",
            is_enabled: cfg!(feature = "native"),
        }),
    },
];

/// What runs a program. Outcomes are the same on every engine, except for gas and heap:
/// `docs/targets.md` lists the differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Engine {
    /// PolkaVM, which interprets instructions: runs everywhere, starts at once.
    #[default]
    Interpreter,
    /// PolkaVM, which compiles the program to machine code and runs it in a sandboxed process of
    /// its own: x86-64 Linux only. The gas is the same as the interpreter's.
    Compiler,
    /// `wasmi`, which interprets WebAssembly. With the feature `wasm`.
    Wasm,
    /// The computer's own processor, in a child process: fast, open to debuggers, and without any
    /// sandbox. Linux only, with the feature `native`; see [`Loader::native`](crate::Loader).
    Native,
}

impl Engine {
    /// The engines of PolkaVM, which run the same blobs and count the same gas.
    pub const POLKAVM: [Self; 2] = [Self::Interpreter, Self::Compiler];

    /// The target that the engine runs programs of.
    #[must_use]
    pub fn target(self) -> Target {
        self.row().target
    }

    /// The feature of this crate that the engine needs, if this build lacks it.
    pub(crate) fn disabled_feature(self) -> Option<&'static str> {
        let feature = self.row().feature.as_ref()?;
        (!feature.is_enabled).then_some(feature.name)
    }

    fn row(self) -> &'static Row {
        TABLE
            .iter()
            .find(|row| row.engines.iter().any(|(engine, _)| *engine == self))
            .expect("the table has every engine")
    }
}

/// What a program is compiled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Target {
    /// RISC-V, as PolkaVM has it: a blob.
    #[default]
    Riscv64,
    /// WebAssembly: a module.
    Wasm32,
    /// The computer that compiles it: a shared library.
    Native,
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 3] = [Self::Riscv64, Self::Wasm32, Self::Native];

    /// The extension of its files: `polkavm`, `wasm`, `so`.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        TABLE[self as usize].extension
    }

    /// The target of a program's file, by its first bytes; `None` if no target has files that begin
    /// with them.
    ///
    /// ```
    /// use loader::Target;
    ///
    /// assert_eq!(Target::of(b"\0asm\x01\0\0\0"), Some(Target::Wasm32));
    /// assert_eq!(Target::of(b"#!/bin/sh"), None);
    /// ```
    #[must_use]
    pub fn of(file: &[u8]) -> Option<Self> {
        let row = TABLE.iter().find(|row| file.starts_with(row.magic))?;
        Some(row.target)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(TABLE[*self as usize].name)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.row();
        let own = row.engines.iter().find(|(engine, _)| engine == self);
        let (_, name) = own.expect("the engine is in its row");
        formatter.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_row() {
        for (row, target) in TABLE.iter().zip(Target::ALL) {
            assert_eq!(row.target, target);
            assert_eq!(row.target as usize, target as usize);
            assert_eq!(Target::of(row.magic), Some(target));
        }
    }

    #[test]
    fn each_engine_has_a_name_of_its_own() {
        let engines = TABLE.iter().flat_map(|row| row.engines);
        let names = ["interpreter", "compiler", "wasm", "native"];
        assert!(engines.map(|(engine, _)| engine.to_string()).eq(names));
        let all = [
            Engine::Interpreter,
            Engine::Compiler,
            Engine::Wasm,
            Engine::Native,
        ];
        let targets = all.map(Engine::target);
        assert_eq!(targets[1..], Target::ALL);
        assert_eq!(targets[0], Target::Riscv64);
    }
}
