//! `cargo entrypoint profile --diff`

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use loader::display::escape_control;
use loader::inspect::Inspection;
use loader::{Engine, Loader};

use super::{Old, Ran, json, run, short_names, write_picture};
use crate::commands::call::{Call, from_here};
use crate::profile::costs::Costs;
use crate::profile::difference::{Difference, signed};
use crate::profile::inlining::Inlining;
use crate::profile::{flame, report as tables};
use crate::report;
use crate::text::grouped;

/// One of the two programs, and its run.
pub struct Side {
    pub name: String,
    pub ran: Ran,
    costs: Costs,
    /// Length of the blob that is deployed, in bytes.
    pub size: u64,
}

impl Side {
    fn new(call: &Call, name: String, blob: &[u8]) -> Result<Self> {
        let ran = run(call, &name, blob, &call.invocation)?;
        Ok(Self {
            // The blob names all that is inlined in it.
            costs: Costs::new(&ran.profiled.gas, &Inlining::default()),
            size: inspect(blob)?.stripped_length,
            ran,
            name,
        })
    }

    /// How the run ended, and its figures.
    fn describe(&self) -> String {
        let outcome = &self.ran.profiled.outcome;
        format!(
            "{}, {} gas, {} bytes",
            report::people::ended(outcome, &self.ran.errors),
            grouped(outcome.gas_used),
            grouped(self.size),
        )
    }
}

fn inspect(blob: &[u8]) -> Result<Inspection> {
    Ok(Loader::new(Engine::Interpreter)?.inspect(blob)?)
}

/// Compares the program with another one, which has the same invocation.
pub fn compare(call: &Call, folder: &Path, old: &str, is_json: bool) -> Result<ExitCode> {
    // Building the program takes longer than finding out that the other one does not exist.
    let old = Old::read(&call.program, old)?;
    let before = Side::new(call, old.name, &old.blob)?;
    let after = Side::new(call, call.name(), &call.blob()?)?;
    let differences = Difference::all(&before.costs, &after.costs);

    let gas = Difference {
        of: (),
        before: before.costs.gas,
        after: after.costs.gas,
    };
    let (program, fixture) = short_names(call);
    let picture = if gas.before == 0 || gas.after == 0 {
        None
    } else {
        let title = format!(
            "{program}, {fixture}: {} gas, {} against {}",
            grouped(gas.after),
            signed(gas.difference()),
            before.name,
        );
        Some(flame::difference(&title, &before.costs, &after.costs)?)
    };
    let path = folder.join(format!("{program}-{fixture}.diff.svg"));
    let picture = write_picture(&path, picture)?;
    let verdict = call.judge(&after.ran.profiled.outcome, after.ran.errors.all());
    report::print(&if is_json {
        json::difference(&before, &after, &differences, picture.as_ref())?
    } else {
        let (title, name) = (call.title(), escape_control(&before.name));
        let mut text = format!("{title} · profile against {name}\n\n");
        writeln!(text, "before    {}", before.describe())?;
        writeln!(text, "after     {}", after.describe())?;
        writeln!(text, "gas       {}", gas.describe())?;
        tables::differences(&mut text, &differences)?;
        match picture {
            Some(path) => writeln!(text, "\ndiff      {}", from_here(&path).display())?,
            None => writeln!(text, "\ndiff      no picture: nothing to draw")?,
        }
        text.push_str(verdict.praise().unwrap_or_default());
        text
    })?;
    Ok(verdict.report())
}
