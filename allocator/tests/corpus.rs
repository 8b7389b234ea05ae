//! Replays the fuzzer's corpus, which keeps what long fuzzing runs have found.

mod support;

use std::fs;
use std::path::Path;

use support::decode::{ArenaCase, Case};
use support::driver::Operation;

/// Calls `run` with every file of a target's corpus, in the order of their names. Fails if there
/// are few.
fn replay(target: &str, run: impl Fn(&[u8])) {
    // `cargo test` runs in the folder of the package.
    let corpus = Path::new("fuzz/corpus").join(target);
    let files = fs::read_dir(&corpus).expect("a corpus in the tree");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "a corpus of {} files", paths.len());
    for path in paths {
        // The test harness captures this, and shows it if the test fails.
        println!("{}", path.display());
        run(&fs::read(path).expect("a file to read"));
    }
}

#[test]
#[cfg_attr(miri, ignore = "files, and pages by the dozen")]
fn corpus_matches_the_models() {
    replay("allocators", |bytes| Case::decode(bytes).run());
}

#[test]
#[cfg_attr(miri, ignore = "files")]
fn arena_corpus_matches_the_model() {
    replay("arena", |bytes| ArenaCase::decode(bytes).run());
}

#[test]
fn corpus_still_decodes_as_when_recorded() {
    let bytes = [
        0x08, 0x10, 0x2C, 0x01, 0x05, 0x07, 0x18, 0x05, 0x22, 0xC1, 0x02, 0x0B, 0x15, 0xE0, 0x80,
        0x1F, 0x17, 0xF8, 0xF9, 0x05, 0x00, 0xFF,
    ];
    let case = Case::decode(&bytes);
    assert_eq!((case.remainder, case.length), (0x1008, 300));
    assert_eq!((case.pages_before, case.pages_limit), (1, 7));
    let operations = [
        Operation::Alloc {
            size: 5,
            align_bits: 3,
        },
        Operation::AllocZeroed {
            size: 0x102,
            align_bits: 4,
        },
        Operation::Dealloc { block: 1 },
        Operation::Realloc {
            block: 2,
            new_size: 16384,
        },
        Operation::OthersRace,
        Operation::OthersTake { pages: 2 },
        Operation::Alloc {
            size: 1 << 5,
            align_bits: 63,
        },
        Operation::Alloc {
            size: isize::MAX as usize,
            align_bits: 0,
        },
    ];
    assert_eq!(case.operations, operations);
}
