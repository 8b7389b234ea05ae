//! The tables in the documentation that `cargo xtask bench --update` writes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use program_build::files;

use super::results::SuiteResults;
use super::{Suite, allocators, calls, deployment, entry, formatting, guest, marked, readme, size};
use crate::project;

/// A page with a table to write.
pub struct Table {
    path: PathBuf,
    start: &'static str,
    section: Box<dyn Fn(&SuiteResults) -> String>,
}

impl Table {
    /// The tables that show a suite's results. This finds a missing place before the measurement,
    /// which takes longer.
    pub fn of(suite: Suite) -> Result<Vec<Self>> {
        let mut tables = vec![match suite {
            Suite::Allocators => {
                let versions = allocators::versions(&guest("allocators")?)?;
                Self {
                    path: project().join("allocator/README.md"),
                    start: readme::START,
                    section: Box::new(move |results| {
                        readme::section(&results.allocators, &versions, &results.compiler)
                    }),
                }
            }
            Suite::Entry => {
                let pinocchio = entry::pinocchio_version(&guest("peers")?)?;
                Self {
                    path: project().join("docs/benchmarking.md"),
                    start: entry::START,
                    section: Box::new(move |results| {
                        entry::section(&results.entry, &pinocchio, &results.compiler)
                    }),
                }
            }
            Suite::Calls => {
                let pinocchio = entry::pinocchio_version(&guest("calls")?)?;
                Self {
                    path: project().join("docs/benchmarking.md"),
                    start: calls::START,
                    section: Box::new(move |results| {
                        calls::section(&results.calls, &pinocchio, &results.compiler)
                    }),
                }
            }
            Suite::Formatting => Self {
                path: project().join("entrypoint/src/log/cost.md"),
                start: formatting::START,
                section: Box::new(|results| {
                    formatting::section(&results.formatting, &results.compiler)
                }),
            },
            Suite::Size => Self {
                path: project().join("docs/blob-size.md"),
                start: size::START,
                section: Box::new(|results| size::section(&results.size, &results.compiler)),
            },
        }];
        if suite == Suite::Size {
            let examples = deployment::baseline()?;
            tables.push(Self {
                path: project().join("README.md"),
                start: deployment::START,
                section: Box::new(move |_| deployment::section(&examples)),
            });
        }
        for table in &tables {
            table.text_with("")?;
        }
        Ok(tables)
    }

    /// Writes the table, whole or not at all.
    pub fn write(&self, results: &SuiteResults) -> Result<()> {
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
