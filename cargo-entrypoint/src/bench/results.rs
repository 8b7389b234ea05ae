//! The results of a run, and their JSON: one row a line, so that changes of the file are easy to
//! read.

use std::io;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::Measured;

/// The results of a run, which are also what a baseline has.
///
/// Their JSON is an object with the compiler, and an array of rows for each kind of row.
pub trait Results: Clone + Serialize + DeserializeOwned {
    /// The version text of the guests' compiler. Another compiler makes other code, and other
    /// figures.
    fn compiler(&self) -> &str;

    /// All rows, in the order of the report.
    fn rows(&self) -> Vec<&dyn Measured>;

    /// Keeps only the rows of the parts whose names satisfy the condition. A part, such as a
    /// program, is what a run measures as a whole or not at all.
    fn retain(&mut self, is_kept: impl Fn(&str) -> bool);

    /// Adds the rows of other results.
    fn extend(&mut self, others: Self);
}

/// Results, or an array of rows, as JSON.
///
/// # Errors
///
/// If they have no JSON, which would be a mistake in here.
pub fn to_json(results: &impl Serialize) -> Result<String> {
    let mut bytes = Vec::new();
    results
        .serialize(&mut Serializer::with_formatter(
            &mut bytes,
            RowLines::default(),
        ))
        .context("the results have no JSON")?;
    bytes.push(b'\n');
    String::from_utf8(bytes).context("JSON is text")
}

/// Writes each object in an array on one line, with spaces where a reader expects them. Such an
/// object contains only numbers and texts.
#[derive(Default)]
struct RowLines {
    pretty: PrettyFormatter<'static>,
    is_in_array: bool,
    is_in_row: bool,
}

impl Formatter for RowLines {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_in_array = true;
        self.pretty.begin_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.pretty.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_in_array = false;
        self.pretty.end_array(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_in_row = self.is_in_array;
        if self.is_in_row {
            writer.write_all(b"{")
        } else {
            self.pretty.begin_object(writer)
        }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        match (self.is_in_row, first) {
            (true, true) => Ok(()),
            (true, false) => writer.write_all(b", "),
            (false, _) => self.pretty.begin_object_key(writer, first),
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.is_in_row {
            Ok(())
        } else {
            self.pretty.end_object_value(writer)
        }
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if std::mem::take(&mut self.is_in_row) {
            writer.write_all(b"}")
        } else {
            self.pretty.end_object(writer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::to_json;
    use crate::bench::programs::{ProgramResults, Row};

    fn row(program: &str) -> Row {
        Row {
            program: program.to_owned(),
            fixture: "default".to_owned(),
            status: None,
            failure: Some("Trapped".to_owned()),
            gas: 7,
            heap_peak: None,
            blob: 8,
        }
    }

    #[test]
    fn every_row_is_a_line_and_is_read_back() {
        let results = ProgramResults {
            compiler: "rustc \"1\"\n".to_owned(),
            programs: vec![row("a\nb"), row("c")],
        };
        let json = to_json(&results).expect("JSON");
        assert_eq!(
            json,
            r#"{
  "compiler": "rustc \"1\"\n",
  "programs": [
    {"program": "a\nb", "fixture": "default", "status": null, "failure": "Trapped", "gas": 7, "heap_peak": null, "blob": 8},
    {"program": "c", "fixture": "default", "status": null, "failure": "Trapped", "gas": 7, "heap_peak": null, "blob": 8}
  ]
}
"#
        );
        let read: ProgramResults = serde_json::from_str(&json).expect("what was written");
        assert_eq!(read, results);
    }

    #[test]
    fn rows_alone_are_an_array() {
        assert_eq!(to_json(&[] as &[Row; 0]).expect("JSON"), "[]\n");
        assert_eq!(
            to_json(&[row("a")]).expect("JSON"),
            "[\n  {\"program\": \"a\", \"fixture\": \"default\", \"status\": null, \
             \"failure\": \"Trapped\", \"gas\": 7, \"heap_peak\": null, \"blob\": 8}\n]\n"
        );
    }
}
