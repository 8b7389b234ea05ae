//! `cargo entrypoint fuzz`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use cargo_entrypoint::text::grouped;
use loader::display::escape_control;
use loader::fixture::{DEFAULT_PROGRAM_ID, Fixture, Surroundings};
use loader::{Engine, Invocation, Limits, Loader};
use program_build::files;
use program_build::guest;
use program_build::machine::{BuiltHost, Machine};
use program_build::package::{Program, ProgramPackage};

use crate::arguments::FuzzArguments;
use crate::commands::call::from_here;
use crate::fuzz::{Campaign, Figures, Found, fixture};
use crate::report::{self, EXIT_FAILED};

/// How long to wait between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(5);

/// How many runs pass between two looks at the clock.
const RUNS_WITHOUT_CLOCK: u64 = 64;

/// An input to start from.
struct Seed {
    path: Option<PathBuf>,
    invocation: Invocation,
    surroundings: Surroundings,
}

pub fn fuzz(arguments: &FuzzArguments) -> Result<ExitCode> {
    let program = arguments.cargo.locate(arguments.program.as_deref())?;
    let Program::Package(package) = &program else {
        bail!("a file has no fixtures to start from; pass the program's crate");
    };
    let seeds = seeds(package, arguments)?;
    let output = match &arguments.output {
        Some(folder) => folder.clone(),
        None => package.target_folder.join("fuzz").join(&package.name),
    };
    fs::create_dir_all(&output)
        .with_context(|| format!("cannot create the folder {}", output.display()))?;
    let (name, blob) = guest::blob_of(&program)?;
    let loader = Loader::new(Engine::Interpreter)?;
    let loaded = loader
        .load(&blob)
        .with_context(|| format!("cannot load {name}"))?;
    let machine = Machine::new(Engine::Interpreter);
    let mut campaign = Campaign::new(loaded.tracer()?, arguments.seed);
    for seed in &seeds {
        let folder = seed.path.as_deref().and_then(Path::parent);
        let built = BuiltHost::new(
            &loaded,
            seed.invocation.program_id,
            &seed.surroundings,
            folder.unwrap_or(Path::new("")),
            |path| machine.load(&loader, path),
        )?;
        let started = campaign.start_from(seed.invocation.clone(), built.host);
        started.with_context(|| match &seed.path {
            Some(path) => format!("in {}", path.display()),
            None => "without a fixture".to_owned(),
        })?;
    }
    report::print(&format!(
        "{name}: {} fixtures to start from, seed {}\n",
        seeds.iter().filter(|seed| seed.path.is_some()).count(),
        arguments.seed
    ))?;
    run(&mut campaign, arguments, &seeds, &output)?;
    let found = campaign.found().len();
    Ok(if found == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    })
}

/// Runs inputs until the time or the runs are used up.
fn run(
    campaign: &mut Campaign,
    arguments: &FuzzArguments,
    seeds: &[Seed],
    output: &Path,
) -> Result<()> {
    let start = Instant::now();
    let mut told = start;
    let mut written = 0;
    loop {
        for found in &campaign.found()[written..] {
            written += 1;
            write_crash(found, written, seeds, output, arguments.program.as_deref())?;
        }
        let figures = campaign.figures();
        let is_time = figures.runs.is_multiple_of(RUNS_WITHOUT_CLOCK);
        let is_over = match arguments.runs {
            Some(runs) => figures.runs >= runs,
            None => is_time && start.elapsed() >= Duration::from_secs(arguments.time),
        };
        let is_enough = arguments.first && figures.crashes > 0;
        if is_over || is_enough {
            return report::print(&progress(&figures, start.elapsed()));
        }
        if is_time && told.elapsed() >= PROGRESS {
            told = Instant::now();
            report::print(&progress(&figures, start.elapsed()))?;
        }
        campaign.step()?;
    }
}

fn progress(figures: &Figures, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    format!(
        "{:>4.0} s  {} runs, {} a second; {} edges, {} inputs kept, {} crashes\n",
        seconds,
        grouped(figures.runs),
        grouped((figures.runs as f64 / seconds) as u64),
        grouped(figures.edges as u64),
        grouped(figures.kept as u64),
        figures.crashes,
    )
}

/// Writes the fixture of a crash, and prints how to run it.
fn write_crash(
    found: &Found,
    number: usize,
    seeds: &[Seed],
    output: &Path,
    program: Option<&str>,
) -> Result<()> {
    let seed = seeds[found.seed].path.as_deref();
    let text = match seed {
        Some(path) => Some(
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
        ),
        None => None,
    };
    let folder = seed.and_then(Path::parent).unwrap_or(Path::new(""));
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let text = fixture::write(text.as_deref(), &folder, &found.invocation, &found.failure)?;
    let path = output.join(format!("crash-{number}-{}.toml", found.crash.kind));
    files::write_whole(&path, text)?;
    report::print(&format!(
        "crash after {} runs: {}\n  cargo entrypoint run{} --fixture {}\n",
        grouped(found.runs),
        escape_control(&found.failure.to_string()),
        program.map_or_else(String::new, |program| format!(" {program}")),
        from_here(&path).display(),
    ))
}

/// The program's fixtures; an empty invocation if it has none.
fn seeds(package: &ProgramPackage, arguments: &FuzzArguments) -> Result<Vec<Seed>> {
    let paths = match &arguments.fixture {
        Some(name) => vec![package.fixture(name)?],
        None => {
            let names = package.fixtures()?;
            names
                .iter()
                .map(|name| package.fixture_path(name))
                .collect()
        }
    };
    let mut seeds = Vec::new();
    for path in paths {
        let fixture = Fixture::read(&path)?;
        fixture
            .invocation
            .validate(&Limits::default())
            .with_context(|| format!("in {}", path.display()))?;
        seeds.push(Seed {
            path: Some(path),
            invocation: fixture.invocation,
            surroundings: fixture.surroundings,
        });
    }
    if seeds.is_empty() {
        seeds.push(Seed {
            path: None,
            invocation: Invocation::new(DEFAULT_PROGRAM_ID),
            surroundings: Surroundings::default(),
        });
    }
    Ok(seeds)
}
