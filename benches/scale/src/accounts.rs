//! An invocation by the number of its accounts.

use anyhow::{Result, ensure};
use loader::Invocation;

use crate::{Blobs, Effort, Row, invocation, loaders, time};

/// Bytes of each account's data: those of a token holding.
const LENGTH: usize = 165;

/// Time on each engine, of a program that returns at once; and gas, with an account table and
/// without.
pub fn measure(effort: Effort, blobs: &Blobs) -> Result<Vec<Row>> {
    let counts: &[u8] = match effort {
        Effort::Full => &[0, 1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 255],
        Effort::Quick => &[0, 255],
    };
    let invocations: Vec<Invocation> = counts
        .iter()
        .map(|count| invocation(*count, LENGTH).gas(1_000_000))
        .collect();
    let mut rows = Vec::new();
    let mut subjects: Vec<Box<dyn FnMut()>> = Vec::new();
    let mut places = Vec::new();
    for loader in loaders() {
        let engine = loader.engine();
        let program = loader.load(&blobs.no_op)?;
        for (count, invocation) in counts.iter().zip(&invocations) {
            let x = u64::from(*count);
            for (table, name) in [(true, "with a table"), (false, "without a table")] {
                let outcome = program.invoke(&invocation.clone().account_table(table))?;
                ensure!(outcome.is_success(), "{outcome:?}");
                let series = format!("gas {name}");
                let row = Row::new(series, x, outcome.gas_used as f64);
                // Gas is the same on both engines.
                if let Some(other) = rows
                    .iter()
                    .find(|other: &&Row| (&other.series, other.x) == (&row.series, row.x))
                {
                    ensure!(*other == row, "{other:?} and, on {engine}, {row:?}");
                } else {
                    rows.push(row);
                }
            }
            let program = program.clone();
            places.push((format!("µs {engine}"), x));
            subjects.push(Box::new(move || {
                let outcome = program.invoke(std::hint::black_box(invocation));
                assert!(outcome.is_ok_and(|outcome| outcome.is_success()));
            }));
        }
    }
    let times = time::fastest(effort, &mut subjects);
    for ((series, x), time) in places.into_iter().zip(times) {
        rows.push(Row::new(series, x, time));
    }
    Ok(rows)
}
