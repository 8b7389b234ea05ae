//! Replays the corpora of the fuzz targets; blobs and calls run on both engines. The corpora keep
//! what long fuzzing runs have found.

use std::fs;
use std::path::Path;

use loader::Engine;
use tests::hostile::blob::Loaders;
use tests::hostile::machine::Machine;
use tests::hostile::script::Script;
use tests::hostile::{input, script};

/// Calls `run` with every file of a target's corpus, and returns how many it accepted. Fails if the
/// corpus is small.
fn replay(target: &str, run: impl Fn(&[u8]) -> bool) -> usize {
    // `cargo test` runs in the folder of the package.
    let corpus = Path::new("fuzz/corpus").join(target);
    let files = fs::read_dir(&corpus).expect("a corpus in the tree");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "a corpus of {} files", paths.len());
    let mut accepted = 0;
    for path in paths {
        // The test harness captures this, and shows it if the test fails.
        println!("{}", path.display());
        accepted += usize::from(run(&fs::read(path).expect("a file to read")));
    }
    accepted
}

#[test]
fn corpus_blobs_are_harmless() {
    let loaders = Loaders::new(&tests::polkavm());
    let programs = replay("blob", |bytes| loaders.check_bytes(bytes));
    assert!(programs >= 10, "only {programs} programs");
}

#[test]
fn corpus_inputs_are_read_by_all_or_none() {
    let inputs = replay("input", |bytes| input::check(&input::expand(bytes)));
    assert!(inputs >= 5, "only {inputs} valid inputs");
}

#[test]
fn corpus_imports_match_the_model() {
    let machine = Machine::new(&tests::polkavm());
    let calls = replay("imports", |bytes| {
        let script = Script::decode(bytes, &machine.layout);
        machine.check(&script).is_success()
    });
    assert!(calls >= 3, "only {calls} successful scripts");
}

#[test]
fn corpora_still_decode_as_when_recorded() {
    let machine = Machine::new(&[Engine::Interpreter]);
    let bases = script::bases(&machine.layout);
    let bytes = [0x80, 2, 0xFF, 0xFF, 12, 8, 0, 0, 0, 5, 1, 11, 0x10, 0, 4];
    let script = Script::decode(&bytes, &machine.layout);
    assert_eq!(script.status, bases[2] - 1);
    let [log, compare] = &script.calls[..] else {
        panic!("{script:?}");
    };
    assert_eq!(
        (log.import.symbol(), compare.import.symbol()),
        ("rlo_log_", "rlo_memcmp_")
    );
    assert_eq!(log.arguments, [bases[8], 0x0105, 0, 0, 0]);
    assert_eq!(compare.arguments, [bases[16] + 0x400, 0, 0, 0, 0]);

    assert_eq!(input::expand(&[1, 0xFD, 3, 0, 2, 0xFD]), [1, 0, 0, 0, 2]);
    assert_eq!(input::compress(&[1, 0, 0, 0, 0, 2]), [1, 0xFD, 4, 0, 2]);
}
