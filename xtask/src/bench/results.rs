//! The results of a run of the suites.

use cargo_entrypoint::bench::Measured;
use cargo_entrypoint::bench::results::Results;
use serde::{Deserialize, Serialize};

use super::{Suite, allocators, calls, entry, formatting, size};

/// The results of a run. A suite that it did not measure has no rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteResults {
    /// The version text of the guests' compiler.
    pub compiler: String,
    /// Costs of entries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entry: Vec<entry::Row>,
    /// Costs of calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<calls::Row>,
    /// Costs of allocators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocators: Vec<allocators::Row>,
    /// Costs of log lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formatting: Vec<formatting::Row>,
    /// How long blobs are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub size: Vec<size::Row>,
}

impl Results for SuiteResults {
    fn compiler(&self) -> &str {
        &self.compiler
    }

    fn rows(&self) -> Vec<&dyn Measured> {
        let entry = self.entry.iter().map(|row| -> &dyn Measured { row });
        let calls = self.calls.iter().map(|row| -> &dyn Measured { row });
        let allocators = self.allocators.iter().map(|row| -> &dyn Measured { row });
        let size = self.size.iter().map(|row| -> &dyn Measured { row });
        let formatting = self.formatting.iter().map(|row| -> &dyn Measured { row });
        let rows = entry.chain(calls).chain(allocators);
        rows.chain(formatting).chain(size).collect()
    }

    fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        if !is_kept(Suite::Entry.name()) {
            self.entry.clear();
        }
        if !is_kept(Suite::Calls.name()) {
            self.calls.clear();
        }
        if !is_kept(Suite::Allocators.name()) {
            self.allocators.clear();
        }
        if !is_kept(Suite::Formatting.name()) {
            self.formatting.clear();
        }
        if !is_kept(Suite::Size.name()) {
            self.size.clear();
        }
    }

    fn extend(&mut self, others: Self) {
        self.entry.extend(others.entry);
        self.calls.extend(others.calls);
        self.allocators.extend(others.allocators);
        self.formatting.extend(others.formatting);
        self.size.extend(others.size);
    }
}

#[cfg(test)]
mod tests {
    use cargo_entrypoint::bench::baseline::{Scope, compare, merge};

    use super::{SuiteResults, entry, size};

    fn entry(name: &str, gas: u64) -> Vec<entry::Row> {
        vec![entry::Row {
            entry: name.to_owned(),
            table: false,
            accounts: 1,
            repeats: 0,
            gas,
        }]
    }

    fn size(blob: u64) -> Vec<size::Row> {
        vec![size::Row {
            program: "empty".to_owned(),
            panic: "abort".to_owned(),
            blob,
        }]
    }

    #[test]
    fn a_peers_figure_is_shown_and_not_judged() {
        let of = |name, gas| SuiteResults {
            entry: entry(name, gas),
            ..SuiteResults::default()
        };
        for (name, judgement, is_worse) in [
            ("pinocchio", "not ours", false),
            ("entrypoint", "worse", true),
        ] {
            let changes = compare(&of(name, 1), &of(name, 5), &Scope::All);
            let texts: Vec<String> = changes.iter().map(ToString::to_string).collect();
            let text =
                format!("{name} (no table, 1 accounts, 0 repeats) gas 1 -> 5 (+4, {judgement})");
            assert_eq!(texts, [text]);
            assert_eq!(changes[0].is_worse(), is_worse);
            assert!(!changes[0].is_better());
        }
    }

    #[test]
    fn a_suite_that_was_not_measured_stays() {
        let old = SuiteResults {
            entry: entry("entrypoint", 1),
            size: size(1),
            ..SuiteResults::default()
        };
        let measured = SuiteResults {
            size: size(2),
            ..SuiteResults::default()
        };
        let scope = Scope::Only("size".to_owned());
        let changes = compare(&old, &measured, &scope);
        let texts: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["empty with panic = abort blob 1 -> 2 (+1, worse)"]);
        let merged = merge(&old, &measured, &scope).expect("one compiler");
        assert_eq!(merged.entry, old.entry);
        assert_eq!(merged.size, measured.size);
        // If all suites are measured, a suite without rows is gone.
        let changes = compare(&old, &measured, &Scope::All);
        assert_eq!(changes.len(), 2);
        let merged = merge(&old, &measured, &Scope::All).expect("one compiler");
        assert_eq!(merged, measured);
    }
}
