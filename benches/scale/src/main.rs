//! Measures one part, and prints its rows as CSV. `cargo xtask scale` runs this.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use scale_bench::{Blobs, Effort, Part};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (part, blobs, effort) = match &arguments[..] {
        [part, blobs] => (part, blobs, Effort::Full),
        [part, blobs, quick] if quick == "--quick" => (part, blobs, Effort::Quick),
        _ => {
            eprintln!("usage: scale-bench PART BLOBS [--quick]; `cargo xtask scale` runs this");
            return ExitCode::from(2);
        }
    };
    let Ok(part) = part.parse::<Part>() else {
        eprintln!("error: `{part}` is not a part; `cargo xtask scale` knows them all");
        return ExitCode::from(2);
    };
    let rows =
        Blobs::read(Path::new(blobs)).and_then(|blobs| scale_bench::measure(part, effort, &blobs));
    match rows {
        Ok(rows) => {
            for row in rows {
                println!("{},{},{:.3}", row.series, row.x, row.value);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}
