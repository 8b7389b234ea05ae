//! The tables in the documentation that `bench --update` writes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_entrypoint::bench::results::Results;
use cargo_entrypoint::bench::{allocators, entry, marked, readme, size};
use program_build::{files, package};

use super::plan::Plan;

/// A page with a table to write.
pub struct Table {
    path: PathBuf,
    start: &'static str,
    section: Box<dyn Fn(&Results) -> String>,
}

impl Table {
    /// The tables that show the results. This finds missing places before the measurement, which
    /// takes longer.
    pub fn all(plan: &Plan) -> Result<Vec<Self>> {
        let mut tables = Vec::new();
        if let Some(guest) = &plan.allocators {
            let folder = package::member_folder("program-allocator")?
                .context("there is no package `program-allocator` with a README")?;
            let versions = allocators::versions(guest)?;
            tables.push(Self {
                path: folder.join("README.md"),
                start: readme::START,
                section: Box::new(move |results| {
                    let rows = results.allocators.as_deref().unwrap_or_default();
                    readme::section(rows, &versions, &results.compiler)
                }),
            });
        }
        if let Some(guests) = &plan.entry {
            let peers = guests.peers.as_ref();
            let peers = peers.context("there is no package with other projects' entries")?;
            let pinocchio = entry::pinocchio_version(peers)?;
            tables.push(Self {
                path: guests.ours.workspace_folder.join("docs/benchmarking.md"),
                start: entry::START,
                section: Box::new(move |results| {
                    let rows = results.entry.as_deref().unwrap_or_default();
                    entry::section(rows, &pinocchio, &results.compiler)
                }),
            });
        }
        if let Some(guest) = &plan.size {
            tables.push(Self {
                path: guest.workspace_folder.join("docs/blob-size.md"),
                start: size::START,
                section: Box::new(|results| {
                    let rows = results.size.as_deref().unwrap_or_default();
                    size::section(rows, &results.compiler)
                }),
            });
        }
        if tables.is_empty() {
            bail!(
                "no page has a table for these results; --update is for `entry`, `allocators` and `size`"
            );
        }
        for table in &tables {
            table.text_with("")?;
        }
        Ok(tables)
    }

    /// Writes the table, whole or not at all.
    pub fn write(&self, results: &Results) -> Result<()> {
        files::write_whole(&self.path, self.text_with(&(self.section)(results))?)?;
        eprintln!("wrote the table in {}", self.path.display());
        Ok(())
    }

    /// The page as it is now, with the section replaced.
    fn text_with(&self, section: &str) -> Result<String> {
        let path: &Path = &self.path;
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        marked::replace(&text, self.start, section)
            .with_context(|| format!("in {}", path.display()))
    }
}
