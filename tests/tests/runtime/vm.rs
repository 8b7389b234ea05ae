//! Programs on the virtual machine of the published runtime: the same outcomes as on this project's
//! own, with an account table and without, however they are linked.

use std::collections::HashMap;
use std::path::Path;

use loader::deploy::{self, NotDeployable};
use loader::fixture::Fixture;
use loader::{AccountInput, Engine, Invocation, Loader, Outcome, Program, Pubkey};
use polkavm_linker::{OptLevel, TargetInstructionSet};
use program_build::custom_errors::CustomErrors;
use program_build::guest::{self, DebugInfo, elf_path};
use program_build::machine::BuiltHost;
use program_build::package::ProgramPackage;
use tests::{PROGRAM_ID, example, published_vm};

/// The blobs of one program: as it is built, and linked at each level by PolkaVM's linker.
type Blobs = [(&'static str, Vec<u8>); 3];

fn package(folder: &Path) -> ProgramPackage {
    ProgramPackage::in_folder(folder).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Builds a program, with some of its features.
fn blobs(package: &ProgramPackage, features: &[&str]) -> Blobs {
    let built = guest::build_with_features(package, features, DebugInfo::Keep);
    let built = built.unwrap_or_else(|error| panic!("{}: {error:?}", package.name));
    let elf = std::fs::read(elf_path(package, features)).expect("the ELF file of the build");
    let linked = |level| {
        let mut config = polkavm_linker::Config::default();
        config.set_opt_level(level);
        config.set_min_stack_size(package.stack);
        polkavm_linker::program_from_elf(config, TargetInstructionSet::ReviveV1, &elf)
            .unwrap_or_else(|error| panic!("{}: {error}", package.name))
    };
    [
        ("as built", built),
        ("O1", linked(OptLevel::O1)),
        ("O2", linked(OptLevel::O2)),
    ]
}

/// The machines: this project's own first, and then both of the published runtime.
fn machines() -> Vec<(&'static str, Loader)> {
    let own = Loader::new(Engine::Interpreter).expect("an engine");
    let mut machines = vec![("own", own)];
    for engine in program_test::polkavm_engines() {
        let name = match engine {
            Engine::Compiler => "0.26, compiler",
            _ => "0.26, interpreter",
        };
        machines.push((name, published_vm::loader(engine)));
    }
    machines
}

/// Fails if an outcome on another machine differs, gas and heap included.
#[track_caller]
fn assert_same(what: &str, expected: &Outcome, found: &Outcome) {
    let mut differences = expected.differences(found);
    if expected.gas_used != found.gas_used {
        differences.push(format!("gas: {}, {}", expected.gas_used, found.gas_used));
    }
    if expected.heap != found.heap {
        differences.push(format!("heap: {:?}, {:?}", expected.heap, found.heap));
    }
    if expected.calls != found.calls {
        differences.push(format!("calls: {:?}, {:?}", expected.calls, found.calls));
    }
    assert!(differences.is_empty(), "{what}: {differences:#?}");
}

/// Runs a program's blobs on every machine, with an account table and without. All outcomes must
/// agree. `run` gets a loaded program and whether there is a table.
fn compare(
    what: &str,
    programs: &[(&'static str, Vec<(&'static str, Program)>)],
    run: &mut dyn FnMut(usize, &Program, bool) -> Outcome,
) {
    let mut first: Option<Outcome> = None;
    for (level, machines) in programs {
        for table in [true, false] {
            let mut own: Option<Outcome> = None;
            for (machine, (name, program)) in machines.iter().enumerate() {
                let outcome = run(machine, program, table);
                let what = format!("{what}, {level}, {name}, table: {table}");
                // How a program is linked, and the table, change gas and nothing else.
                let differences = first
                    .get_or_insert_with(|| outcome.clone())
                    .differences(&outcome);
                assert!(differences.is_empty(), "{what}: {differences:#?}");
                let own = own.get_or_insert_with(|| outcome.clone());
                assert_same(&what, own, &outcome);
            }
        }
    }
}

/// Loads each blob on each machine.
fn load(
    blobs: &Blobs,
    machines: &[(&'static str, Loader)],
) -> Vec<(&'static str, Vec<(&'static str, Program)>)> {
    let load = |blob: &[u8]| {
        let machines = machines.iter().map(|(name, loader)| {
            let program = loader.load(blob);
            (
                *name,
                program.unwrap_or_else(|error| panic!("{name}: {error}")),
            )
        });
        machines.collect()
    };
    blobs
        .iter()
        .map(|(level, blob)| (*level, load(blob)))
        .collect()
}

#[test]
fn examples_agree_with_the_published_machine() {
    let machines = machines();
    let mut others: HashMap<_, Vec<u8>> = HashMap::new();
    let folders = std::fs::read_dir(example("")).expect("a folder");
    let mut folders: Vec<_> = folders
        .map(|folder| folder.expect("a folder").path())
        .collect();
    folders.sort();
    let mut count = 0;
    for folder in folders {
        // A handler is not a program.
        if folder.ends_with("edge_handler") {
            continue;
        }
        let package = package(&folder);
        let programs = load(&blobs(&package, &[]), &machines);
        for name in package.fixtures().expect("a folder") {
            let path = package.fixture(&name).expect("a fixture");
            let fixture = Fixture::read(&path).unwrap_or_else(|error| panic!("{error}"));
            let what = format!("{}, {name}", package.name);
            let mut run = |machine: usize, program: &Program, table: bool| {
                let loader: &Loader = &machines[machine].1;
                let load = |folder: &Path| {
                    let folder = folder.canonicalize()?;
                    let blob = others.entry(folder.clone()).or_insert_with(|| {
                        let package = ProgramPackage::in_folder(&folder).expect("a program");
                        guest::build(&package, DebugInfo::Strip).expect("a blob")
                    });
                    Ok((loader.load(blob)?, CustomErrors::default()))
                };
                let folder = path.parent().expect("a folder");
                let id = fixture.invocation.program_id;
                let host = BuiltHost::new(program, id, &fixture.surroundings, folder, load);
                let host = host.unwrap_or_else(|error| panic!("{error:?}"));
                let invocation = fixture.invocation.clone().account_table(table);
                let outcome = program.invoke_with(&host.host, &invocation);
                outcome.unwrap_or_else(|error| panic!("{what}: {error}"))
            };
            compare(&what, &programs, &mut run);
            count += 1;
        }
    }
    assert!(count >= 50, "{count} fixtures");
}

#[test]
fn entries_agree_with_the_published_machine() {
    let machines = machines();
    let package = package(&tests::guest("entries"));
    for feature in [None, Some("no_alloc"), Some("reject"), Some("lazy")] {
        let features: Vec<&str> = feature.into_iter().collect();
        let programs = load(&blobs(&package, &features), &machines);
        for (accounts, repeats) in [(0, &[][..]), (1, &[]), (3, &[0, 2]), (7, &[6, 6, 1])] {
            let mut call = Invocation::new(PROGRAM_ID).gas(100_000);
            for number in 0..accounts {
                let account = AccountInput::new(Pubkey::new([number + 1; 32]));
                let account = account.owner(PROGRAM_ID).data([number; 13]).writable();
                call = call.account(account);
            }
            let call = repeats.iter().fold(call, |call, first| call.repeat(*first));
            let what = format!("entries, {feature:?}, {accounts} accounts, {repeats:?}");
            compare(&what, &programs, &mut |_, program, table| {
                let outcome = program.invoke(&call.clone().account_table(table));
                outcome.unwrap_or_else(|error| panic!("{what}: {error}"))
            });
        }
    }
}

#[test]
fn torture_agrees_with_the_published_machine_and_with_this_process() {
    let machines = machines();
    let programs = load(&blobs(&package(&tests::guest("torture")), &[]), &machines);
    let mut count = 0;
    for (number, (name, part)) in torture::PARTS.iter().enumerate() {
        for seed in [1, 0x5eed] {
            let mut expected = Vec::new();
            part(seed, &mut |result| expected.extend(result.to_le_bytes()));
            count += expected.len() / 8;
            let account = AccountInput::new(Pubkey::new([2; 32])).owner(PROGRAM_ID);
            let account = account.data(vec![0; expected.len()]).writable();
            let mut data = vec![number as u8];
            data.extend(seed.to_le_bytes());
            let call = Invocation::new(PROGRAM_ID).account(account).data(data);
            let call = call.gas(50_000_000).heap_size(256 << 10);
            compare(name, &programs, &mut |_, program, table| {
                let outcome = program.invoke(&call.clone().account_table(table));
                let outcome = outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(outcome.failure, None, "{name}");
                let found = outcome.accounts[0].data.chunks_exact(8);
                let differs = found
                    .zip(expected.chunks_exact(8))
                    .position(|(a, b)| a != b);
                assert_eq!(differs, None, "{name}, seed {seed}: first wrong result");
                outcome
            });
        }
    }
    println!("{count} results");
    assert!(count > 20_000, "{count} results");
}

/// The stack of a deployed program is 256 KiB at most. A program that asks for as much has it there
/// too, and does not deploy if it asks for more.
#[test]
fn largest_stack_runs_on_the_published_machine() {
    // The bytes of 200 frames are between 64 KiB and 256 KiB.
    const DEPTH: u64 = 200;
    let mut package = package(&tests::guest("deep"));
    assert_eq!(package.stack, 256 << 10, "as its manifest says");
    for (stack, is_deployed) in [(64 << 10, true), (256 << 10, true), (512 << 10, false)] {
        package.stack = stack;
        let blob = guest::build(&package, DebugInfo::Strip).expect("a blob");
        let parts = polkavm_026::ProgramParts::from_bytes(blob.clone().into()).expect("parts");
        assert_eq!(parts.stack_size, stack);
        let expected = match is_deployed {
            true => Ok(()),
            false => Err(NotDeployable::StackTooLarge { size: stack }),
        };
        assert_eq!(deploy::check(&blob), expected);
        for (name, loader) in machines() {
            let program = loader.load(&blob);
            let program = program.unwrap_or_else(|error| panic!("{name}: {error}"));
            for (depth, is_enough) in [(DEPTH, stack > 64 << 10), (6 * DEPTH, false)] {
                let call = Invocation::new(PROGRAM_ID).data(depth.to_le_bytes());
                let outcome = program.invoke(&call).expect("an outcome");
                let what = format!("{name}, {stack} bytes, {depth} deep");
                assert_eq!(
                    outcome.is_success(),
                    is_enough,
                    "{what}: {:?}",
                    outcome.failure
                );
                if name == "own" && !is_enough {
                    let failure = outcome.failure.expect("a failure");
                    assert_eq!(failure.kind(), "StackOverflow", "{what}");
                }
            }
        }
    }
}

/// The largest depth that a program with this stack reaches.
fn deepest(program: &Program) -> u64 {
    let is_enough = |depth: u64| {
        let call = Invocation::new(PROGRAM_ID).data(depth.to_le_bytes());
        program.invoke(&call).expect("an outcome").is_success()
    };
    let (mut reached, mut too_deep) = (0, 5_000);
    assert!(is_enough(reached) && !is_enough(too_deep));
    while too_deep - reached > 1 {
        let middle = (reached + too_deep) / 2;
        match is_enough(middle) {
            true => reached = middle,
            false => too_deep = middle,
        }
    }
    reached
}

/// Calls go as deep as on the published machine, if the stack is a power of two. If it is not, the
/// interpreter of PolkaVM 0.37 gives a program the next one: the last assertion fails when that is
/// mended, and `docs/runtime.md` has a row less then.
#[test]
fn calls_go_as_deep_as_on_the_published_machine() {
    let mut package = package(&tests::guest("deep"));
    let mut depths = |stack: u32| -> Vec<(&'static str, u64)> {
        package.stack = stack;
        let blob = guest::build(&package, DebugInfo::Strip).expect("a blob");
        let mut machines = machines();
        if tests::polkavm()[1] == Engine::Compiler {
            let own = Loader::new(Engine::Compiler).expect("an engine");
            machines.push(("own compiler", own));
        }
        let depth = |(name, loader): (&'static str, Loader)| {
            (name, deepest(&loader.load(&blob).expect("a program")))
        };
        machines.into_iter().map(depth).collect()
    };
    for stack in [64 << 10, 256 << 10] {
        let depths = depths(stack);
        assert!(
            depths.iter().all(|(_, depth)| *depth == depths[0].1),
            "{depths:?}"
        );
    }
    let depths = depths(192 << 10);
    let (own, others) = depths.split_first().expect("machines");
    assert!(
        others.iter().all(|(_, depth)| *depth == others[0].1),
        "{depths:?}"
    );
    assert!(own.1 > others[0].1, "{depths:?}");
}
