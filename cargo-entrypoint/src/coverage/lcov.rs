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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::measure::Way;
    use super::*;

    #[test]
    fn branches_of_a_line_that_did_not_run_have_no_count() {
        let decision = |counts: [u64; 2]| -> Decision {
            [(Way::To(9, 1), counts[0]), (Way::Leaves, counts[1])].into()
        };
        let file = FileCoverage {
            name: "./src/lib.rs".to_owned(),
            path: PathBuf::from("/p/src/lib.rs"),
            text: Vec::new(),
            lines: [(3, 2), (5, 0)].into(),
            decisions: [
                ((3, 1), decision([2, 0])),
                ((3, 8), decision([1, 1])),
                ((5, 1), decision([0, 0])),
            ]
            .into(),
        };
        let mut text = String::new();
        write(&mut text, &[file]).expect("a text takes everything");
        assert_eq!(
            text,
            "TN:\nSF:/p/src/lib.rs\n\
             BRDA:3,0,0,2\nBRDA:3,0,1,0\nBRDA:3,1,0,1\nBRDA:3,1,1,1\n\
             BRDA:5,0,0,-\nBRDA:5,0,1,-\nBRF:6\nBRH:3\n\
             DA:3,2\nDA:5,0\nLF:2\nLH:1\nend_of_record\n"
        );
    }
}
