//! The results of a run, and their JSON: one row a line, so that changes of the file are easy to
//! read.

use std::io;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use super::{allocators, entry, programs, size};

/// The results of a run. A suite that it did not measure is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The version text of the guests' compiler. Another compiler makes other code, and other
    /// figures.
    pub compiler: String,
    /// Costs of entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Vec<entry::Row>>,
    /// Costs of allocators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocators: Option<Vec<allocators::Row>>,
    /// How long blobs are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Vec<size::Row>>,
    /// Costs of programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programs: Option<Vec<programs::Row>>,
}

impl Results {
    /// All of it, as an object.
    ///
    /// # Errors
    ///
    /// If it has no JSON, which would be a mistake in here.
    pub fn to_json(&self) -> Result<String> {
        let mut members = vec![format!("  \"compiler\": {}", value(&self.compiler)?)];
        let suites = [
            ("entry", self.entry.as_deref().map(rows)),
            ("allocators", self.allocators.as_deref().map(rows)),
            ("size", self.size.as_deref().map(rows)),
            ("programs", self.programs.as_deref().map(rows)),
        ];
        for (name, rows) in suites {
            if let Some(rows) = rows {
                members.push(format!("  \"{name}\": {}", rows?.replace('\n', "\n  ")));
            }
        }
        Ok(format!("{{\n{}\n}}\n", members.join(",\n")))
    }

    /// The rows of the only suite that was measured, as an array; an empty one, if there is none.
    ///
    /// # Errors
    ///
    /// As for [`Results::to_json`].
    pub fn to_json_rows(&self) -> Result<String> {
        let json = if let Some(entry) = &self.entry {
            rows(entry)
        } else if let Some(allocators) = &self.allocators {
            rows(allocators)
        } else if let Some(size) = &self.size {
            rows(size)
        } else {
            rows(self.programs.as_deref().unwrap_or_default())
        };
        Ok(json? + "\n")
    }
}

/// Rows as an array, one a line. JSON has no other line breaks, because texts escape them.
fn rows<Row: Serialize>(rows: &[Row]) -> Result<String> {
    if rows.is_empty() {
        return Ok("[]".to_owned());
    }
    let rows = rows.iter().map(value).collect::<Result<Vec<_>>>()?;
    Ok(format!("[\n  {}\n]", rows.join(",\n  ")))
}

fn value<Value: Serialize>(of: &Value) -> Result<String> {
    let mut bytes = Vec::new();
    of.serialize(&mut Serializer::with_formatter(&mut bytes, OneLine))
        .context("a row has no JSON")?;
    String::from_utf8(bytes).context("JSON is text")
}

/// A value on one line, with spaces where a reader expects them.
struct OneLine;

impl Formatter for OneLine {
    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        CompactFormatter.begin_object_value(writer)?;
        writer.write_all(b" ")
    }
}

#[cfg(test)]
mod tests {
    use super::Results;
    use crate::bench::{programs, size};

    #[test]
    fn every_row_is_a_line_and_is_read_back() {
        let results = Results {
            compiler: "rustc \"1\"\n".to_owned(),
            size: Some(vec![
                size::Row {
                    program: "empty".to_owned(),
                    panic: "abort".to_owned(),
                    blob: 5,
                },
                size::Row {
                    program: "log".to_owned(),
                    panic: "abort".to_owned(),
                    blob: 6,
                },
            ]),
            programs: Some(vec![programs::Row {
                program: "a\nb".to_owned(),
                fixture: "default".to_owned(),
                status: None,
                failure: Some("Trapped".to_owned()),
                gas: 7,
                heap_peak: None,
                blob: 8,
            }]),
            ..Results::default()
        };
        let json = results.to_json().expect("JSON");
        assert_eq!(
            json,
            r#"{
  "compiler": "rustc \"1\"\n",
  "size": [
    {"program": "empty", "panic": "abort", "blob": 5},
    {"program": "log", "panic": "abort", "blob": 6}
  ],
  "programs": [
    {"program": "a\nb", "fixture": "default", "status": null, "failure": "Trapped", "gas": 7, "heap_peak": null, "blob": 8}
  ]
}
"#
        );
        let read: Results = serde_json::from_str(&json).expect("what was written");
        assert_eq!(read, results);
    }

    #[test]
    fn one_suite_alone_is_an_array() {
        let results = Results {
            size: Some(Vec::new()),
            ..Results::default()
        };
        assert_eq!(results.to_json_rows().expect("JSON"), "[]\n");
        assert_eq!(Results::default().to_json_rows().expect("JSON"), "[]\n");
    }
}
