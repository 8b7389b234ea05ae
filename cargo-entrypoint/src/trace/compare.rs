//! The comparison of allocators by a trace: a table, JSON, and the choice.

use std::fmt::{self, Write};

use loader::display::escape_control;
use serde::Serialize;

use super::HeapTrace;
use super::replay::Replayed;
use crate::bench::table::Table;
use crate::text::grouped;

/// The heaps that a program can choose by a word.
pub const OURS: [&str; 2] = ["bump", "segregated"];

/// The program, run with another heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The gas of the run.
    pub gas: u64,
    /// Why the program failed, if it did.
    pub failure: Option<String>,
    /// Whether the program came to its end, and returned a status.
    pub returns: bool,
    /// Whether it ended as with its own heap.
    pub ends_alike: bool,
}

/// One allocator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub allocator: String,
    /// Gas of the program with it, as the replay tells: that of the run, with the difference of the
    /// calls. `None` if the heap was full.
    pub replayed_gas: Option<u64>,
    /// Gas of the program that really ran with it, if it did.
    pub run_gas: Option<u64>,
    /// Whether the program succeeded in this run.
    pub run_succeeds: Option<bool>,
    /// Why the program failed in this run, if it did.
    pub run_failure: Option<String>,
    /// Bytes from the start of the lowest block to the end of the highest.
    pub peak: u64,
    /// Bytes that can never be allocated again, although no live block requested them.
    pub leaked: u64,
    /// The number of the operation for which the heap was full.
    pub refused: Option<u64>,
}

/// The allocators that a trace was replayed with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The program of the trace.
    pub program: String,
    /// Its fixture.
    pub fixture: Option<String>,
    /// The heap that the program has: one of [`OURS`].
    pub heap: String,
    /// The length of the heap in bytes.
    pub heap_size: u32,
    /// The gas of the program.
    pub gas: u64,
    /// How many operations were replayed.
    pub calls: u64,
    /// The most bytes that were live at once.
    pub most_live: u64,
    /// A row for each allocator.
    pub allocators: Vec<Row>,
    /// Whether the program's own heap was full.
    pub own_is_full: bool,
    /// The heap that costs the program the least gas, of [`OURS`]; the program's own if none is
    /// cheaper. If the program fails with its own heap, and succeeds with another one, the other
    /// one. `None` if every run failed before the program returned.
    pub best: Option<String>,
    /// How much less gas the program costs with it, in percent; 0 if it does more with it.
    pub saved_percent: f64,
}

impl Row {
    /// The gas of a run if there was one, and otherwise that of the replay.
    fn known_gas(&self) -> Option<u64> {
        self.run_gas.or(self.replayed_gas)
    }

    fn succeeds(&self) -> bool {
        self.run_succeeds == Some(true)
    }
}

impl Comparison {
    /// Compares what a trace cost with each allocator, and the program that ran with it, if it did.
    #[must_use]
    pub fn new(trace: &HeapTrace, replayed: &[(String, Replayed, Option<Run>)]) -> Self {
        let is_own = |name: &str| name == trace.heap;
        let own = replayed.iter().find(|(name, ..)| is_own(name));
        let own_gas = own.map_or(0, |(_, own, _)| own.gas);
        let row = |(name, replayed, run): &(String, Replayed, Option<Run>)| Row {
            allocator: name.clone(),
            replayed_gas: match replayed.refused {
                None => Some((trace.gas + replayed.gas).saturating_sub(own_gas)),
                Some(_) => None,
            },
            run_gas: run.as_ref().map(|run| run.gas),
            run_succeeds: run.as_ref().map(|run| run.failure.is_none()),
            run_failure: run.as_ref().and_then(|run| run.failure.clone()),
            peak: replayed.peak,
            leaked: replayed.leaked,
            refused: replayed.refused,
        };
        let allocators: Vec<Row> = replayed.iter().map(row).collect();
        let summary = trace.summary();
        let own_run = own.and_then(|(_, _, run)| run.as_ref());
        let own_fails = own_run.is_some_and(|run| run.failure.is_some());
        let rescues =
            |run: &Option<Run>| own_fails && run.as_ref().is_some_and(|run| run.failure.is_none());
        let can_be_rescued = replayed.iter().any(|(_, _, run)| rescues(run));
        // Runs that were cut short are not of the same work.
        let is_comparable = can_be_rescued || own_run.is_none_or(|run| run.returns);
        let is_candidate = |(name, _, run): &(String, Replayed, Option<Run>)| {
            let is_ours = OURS.contains(&name.as_str());
            is_ours
                && is_comparable
                && if can_be_rescued {
                    rescues(run)
                } else {
                    run.as_ref().is_none_or(|run| run.ends_alike)
                }
        };
        let candidates = replayed.iter().zip(&allocators);
        let best = candidates
            .filter(|(one, _)| is_candidate(one))
            .filter_map(|(_, row)| Some((row.known_gas()?, !is_own(&row.allocator), row)))
            .min_by_key(|(gas, is_other, _)| (*gas, *is_other));
        let (gas, best) = best.map_or((trace.gas, trace.heap.as_str()), |(gas, _, row)| {
            (gas, row.allocator.as_str())
        });
        let best = is_comparable.then(|| best.to_owned());
        let saved = if can_be_rescued {
            0
        } else {
            trace.gas.saturating_sub(gas)
        };
        Self {
            program: trace.program.clone(),
            fixture: trace.fixture.clone(),
            heap: trace.heap.clone(),
            heap_size: trace.heap_size,
            gas: trace.gas,
            calls: trace.operations.len() as u64,
            most_live: summary.most_live,
            best,
            own_is_full: summary.refused > 0,
            saved_percent: percent(saved, trace.gas),
            allocators,
        }
    }

    /// The comparison for people.
    ///
    /// # Errors
    ///
    /// If writing fails.
    pub fn describe(&self, out: &mut String, trace: &HeapTrace) -> fmt::Result {
        let summary = trace.summary();
        let fixture = match &self.fixture {
            Some(fixture) => format!("fixture {fixture}"),
            None => "no fixture".to_owned(),
        };
        let title = format!("{} · {fixture} · allocators", self.program);
        writeln!(out, "{}\n", escape_control(&title))?;
        writeln!(
            out,
            "calls     {} to allocate, {} to free, {} to resize; {} bytes live at most, {} at the end",
            grouped(summary.allocations),
            grouped(summary.frees),
            grouped(summary.reallocations),
            grouped(summary.most_live),
            grouped(summary.live),
        )?;
        writeln!(
            out,
            "heap      {}, {} bytes\n",
            self.heap,
            grouped(self.heap_size.into())
        )?;
        if self.calls == 0 && self.best.is_some() {
            if let Some(failure) = self.failure() {
                writeln!(out, "A failing run was recorded: {failure}.")?;
            }
            return writeln!(
                out,
                "The program does not allocate: each heap costs it the same."
            );
        }
        let has_run = self.allocators.iter().any(|row| row.run_gas.is_some());
        let mut table = Table::new(&["allocator"]);
        table.figure_column("gas, replayed");
        if has_run {
            table.figure_column("gas, run");
        }
        for figure in ["peak", "leaked"] {
            table.figure_column(figure);
        }
        let gas = |gas: Option<u64>, row: &Row| match (gas, row.refused) {
            (Some(gas), _) => grouped(gas),
            (None, Some(number)) => format!("full at call {}", grouped(number)),
            (None, None) => "-".to_owned(),
        };
        for row in &self.allocators {
            let own = if row.allocator == self.heap {
                " (own)"
            } else {
                ""
            };
            let mut cells = vec![
                format!("{}{own}", row.allocator),
                gas(row.replayed_gas, row),
            ];
            if has_run {
                let failed = match row.run_succeeds {
                    Some(false) => ", fails",
                    _ => "",
                };
                cells.push(gas(row.run_gas, row) + failed);
            }
            cells.extend([grouped(row.peak), grouped(row.leaked)]);
            table.row(cells);
        }
        table.write(out)?;
        writeln!(out)?;
        if self.own_is_full {
            writeln!(
                out,
                "With `{}` the heap was full: the calls end where the program ended.",
                self.heap
            )?;
        }
        self.describe_choice(out)
    }

    fn row(&self, allocator: &str) -> Option<&Row> {
        self.allocators
            .iter()
            .find(|row| row.allocator == allocator)
    }

    /// Why the program fails with its own heap, if it does.
    fn failure(&self) -> Option<String> {
        let failure = self.row(&self.heap)?.run_failure.as_deref()?;
        Some(escape_control(failure))
    }

    /// Writes which heap the program is to take, and why.
    fn describe_choice(&self, out: &mut String) -> fmt::Result {
        let Some(best) = &self.best else {
            let failures = self.allocators.iter().filter_map(|row| {
                let failure = escape_control(row.run_failure.as_deref()?);
                Some(format!("  `{}`: {failure}\n", row.allocator))
            });
            return write!(
                out,
                "Every run failed, so their gas cannot be compared:\n{}\
                 Choose a fixture with which the program succeeds, or raise `--gas` or `--heap`.\n",
                failures.collect::<String>()
            );
        };
        let failure = self.failure();
        let is_rescue = failure.is_some() && self.row(best).is_some_and(Row::succeeds);
        if let Some(failure) = failure {
            if is_rescue {
                writeln!(out, "With `{}` the program fails: {failure}.", self.heap)?;
            } else {
                writeln!(out, "A failing run was compared: {failure}.")?;
            }
        }
        if *best == self.heap {
            return writeln!(
                out,
                "For this program keep `{best}`: no other heap of ours costs less gas."
            );
        }
        if is_rescue {
            write!(
                out,
                "For this program take `{best}`: with it the program succeeds."
            )?;
        } else {
            let percent = self.saved_percent;
            write!(
                out,
                "For this program take `{best}`: {percent:.1} % less gas."
            )?;
        }
        writeln!(
            out,
            " Write `heap = {best}` in `entrypoint!`:\n\n    \
             entrypoint!(process_instruction, heap = {best});"
        )
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 * 100.0 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::super::Call;
    use super::super::tests::{operation, trace};
    use super::*;

    fn replayed(name: &str, gas: u64, run: Option<u64>) -> (String, Replayed, Option<Run>) {
        let replayed = Replayed {
            gas,
            peak: 24,
            leaked: 4,
            refused: None,
        };
        let run = run.map(|gas| Run {
            gas,
            failure: None,
            returns: true,
            ends_alike: true,
        });
        (name.to_owned(), replayed, run)
    }

    fn text(comparison: &Comparison, trace: &HeapTrace) -> String {
        let mut text = String::new();
        comparison
            .describe(&mut text, trace)
            .expect("a string takes all");
        text
    }

    #[test]
    fn the_cheapest_heap_of_ours_is_advised() {
        let trace = trace(vec![operation(Call::Alloc, 1, 20)]);
        let rows = [
            replayed("bump", 500, None),
            replayed("segregated", 190, None),
            replayed("talc", 1, None),
        ];
        let comparison = Comparison::new(&trace, &rows);
        let text_of = text(&comparison, &trace);
        assert_eq!(comparison.best.as_deref(), Some("segregated"));
        assert!(
            text_of.contains("For this program take `segregated`: 31.0 % less gas."),
            "{text_of}"
        );
        // A run counts more than a replay.
        let rows = [
            replayed("bump", 500, Some(1_000)),
            replayed("segregated", 190, Some(1_001)),
        ];
        let comparison = Comparison::new(&trace, &rows);
        let text_of = text(&comparison, &trace);
        assert!(
            text_of.contains("For this program keep `bump`"),
            "{text_of}"
        );
    }

    #[test]
    fn a_full_heap_is_not_advised() {
        let trace = trace(vec![operation(Call::Alloc, 1, 20)]);
        let mut rows = [
            replayed("bump", 500, None),
            replayed("segregated", 190, None),
        ];
        rows[1].1.refused = Some(1);
        let comparison = Comparison::new(&trace, &rows);
        assert_eq!(comparison.best.as_deref(), Some("bump"));
        let text_of = text(&comparison, &trace);
        assert!(text_of.contains("full at call 1"), "{text_of}");
    }

    #[test]
    fn heap_with_which_the_program_succeeds_is_advised() {
        let mut refused = operation(Call::Alloc, 2, 40_000);
        refused.refused = true;
        let trace = trace(vec![operation(Call::Alloc, 1, 20), refused]);
        let mut rows = [
            replayed("bump", 500, Some(1_000)),
            replayed("segregated", 190, Some(5_000)),
        ];
        fail(&mut rows[0], "out of memory", false);
        rows[1].2.as_mut().expect("a run").ends_alike = false;
        let comparison = Comparison::new(&trace, &rows);
        let text_of = text(&comparison, &trace);
        for part in [
            "1,000, fails",
            "With `bump` the heap was full",
            "take `segregated`: with it the program succeeds",
        ] {
            assert!(text_of.contains(part), "{text_of}");
        }
        assert_eq!(comparison.saved_percent, 0.0);
    }

    fn fail(row: &mut (String, Replayed, Option<Run>), failure: &str, returns: bool) {
        let run = row.2.as_mut().expect("a run");
        run.failure = Some(failure.to_owned());
        run.returns = returns;
    }

    #[test]
    fn failing_runs_are_compared_only_if_they_return() {
        let trace = trace(vec![operation(Call::Alloc, 1, 20)]);
        let mut rows = [
            replayed("bump", 500, Some(1_000)),
            replayed("segregated", 190, Some(700)),
        ];
        // The other heap needs less gas than there is.
        fail(&mut rows[0], "out of gas", false);
        let comparison = Comparison::new(&trace, &rows);
        let text_of = text(&comparison, &trace);
        for part in [
            "With `bump` the program fails: out of gas.\n",
            "take `segregated`: with it the program succeeds",
        ] {
            assert!(text_of.contains(part), "{text_of}");
        }
        fail(&mut rows[1], "out of gas", false);
        let comparison = Comparison::new(&trace, &rows);
        let text_of = text(&comparison, &trace);
        assert_eq!((&comparison.best, comparison.saved_percent), (&None, 0.0));
        assert!(text_of.contains("Every run failed, so"), "{text_of}");
        assert!(
            text_of.contains("  `segregated`: out of gas\n"),
            "{text_of}"
        );
        assert!(!text_of.contains("For this program"), "{text_of}");
        for row in &mut rows {
            fail(row, "the program returned Custom(1)", true);
        }
        let text_of = text(&Comparison::new(&trace, &rows), &trace);
        for part in [
            "A failing run was compared: the program returned Custom(1).\n",
            "take `segregated`: 30.0 % less gas",
        ] {
            assert!(text_of.contains(part), "{text_of}");
        }
    }

    #[test]
    fn a_program_that_does_not_allocate_needs_no_choice() {
        let trace = trace(Vec::new());
        let rows = [replayed("bump", 0, None), replayed("segregated", 0, None)];
        let comparison = Comparison::new(&trace, &rows);
        let text_of = text(&comparison, &trace);
        assert!(text_of.contains("does not allocate"), "{text_of}");
        let mut rows = [
            replayed("bump", 0, Some(1_000)),
            replayed("segregated", 0, Some(1_000)),
        ];
        for row in &mut rows {
            fail(row, "out of gas", false);
        }
        let text_of = text(&Comparison::new(&trace, &rows), &trace);
        assert!(text_of.contains("Every run failed"), "{text_of}");
        assert!(!text_of.contains("does not allocate"), "{text_of}");
    }
}
