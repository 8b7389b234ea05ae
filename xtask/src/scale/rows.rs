//! Rows of measurements, in CSV files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use scale_bench::Part;
use strum::IntoEnumIterator;

/// The first line of each file.
pub const HEADER: &str = "series,x,value";

/// The rows of all files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    rows: Vec<Row>,
}

/// One point of a curve.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    /// The file's name, without an ending.
    file: String,
    series: String,
    x: f64,
    value: f64,
}

impl Rows {
    /// Reads the files of a folder.
    ///
    /// # Errors
    ///
    /// If a file is missing, or if it does not have rows.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut all = Self::default();
        let mut files: Vec<&str> = Part::iter().map(Part::file).collect();
        files.dedup();
        for file in files {
            let path = folder.join(file).with_extension("csv");
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            all.add(file, &text)
                .with_context(|| format!("in {}", path.display()))?;
        }
        Ok(all)
    }

    /// Adds the rows of a file.
    ///
    /// # Errors
    ///
    /// If the text does not begin with [`HEADER`], or if a line after it is not a row.
    pub fn add(&mut self, file: &str, text: &str) -> Result<()> {
        let mut lines = text.lines();
        let header = lines.next().unwrap_or_default();
        ensure!(
            header == HEADER,
            "the first line is `{header}` instead of `{HEADER}`; measure again"
        );
        for line in lines {
            let row = row(file, line);
            self.rows.push(row.with_context(|| {
                format!("the line `{line}` is not a name and two numbers; measure again")
            })?);
        }
        Ok(())
    }

    /// The points of a series, by their x.
    #[must_use]
    pub fn points(&self, file: &str, series: &str) -> Vec<(f64, f64)> {
        let rows = self.rows.iter();
        let rows = rows.filter(|row| row.file == file && row.series == series);
        rows.map(|row| (row.x, row.value)).collect()
    }
}

fn row(file: &str, line: &str) -> Option<Row> {
    let mut fields = line.split(',');
    let series = fields.next()?.to_owned();
    let mut number = || -> Option<f64> {
        let number: f64 = fields.next()?.parse().ok()?;
        number.is_finite().then_some(number)
    };
    let (x, value) = (number()?, number()?);
    fields.next().is_none().then_some(Row {
        file: file.to_owned(),
        series,
        x,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_file_and_series() {
        let mut rows = Rows::default();
        rows.add(
            "a",
            "series,x,value\nµs one,0,1.5\nµs two,0,2\nµs one,10,3\n",
        )
        .unwrap();
        assert_eq!(rows.points("a", "µs one"), [(0.0, 1.5), (10.0, 3.0)]);
        assert_eq!(rows.points("b", "µs one"), []);
    }

    #[test]
    fn rubbish_is_rejected_with_its_line() {
        for line in ["", "µs one,0", "µs one,0,1,2", "µs one,x,1", "µs one,0,inf"] {
            let error = Rows::default()
                .add("a", &format!("series,x,value\n{line}\n"))
                .unwrap_err();
            assert!(error.to_string().contains(&format!("`{line}`")), "{error}");
        }
        let error = Rows::default().add("a", "x,y\n").unwrap_err();
        assert!(error.to_string().contains("`x,y`"), "{error}");
    }
}
