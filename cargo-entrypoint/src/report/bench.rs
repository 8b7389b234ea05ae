//! Results of a bench as Markdown.

use std::fmt::{Result, Write};

use loader::deploy;
use loader::display::escape_control;

use crate::bench::programs::ProgramResults;
use crate::bench::table::Table;
use crate::text::grouped;

/// Writes the results as a table.
pub fn results(out: &mut String, results: &ProgramResults) -> Result {
    writeln!(
        out,
        "Measured with `{}`.\n\n## programs\n",
        escape_control(&results.compiler)
    )?;
    let mut table = Table::new(&["program", "fixture", "status"]);
    for figure in ["gas", "heap peak", "blob", "rent"] {
        table.figure_column(figure);
    }
    for row in &results.programs {
        let peak = row
            .heap_peak
            .map_or_else(|| "unknown".to_owned(), |peak| grouped(peak.into()));
        table.row(vec![
            escape_control(&row.program),
            escape_control(&row.fixture),
            escape_control(&row.status_text()),
            grouped(row.gas),
            peak,
            grouped(row.blob),
            grouped(deploy::rent(row.blob)),
        ]);
    }
    table.write(out)
}
