//! The bench of allocators. The crate `allocator-bench` is the guest, and explains how to read its
//! figures.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{CargoOpt, MetadataCommand};
use loader::fixture::DEFAULT_PROGRAM_ID;
use loader::{Engine, Invocation, Loader, Program};
use serde::{Deserialize, Serialize};

use cargo_entrypoint::bench::{Figure, Measured};
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;

/// Length in bytes of the heap in which every workload runs.
pub const HEAP_SIZE: u32 = 512 * 1024;

/// Every workload of every allocator uses a small part of this.
const GAS: u64 = 1_000_000_000;

/// The number of the guest's workload that does nothing.
const EMPTY: u32 = 0;

/// The guest's feature that replaces the allocator by one buffer, so that only the loops cost gas.
const ONE_BUFFER: &str = "one_buffer";

/// The guest's feature that counts the calls of the allocator.
const TRACED: &str = "traced";

/// An allocator to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allocator {
    /// `allocator::BumpAllocator`.
    Bump,
    /// `allocator::SegregatedBumpAllocator`.
    Segregated,
    /// The bottom end of `allocator::Arena`.
    ArenaBottom,
    /// The top end of `allocator::Arena`.
    ArenaTop,
    /// `allocator::InvocationArena`.
    InvocationArena,
    /// `allocator::PagedInvocationArena`.
    PagedInvocationArena,
    /// `picoalloc`.
    Picoalloc,
    /// `talc`.
    Talc,
    /// `rlsf`.
    Rlsf,
    /// `linked_list_allocator`.
    LinkedListAllocator,
}

impl Allocator {
    /// All of them, ours first.
    pub const ALL: [Self; 10] = [
        Self::Bump,
        Self::Segregated,
        Self::ArenaBottom,
        Self::ArenaTop,
        Self::InvocationArena,
        Self::PagedInvocationArena,
        Self::Picoalloc,
        Self::Talc,
        Self::Rlsf,
        Self::LinkedListAllocator,
    ];

    /// The heaps of this project.
    pub const HEAPS: [Self; 2] = [Self::Bump, Self::Segregated];

    /// The arenas of this project.
    pub const ARENAS: [Self; 4] = [
        Self::ArenaBottom,
        Self::ArenaTop,
        Self::InvocationArena,
        Self::PagedInvocationArena,
    ];

    /// Whether it is one of this project, whose build downloads nothing.
    #[must_use]
    pub fn is_ours(self) -> bool {
        Self::HEAPS.contains(&self) || Self::ARENAS.contains(&self)
    }

    /// Whether it frees a block before all others.
    #[must_use]
    pub const fn frees(self) -> bool {
        !matches!(self, Self::InvocationArena | Self::PagedInvocationArena)
    }

    /// Its name, which is the guest's feature, and for another's allocator that of its crate.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bump => "bump",
            Self::Segregated => "segregated",
            Self::ArenaBottom => "arena_bottom",
            Self::ArenaTop => "arena_top",
            Self::InvocationArena => "invocation_arena",
            Self::PagedInvocationArena => "paged_invocation_arena",
            Self::Picoalloc => "picoalloc",
            Self::Talc => "talc",
            Self::Rlsf => "rlsf",
            Self::LinkedListAllocator => "linked_list_allocator",
        }
    }
}

/// A sequence of calls of an allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// How many operations it consists of.
    pub operations: u32,
    /// Description of one operation, for people.
    pub operation: &'static str,
    /// Whether one buffer can replace all its blocks, so that the cost of its loop can be
    /// subtracted.
    pub has_loop_figure: bool,
}

/// The guest's workloads, in its order.
pub const WORKLOADS: [Workload; 11] = [
    Workload {
        name: "box_freed",
        operations: 500,
        operation: "a `Box<u64>`, freed at once",
        has_loop_figure: true,
    },
    Workload {
        name: "box_kept",
        operations: 500,
        operation: "a `Box<u64>`, never freed",
        has_loop_figure: true,
    },
    Workload {
        name: "vec_growth",
        operations: 1_000,
        operation: "a number pushed to a growing `Vec<u64>`",
        has_loop_figure: false,
    },
    Workload {
        name: "btree",
        operations: 200,
        operation: "an entry of a `BTreeMap`: insert all in scattered order, remove half, look up all",
        has_loop_figure: false,
    },
    Workload {
        name: "format",
        operations: 50,
        operation: "a `format!`, freed at once",
        has_loop_figure: false,
    },
    Workload {
        name: "mixed",
        operations: 2_000,
        operation: "replace a random one of 64 blocks by 1 to 128 bytes; the first 64 only allocate",
        has_loop_figure: true,
    },
    Workload {
        name: "zeroed",
        operations: 16,
        operation: "a zeroed KiB, never freed",
        has_loop_figure: true,
    },
    Workload {
        name: "box_freed_apart",
        operations: 500,
        operation: "a `Box<u64>`, freed at once, with other work around each call",
        has_loop_figure: true,
    },
    Workload {
        name: "box_kept_apart",
        operations: 500,
        operation: "a `Box<u64>`, never freed, with other work around each call",
        has_loop_figure: true,
    },
    Workload {
        name: "text_apart",
        operations: 500,
        operation: "1 to 64 bytes aligned to 1, freed at once, with other work around each call",
        has_loop_figure: true,
    },
    Workload {
        name: "pair_apart",
        operations: 500,
        operation: "a text and a list of 1 to 64 bytes, freed in reverse order, likewise",
        has_loop_figure: true,
    },
];

/// The cost of one workload with one allocator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The allocator's name.
    pub allocator: String,
    /// The workload's name.
    pub workload: String,
    /// Gas of the whole workload, its loop included.
    pub gas: u64,
    /// Gas of one operation, without the loop if [`Workload::has_loop_figure`] is true.
    pub gas_per_op: f64,
    /// Bytes from the start of the lowest block to the end of the highest.
    pub peak: u64,
    /// The most bytes that the workload had in live blocks at once.
    pub live: u64,
    /// Length of the stripped blob in bytes, with all workloads.
    pub blob: u64,
}

impl Measured for Row {
    fn subject(&self) -> String {
        format!("{} with {}", self.workload, self.allocator)
    }

    fn is_ours(&self) -> bool {
        Allocator::ALL
            .iter()
            .any(|allocator| allocator.is_ours() && allocator.name() == self.allocator)
    }

    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure::new(self.subject(), "gas", self.gas),
            Figure::new(self.subject(), "heap peak", self.peak),
            Figure::new(&self.allocator, "blob", self.blob),
        ]
    }
}

/// A fault of a workload with an allocator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadFailed {
    /// The allocator's name.
    pub allocator: &'static str,
    /// The workload's name.
    pub workload: &'static str,
    /// The fault, for people.
    pub reason: String,
}

impl fmt::Display for WorkloadFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            allocator,
            workload,
            reason,
        } = self;
        write!(out, "`{workload}` with `{allocator}` {reason}")
    }
}

impl std::error::Error for WorkloadFailed {}

/// Builds the guest with each of the allocators and runs every workload. Returns a row for each
/// pair, in the order of both lists. Progress goes to the standard error.
///
/// # Errors
///
/// If the guest does not build. [`WorkloadFailed`] if a workload fails, or returns different
/// results with two allocators.
pub fn measure(guest: &ProgramPackage, allocators: &[Allocator]) -> Result<Vec<Row>> {
    let loops = Bench::build(guest, ONE_BUFFER)?.loops()?;
    let mut agreed = Agreed::default();
    let mut rows = Vec::new();
    for allocator in allocators {
        let bench = Bench::build(guest, allocator.name())?;
        rows.extend(bench.rows(guest, &loops, &mut agreed)?);
    }
    Ok(rows)
}

/// The versions of other projects' allocators, by name, as they are built here.
///
/// # Errors
///
/// If cargo does not report them.
pub fn versions(guest: &ProgramPackage) -> Result<BTreeMap<String, String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(guest.folder.join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .exec()
        .context("cannot read the versions of the allocators")?;
    let others = Allocator::ALL
        .into_iter()
        .filter(|allocator| !allocator.is_ours());
    let version = |name: &str| {
        metadata
            .packages
            .iter()
            .find(|package| package.name == name)
            .map(|package| (name.to_owned(), package.version.to_string()))
            .with_context(|| format!("there is no package `{name}`"))
    };
    others.map(|allocator| version(allocator.name())).collect()
}

/// Figures that must be equal for all allocators, by figure and workload.
#[derive(Default)]
struct Agreed(BTreeMap<(&'static str, &'static str), u64>);

impl Agreed {
    /// Checks a figure against that of the allocators before.
    fn check(
        &mut self,
        figure: &'static str,
        allocator: &'static str,
        workload: &'static str,
        found: u64,
    ) -> Result<(), WorkloadFailed> {
        let known = *self.0.entry((figure, workload)).or_insert(found);
        if known == found {
            return Ok(());
        }
        Err(WorkloadFailed {
            allocator,
            workload,
            reason: format!("has the {figure} {found}, others have {known}"),
        })
    }
}

/// A build of the guest.
struct Bench {
    /// The allocator's name.
    allocator: &'static str,
    program: Program,
    /// Length of the blob in bytes.
    blob: u64,
}

impl Bench {
    /// The plain build, which is the one that is weighed.
    fn build(guest: &ProgramPackage, allocator: &'static str) -> Result<Self> {
        Self::build_with(guest, allocator, &[allocator])
    }

    fn build_with(
        guest: &ProgramPackage,
        allocator: &'static str,
        features: &[&str],
    ) -> Result<Self> {
        let text = format!("building `{}` with {}", guest.name, features.join(", "));
        guest.options.progress(&text);
        let blob = guest::build_with_features(guest, features, DebugInfo::Strip)?;
        let program = Loader::new(Engine::Interpreter)?
            .load(&blob)
            .with_context(|| format!("cannot load the bench of `{allocator}`"))?;
        Ok(Self {
            allocator,
            program,
            blob: blob.len() as u64,
        })
    }

    /// The cost of each workload's loop; `None` if it cannot be separated.
    fn loops(&self) -> Result<Vec<Option<u64>>> {
        let numbered = (1..).zip(&WORKLOADS);
        let of = |(number, workload): (u32, &Workload)| {
            if !workload.has_loop_figure {
                return Ok(None);
            }
            let (gas, _) = self.gas(number, workload)?;
            Ok(Some(gas))
        };
        numbered.map(of).collect()
    }

    /// A row for every workload.
    fn rows(
        &self,
        guest: &ProgramPackage,
        loops: &[Option<u64>],
        agreed: &mut Agreed,
    ) -> Result<Vec<Row>> {
        let traced = Self::build_with(guest, self.allocator, &[self.allocator, TRACED])?;
        let mut rows = Vec::new();
        for ((number, workload), of_loop) in (1..).zip(&WORKLOADS).zip(loops) {
            let (gas, figures) = self.gas(number, workload)?;
            let (_, traced) = traced.call(number, workload.name, workload.operations)?;
            let [checksum, peak, live] = traced[..] else {
                bail!("the bench of `{}` counts nothing", self.allocator);
            };
            for (figure, found) in [
                ("checksum", figures[0]),
                ("checksum", checksum),
                ("most live bytes", live),
            ] {
                agreed.check(figure, self.allocator, workload.name, found)?;
            }
            let of_loop = of_loop.unwrap_or(0);
            ensure!(
                gas >= of_loop,
                "`{}` with `{}` costs {gas} gas, less than its loop alone, {of_loop}: the compiler changed the loop",
                workload.name,
                self.allocator
            );
            let of_allocator = gas - of_loop;
            rows.push(Row {
                allocator: self.allocator.to_owned(),
                workload: workload.name.to_owned(),
                gas,
                gas_per_op: of_allocator as f64 / f64::from(workload.operations),
                peak,
                live,
                blob: self.blob,
            });
        }
        Ok(rows)
    }

    /// The gas of a workload without the call around it, and the numbers it returned.
    fn gas(&self, number: u32, workload: &Workload) -> Result<(u64, Vec<u64>)> {
        let (around, _) = self.call(EMPTY, "empty", workload.operations)?;
        let (all, figures) = self.call(number, workload.name, workload.operations)?;
        ensure!(
            all >= around,
            "`{}` costs less gas than an empty workload",
            workload.name
        );
        Ok((all - around, figures))
    }

    /// Calls the guest. Returns the gas of the whole call, and the numbers it returned, at least
    /// one.
    fn call(&self, number: u32, workload: &'static str, rounds: u32) -> Result<(u64, Vec<u64>)> {
        let data = [number, rounds].map(u32::to_le_bytes);
        let invocation = Invocation::new(DEFAULT_PROGRAM_ID)
            .data(data.as_flattened())
            .heap_size(HEAP_SIZE)
            .gas(GAS);
        let outcome = self.program.invoke(&invocation)?;
        if let Some(failure) = &outcome.failure {
            bail!(WorkloadFailed {
                allocator: self.allocator,
                workload,
                reason: format!("fails: {failure}"),
            });
        }
        let (figures, rest) = outcome.return_data.as_chunks::<8>();
        ensure!(
            !figures.is_empty() && rest.is_empty(),
            "the bench of `{}` returns no figures",
            self.allocator
        );
        let figures = figures.iter().map(|bytes| u64::from_le_bytes(*bytes));
        Ok((outcome.gas_used, figures.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::Agreed;

    #[test]
    fn different_workload_results_are_an_error() {
        let mut agreed = Agreed::default();
        agreed.check("checksum", "one", "a", 1).expect("the first");
        agreed.check("checksum", "two", "a", 1).expect("the same");
        agreed.check("checksum", "two", "b", 2).expect("another");
        agreed
            .check("most live bytes", "two", "a", 3)
            .expect("other");
        let refused = agreed.check("checksum", "three", "a", 4);
        let refused = refused.expect_err("not the same").to_string();
        assert_eq!(
            refused,
            "`a` with `three` has the checksum 4, others have 1"
        );
    }
}
