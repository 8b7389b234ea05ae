//! `cargo entrypoint fuzz`

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use loader::debug::Tracer;
use loader::display::escape_control;
use loader::fixture::{DEFAULT_PROGRAM_ID, Fixture, Surroundings};
use loader::{Engine, Invocation, Loader, Program as Loaded, Runtime};
use program_build::files;
use program_build::guest;
use program_build::machine::{BuiltHost, Machine};
use program_build::package::{Program, ProgramPackage};

use crate::arguments::FuzzArguments;
use crate::commands::call::from_here;
use crate::fuzz::{Campaign, Figures, Found, fixture};
use crate::report::{self, EXIT_FAILED};
use crate::text::grouped;

/// How long to wait between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(5);

/// How many runs pass between two looks at the clock.
const RUNS_WITHOUT_CLOCK: u64 = 64;

/// An input to start from.
struct Seed {
    path: Option<PathBuf>,
    /// Whose limits, prices and log lines the program gets.
    runtime: Runtime,
    invocation: Invocation,
    surroundings: Surroundings,
}

/// The program that is fuzzed, as on one runtime.
struct OnRuntime {
    machine: Machine,
    loader: Loader,
    loaded: Loaded,
    tracer: Rc<Tracer>,
}

impl OnRuntime {
    fn load(runtime: Runtime, name: &str, blob: &[u8]) -> Result<Self> {
        let loader = Loader::new(Engine::Interpreter)?.as_on(runtime);
        let loaded = loader
            .load(blob)
            .with_context(|| format!("cannot load {name}"))?;
        Ok(Self {
            machine: Machine::new(Engine::Interpreter).as_on(runtime),
            loader,
            tracer: Rc::new(loaded.tracer()?),
            loaded,
        })
    }
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
    let mut programs: HashMap<Runtime, OnRuntime> = HashMap::new();
    let mut campaign = Campaign::new(arguments.seed);
    for seed in &seeds {
        let on_runtime = match programs.entry(seed.runtime) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(OnRuntime::load(seed.runtime, &name, &blob)?),
        };
        let (loader, machine) = (&on_runtime.loader, &on_runtime.machine);
        let folder = seed.path.as_deref().and_then(Path::parent);
        let built = BuiltHost::new(
            &on_runtime.loaded,
            seed.invocation.program_id,
            &seed.surroundings,
            folder.unwrap_or(Path::new("")),
            |path| machine.load(loader, path),
        )?;
        let tracer = Rc::clone(&on_runtime.tracer);
        let started = campaign.start_from(tracer, seed.invocation.clone(), built.host);
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
            write_crash(found, seeds, output, arguments.program.as_deref())?;
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
fn write_crash(found: &Found, seeds: &[Seed], output: &Path, program: Option<&str>) -> Result<()> {
    let seed = &seeds[found.seed];
    let seed_path = seed.path.as_deref();
    let text = match seed_path {
        Some(path) => Some(
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
        ),
        None => None,
    };
    let folder = seed_path.and_then(Path::parent).unwrap_or(Path::new(""));
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let text = fixture::write(
        text.as_deref(),
        &seed.surroundings,
        seed.runtime,
        &folder,
        &found.invocation,
        &found.failure,
    )?;
    let number = next_number(output)?;
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

/// The number after those of the crashes in a folder, so that none is overwritten.
fn next_number(folder: &Path) -> Result<u64> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
    let numbers = entries.iter().filter_map(|entry| {
        let name = entry.file_name();
        let (number, _) = name.to_str()?.strip_prefix("crash-")?.split_once('-')?;
        number.parse::<u64>().ok()
    });
    Ok(numbers.max().unwrap_or(0).saturating_add(1))
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
            .validate(&fixture.runtime.limits())
            .with_context(|| format!("in {}", path.display()))?;
        seeds.push(Seed {
            path: Some(path),
            runtime: fixture.runtime,
            invocation: fixture.invocation,
            surroundings: fixture.surroundings,
        });
    }
    if seeds.is_empty() {
        seeds.push(Seed {
            path: None,
            runtime: Runtime::default(),
            invocation: Invocation::new(DEFAULT_PROGRAM_ID),
            surroundings: Surroundings::default(),
        });
    }
    Ok(seeds)
}
