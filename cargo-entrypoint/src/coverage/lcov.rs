//! A coverage in the format of `lcov`, which `genhtml`, editors and services read.

use std::fmt::{Result, Write};

use super::measure::{Decision, FileCoverage};

/// Writes the counts of some files.
///
/// # Errors
///
/// None: a text takes everything.
pub fn write(out: &mut String, files: &[FileCoverage]) -> Result {
    for file in files {
        writeln!(out, "TN:\nSF:{}", file.path.display())?;
        let mut block = (0, 0);
        for ((line, _), decision) in &file.decisions {
            // Blocks are numbered by line.
            block = match block {
                (before, number) if before == *line => (before, number + 1),
                _ => (*line, 0),
            };
            write_decision(out, *line, block.1, decision)?;
        }
        let branches = file.branch_share();
        writeln!(out, "BRF:{}\nBRH:{}", branches.all, branches.reached)?;
        for (line, count) in &file.lines {
            writeln!(out, "DA:{line},{count}")?;
        }
        let lines = file.line_share();
        writeln!(out, "LF:{}\nLH:{}\nend_of_record", lines.all, lines.reached)?;
    }
    Ok(())
}

fn write_decision(out: &mut String, line: u32, block: u32, decision: &Decision) -> Result {
    let ran = decision.values().any(|count| *count > 0);
    for (index, count) in decision.values().enumerate() {
        match ran {
            true => writeln!(out, "BRDA:{line},{block},{index},{count}")?,
            false => writeln!(out, "BRDA:{line},{block},{index},-")?,
        }
    }
    Ok(())
}
