//! A coverage counts each instruction that ran, on its lines, and changes no outcome.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use cargo_entrypoint::coverage::code;
use cargo_entrypoint::coverage::measure::{FileCoverage, Way, measure};
use cargo_entrypoint::profile::sources::Sources;
use loader::coverage::{BlobHash, Counts, Coverage, Then, instructions};
use loader::fixture::Fixture;
use loader::{Engine, Failure, Invocation, Loader};
use program_build::coverage as files;
use program_build::custom_errors::CustomErrors;
use program_build::guest::{self, DebugInfo, MappedBuild};
use program_build::machine::BuiltHost;
use program_build::package::ProgramPackage;
use program_test::{AccountMeta, Instruction, TestLedger, key};
use tests::example;

fn package(name: &str) -> ProgramPackage {
    ProgramPackage::in_folder(&example(name)).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The build of an example. Each is built once.
fn build(package: &ProgramPackage) -> Arc<MappedBuild> {
    static BUILDS: Mutex<BTreeMap<String, Arc<MappedBuild>>> = Mutex::new(BTreeMap::new());
    let mut builds = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    let build = builds.entry(package.name.clone()).or_insert_with(|| {
        Arc::new(guest::build_mapped(package).unwrap_or_else(|error| panic!("{error:?}")))
    });
    Arc::clone(build)
}

fn counting(coverage: &Coverage) -> Loader {
    let loader = Loader::new(Engine::Interpreter).unwrap_or_else(|error| panic!("{error}"));
    loader.count_into(coverage)
}

fn invocation(package: &ProgramPackage, fixture: &str) -> Invocation {
    let fixture = Fixture::read(&package.fixture_path(fixture));
    fixture.unwrap_or_else(|error| panic!("{error}")).invocation
}

/// The coverage of an example's files by their last names, in runs of these fixtures.
fn measured(name: &str, fixtures: &[&str]) -> BTreeMap<String, FileCoverage> {
    let package = package(name);
    let build = build(&package);
    let coverage = Coverage::new();
    let program = counting(&coverage)
        .load(&build.blob)
        .unwrap_or_else(|error| panic!("{error}"));
    for fixture in fixtures {
        let outcome = program.invoke(&invocation(&package, fixture));
        let _ = outcome.unwrap_or_else(|error| panic!("{error}"));
    }
    let counts = coverage.of(&build.blob).expect("it was loaded");
    let placed = code::placed(&build, &counts).unwrap_or_else(|error| panic!("{error:?}"));
    measure(&placed, &mut Sources::of(&package))
        .into_iter()
        .map(|file| {
            let name = file.path.file_name().and_then(|name| name.to_str());
            (name.expect("a name").to_owned(), file)
        })
        .collect()
}

/// The number of the only line of a file that contains this text.
#[track_caller]
fn line(file: &FileCoverage, text: &str) -> u32 {
    let mut lines = (1..)
        .zip(&file.text)
        .filter(|(_, line)| line.contains(text));
    let (line, _) = lines.next().expect("such a line");
    assert_eq!(lines.next(), None, "{text}");
    line
}

/// How often the only decision of a line left the line.
#[track_caller]
fn ways(file: &FileCoverage, line: u32) -> BTreeMap<Way, u64> {
    let mut decisions = file.decisions.range((line, 0)..=(line, u32::MAX));
    let (_, ways) = decisions.next().expect("a decision");
    ways.clone()
}

#[test]
fn lines_of_the_vault_are_those_that_ran() {
    let files = measured("vault", &["default"]);
    let file = &files["lib.rs"];
    let withdraw = line(file, "fn withdraw(");
    for text in ["vault.debit(amount)?", "recipient.credit(amount)?"] {
        assert_eq!(file.lines[&line(file, text)], 1, "{text}");
    }
    // The whole of `open`, and nothing else.
    let open = line(file, "fn open(");
    let last = line(file, "msg!(\"opened\")") + 2;
    assert_eq!(file.unreached(), [(open, last)]);
    assert!(file.lines[&withdraw] > 0);
    let both = measured("vault", &["default", "open"]);
    assert_eq!(both["lib.rs"].unreached(), []);
}

#[test]
fn error_branch_is_taken_when_a_fixture_takes_it() {
    let condition = "if *vault.try_borrow_data()? != *authority.key().as_bytes()";
    let ways_with = |fixtures: &[&str]| {
        let files = measured("vault", fixtures);
        let file = &files["lib.rs"];
        let debit = line(file, "vault.debit(amount)?");
        let ways = ways(file, line(file, condition));
        let ways = ways.into_iter();
        let (goes_on, fails): (Vec<_>, Vec<_>) =
            ways.partition(|(way, _)| matches!(way, Way::To(line, _) if *line == debit));
        let sum = |ways: Vec<(Way, u64)>| ways.iter().map(|(_, count)| count).sum::<u64>();
        (sum(goes_on), sum(fails))
    };
    assert_eq!(ways_with(&["default"]), (1, 0));
    assert_eq!(ways_with(&["default", "wrong_authority"]), (1, 1));
}

#[test]
fn inlined_code_counts_on_its_own_lines() {
    // `spend` is inlined into `transfer` and into `burn`.
    let lines_with = |fixtures: &[&str]| {
        let files = measured("token", fixtures);
        let file = &files["process.rs"];
        let spend = line(file, "if self.owner != *authority.key()");
        let call = line(file, "from.spend(authority, amount)?");
        (file.lines[&spend], file.lines[&call])
    };
    assert_eq!(lines_with(&["default"]), (1, 1));
    assert_eq!(lines_with(&["burn"]), (1, 0));
    assert_eq!(lines_with(&["default", "burn"]), (2, 1));
}

#[test]
fn each_instruction_counts_as_often_as_it_ran() {
    let package = package("vault");
    let build = build(&package);
    let blob = &build.blob;
    let invocation = invocation(&package, "default");
    let coverage = Coverage::new();
    let program = counting(&coverage).load(blob).expect("it loads");
    let counted = program.invoke(&invocation).expect("it runs");
    let plain = Loader::new(Engine::Interpreter).expect("the engine");
    let plain = plain.load(blob).expect("it loads");
    assert_eq!(counted, plain.invoke(&invocation).expect("it runs"));

    let tracer = plain.tracer().expect("a tracer");
    let recording = tracer.record(&invocation, usize::MAX).expect("a recording");
    let mut expected = Counts::default();
    let branches: BTreeMap<u32, u32> = instructions(blob)
        .expect("a blob")
        .iter()
        .filter_map(|code| match code.then {
            Then::Branch(target) => Some((code.offset, target)),
            _ => None,
        })
        .collect();
    for (index, offset) in recording.counters.iter().enumerate() {
        let count = expected.executed.entry(*offset).or_default();
        count.times += 1;
        let next = recording.counters.get(index + 1);
        count.taken += u64::from(next.is_some() && branches.get(offset) == next);
    }
    assert_eq!(coverage.of(blob), Some(expected.clone()));
    // All invocations and all loads add up.
    let again = counting(&coverage).load(blob).expect("it loads");
    assert_eq!(again.invoke(&invocation).expect("it runs"), counted);
    expected.add(&expected.clone());
    assert_eq!(coverage.of(blob), Some(expected));
}

#[test]
fn deployed_blob_has_the_code_that_is_measured() {
    let package = package("vault");
    let deployed = guest::build(&package, DebugInfo::Strip);
    let deployed = deployed.unwrap_or_else(|error| panic!("{error:?}"));
    let measured = &build(&package).blob;
    assert!(deployed.len() < measured.len());
    let code = |blob| instructions(blob).expect("a blob");
    assert_eq!(code(&deployed), code(measured));
}

#[test]
fn instruction_that_is_not_paid_does_not_count() {
    let package = package("vault");
    let build = build(&package);
    let blob = &build.blob;
    let invocation = invocation(&package, "default");
    let mut failed = 0;
    for gas in (0..500).step_by(7) {
        let coverage = Coverage::new();
        let program = counting(&coverage).load(blob).expect("it loads");
        let outcome = program
            .invoke(&invocation.clone().gas(gas))
            .expect("it runs");
        failed += u32::from(matches!(outcome.failure, Some(Failure::OutOfGas { .. })));
        let counts = coverage.of(blob).expect("it was loaded");
        let executed: u64 = counts.executed.values().map(|count| count.times).sum();
        assert!(executed <= outcome.gas_used, "{executed} of {gas}");
    }
    assert!(failed > 10, "{failed}");
}

#[test]
fn only_the_interpreter_counts() {
    let package = package("vault");
    let build = build(&package);
    let blob = &build.blob;
    for engine in program_test::polkavm_engines() {
        let coverage = Coverage::new();
        let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
        let program = loader.count_into(&coverage).load(blob).expect("it loads");
        let outcome = program.invoke(&invocation(&package, "default"));
        assert!(outcome.expect("it runs").is_success());
        assert_eq!(coverage.all().is_empty(), engine != Engine::Interpreter);
    }
}

#[test]
fn called_program_counts_too() {
    let package = package("exchange");
    let build = build(&package);
    let blob = &build.blob;
    let token = self::build(&self::package("token"));
    let token = &token.blob;
    let coverage = Coverage::new();
    let loader = counting(&coverage);
    let program = loader.load(blob).expect("it loads");
    let path = package.fixture_path("default");
    let fixture = Fixture::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let (id, surroundings) = (fixture.invocation.program_id, &fixture.surroundings);
    let folder = path.parent().expect("a folder");
    let built = BuiltHost::new(&program, id, surroundings, folder, |_| {
        Ok((loader.load(token)?, CustomErrors::default()))
    });
    let host = built.unwrap_or_else(|error| panic!("{error:?}")).host;
    let outcome = program.invoke_with(&host, &fixture.invocation);
    assert!(outcome.expect("it runs").is_success());
    for blob in [blob, token] {
        let counts = coverage.of(blob).expect("it was loaded");
        assert!(counts.executed.len() > 50, "{}", counts.executed.len());
    }
}

/// The test that this binary runs in another process.
const IN_PROCESS: &str = "profile::coverage::transaction_on_a_test_ledger";

#[test]
#[ignore = "another test runs it in a process of its own"]
fn transaction_on_a_test_ledger() {
    let mut ledger = TestLedger::new();
    let counter = ledger.deploy(example("counter").as_path());
    let apples = ledger.create(key("apples"), counter, 41_u64);
    let count = Instruction::new(counter).account(AccountMeta::writable(apples));
    ledger.send([count.clone(), count]).assert_success();
}

#[test]
fn test_process_writes_what_its_programs_executed() {
    let folder = tempfile::tempdir().expect("a folder");
    let status = Command::new(env::current_exe().expect("this binary"))
        .args(["--exact", IN_PROCESS, "--ignored", "--quiet"])
        .env(files::FOLDER, folder.path())
        .output()
        .expect("it runs");
    assert!(status.status.success(), "{status:?}");
    let executed = files::read(folder.path()).unwrap_or_else(|error| panic!("{error:?}"));
    let [executed] = executed.as_slice() else {
        panic!("one program in one process: {executed:?}");
    };
    let build = build(&package("counter"));
    assert_eq!(executed.name, "counter");
    assert_eq!(executed.blob, BlobHash::of(&build.blob));
    let placed = code::placed(&build, &executed.counts).expect("it is readable");
    let measured = measure(&placed, &mut Sources::of(&package("counter")));
    // Both instructions of the transaction.
    assert_eq!(measured[0].lines.values().max(), Some(&2));
}
