//! `cargo xtask scale`: how time, gas and memory grow, as pictures and tables.
//!
//! The crate `scale-bench` measures. This builds its guests, runs it in a process for each part,
//! and writes rows and pictures into `docs/pictures`, and tables into `docs/performance.md`.

pub mod draw;
pub mod page;
pub mod pictures;
pub mod rows;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;
use program_build::files;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;
use scale_bench::{Blobs, Part};
use strum::IntoEnumIterator;

use crate::project;
use pictures::PICTURES;
use rows::Rows;

/// Measure curves: accounts, data, programs, invocations; draw them, and write their tables
///
/// The full measurement takes some minutes. It writes rows and pictures into `docs/pictures`, and
/// the tables of `docs/performance.md`.
#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// Measure a few points only, and leave the documentation as it is: rows and pictures go to
    /// `target/scale`, and the figures mean nothing
    #[arg(long)]
    quick: bool,

    /// Measure nothing: draw the rows in `docs/pictures` again, and write the tables
    #[arg(long, conflicts_with = "quick")]
    draw: bool,
}

/// Measures, draws, and writes the tables.
///
/// # Errors
///
/// If a guest does not build, a measurement fails, or a file cannot be read or written.
pub fn scale(arguments: &ScaleArguments) -> Result<()> {
    let documentation = folder();
    let scratch = target_folder()?.join("scale");
    let folder = if arguments.quick {
        &scratch
    } else {
        &documentation
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // This finds a missing place before the measurement.
    page::check()?;
    if !arguments.draw {
        let blobs = scratch.join("blobs");
        build_guests(&blobs)?;
        measure(&blobs, folder, arguments.quick)?;
    }
    let rows = Rows::read(folder)?;
    for picture in &PICTURES {
        let path = folder.join(picture.file);
        files::write_whole(&path, draw::picture(picture, &rows)?)?;
        eprintln!("drew {}", path.display());
    }
    if !arguments.quick {
        page::write(&rows)?;
    }
    Ok(())
}

/// The folder of the committed rows and pictures.
#[must_use]
pub fn folder() -> PathBuf {
    project().join("docs/pictures")
}

fn target_folder() -> Result<PathBuf> {
    program_build::workspace::target_folder(project())
}

/// Builds the programs that are measured, into a folder.
fn build_guests(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let guests: [(&str, &[&str]); 3] = [
        ("benches/size", &["empty", "message"]),
        ("examples/counter", &[]),
        ("examples/token", &[]),
    ];
    for (file, (path, features)) in Blobs::FILES.iter().zip(guests) {
        let package = ProgramPackage::in_folder(&project().join(path))?;
        let blob = guest::build_with_features(&package, features, DebugInfo::Strip)?;
        files::write_whole(&folder.join(file), blob)?;
    }
    Ok(())
}

/// Measures every part in a process of its own, and writes the rows into a folder.
fn measure(blobs: &Path, folder: &Path, quick: bool) -> Result<()> {
    let mut texts = Vec::<(&str, String)>::new();
    for part in Part::iter() {
        eprintln!("measuring {}", part.name());
        let output = Command::new(env!("CARGO"))
            .current_dir(project())
            .args([
                "run",
                "--release",
                "--quiet",
                "--package",
                "scale-bench",
                "--",
            ])
            .arg(part.name())
            .arg(blobs)
            .args(quick.then_some("--quick"))
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        ensure!(
            output.status.success(),
            "the measurement of {} failed: {}",
            part.name(),
            output.status
        );
        let text = String::from_utf8(output.stdout).context("the rows are not text")?;
        match texts.iter_mut().find(|(file, _)| *file == part.file()) {
            Some((_, rows)) => rows.push_str(&text),
            None => texts.push((part.file(), format!("{}\n{text}", rows::HEADER))),
        }
    }
    for (file, text) in texts {
        files::write_whole(&folder.join(file).with_extension("csv"), text)?;
    }
    Ok(())
}
