//! `cargo entrypoint fuzz`

use std::path::Path;

use crate::support::{entrypoint, json, refused, says, stdout};
use loader::fixture::Fixture;

/// The program with a planted fault.
const PROGRAM: &str = "tests/guests/planted";

fn fuzz(output: &Path, words: &[&str]) -> (Option<i32>, String) {
    let folder = output.display().to_string();
    let words = [&["fuzz", PROGRAM, "--output", &folder], words].concat();
    let output = entrypoint(&words);
    (output.status.code(), stdout(&output))
}

#[test]
fn planted_fault_becomes_a_fixture() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = fuzz(folder.path(), &["--first", "--time", "60"]);
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["index out of bounds", " a second; ", " edges, "]);
    let fixture = folder.path().join("crash-1-Panicked.toml");
    let text = std::fs::read_to_string(&fixture).expect("the fixture");
    // The smallest input: the tag, an index, the key, one account that has signed.
    says(
        &text,
        &[
            "data = \"7069636b00\"",
            "data = \"551eed5e\"",
            "signer = true",
        ],
    );
    assert_eq!(text.matches("[[accounts]]").count(), 1, "{text}");
    let run = entrypoint(&[
        "run",
        PROGRAM,
        "--json",
        "--fixture",
        &fixture.display().to_string(),
    ]);
    assert_eq!(json(&run)["error"]["kind"], "Panicked");
}

#[test]
fn same_seed_runs_the_same_inputs() {
    let folder = tempfile::tempdir().expect("a folder");
    let figures = |seed: &str| {
        let (code, said) = fuzz(folder.path(), &["--runs", "3000", "--seed", seed]);
        assert!(matches!(code, Some(0 | 1)), "{said}");
        let last = said.lines().last().expect("a line").to_owned();
        last.split_once("; ").expect("figures").1.to_owned()
    };
    assert_eq!(figures("7"), figures("7"));
}

/// An input that crashes, so that nothing needs to be looked for.
const CRASHING: &str = r#"
    data = "7069636bff"
    [[accounts]]
    key = "Counter111111111111111111111111111111111111"
    data = "551eed5e00"
    signer = true
    writable = true
"#;

#[test]
fn a_seed_runs_as_on_its_runtime() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = folder.path().join("seed.toml");
    let path = seed.display().to_string();
    let write = |gas: &str| {
        std::fs::write(&seed, format!("as = \"rialo\"\ngas = {gas}\n{CRASHING}"))
            .expect("the seed");
    };
    write("1_400_001");
    refused(
        &["fuzz", PROGRAM, "--fixture", &path],
        &["the maximum is 1,400,000"],
    );
    write("1_400_000");
    let (code, said) = fuzz(folder.path(), &["--first", "--fixture", &path]);
    assert_eq!(code, Some(1), "{said}");
    let crash = folder.path().join("crash-1-Panicked.toml");
    let text = std::fs::read_to_string(&crash).expect("the fixture");
    says(&text, &["as = \"rialo\""]);
    std::fs::write(&seed, CRASHING).expect("the seed");
    let other = folder.path().join("other");
    let (code, said) = fuzz(&other, &["--first", "--fixture", &path]);
    assert_eq!(code, Some(1), "{said}");
    let text = std::fs::read_to_string(other.join("crash-1-Panicked.toml")).expect("the fixture");
    says(&text, &["as = \"own\""]);
}

#[test]
fn crash_of_a_seed_with_files_can_be_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let seeds = folder.path().join("seeds");
    std::fs::create_dir(&seeds).expect("a folder");
    std::fs::write(seeds.join("blob.bin"), [0xab, 0xcd]).expect("a file");
    // A path that starts at the folder of the seed.
    std::os::unix::fs::symlink(
        crate::support::project().join(PROGRAM),
        seeds.join("program"),
    )
    .expect("a link");
    let seed = seeds.join("seed.toml");
    let text = format!(
        r#"{CRASHING}
        [[other_accounts]]
        key = "Price11111111111111111111111111111111111111"
        kelvins = 7
        data = [{{ file = "blob.bin" }}, {{ u8 = 1 }}]

        [[processed]]
        program = "Token11111111111111111111111111111111111111"
        data = [{{ file = "blob.bin" }}, {{ u8 = 2 }}]
        accounts = [
            {{ key = "Price11111111111111111111111111111111111111", signer = true }},
        ]

        [[programs]]
        id = {{ seeds = [{{ file = "blob.bin" }}], program = "Token11111111111111111111111111111111111111" }}
        path = "program"

        [clock]
        unix_timestamp_ms = 5
        "#
    );
    std::fs::write(&seed, text).expect("the seed");
    let output = folder.path().join("crashes");
    let seed_path = seed.display().to_string();
    let (code, said) = fuzz(&output, &["--first", "--fixture", &seed_path]);
    assert_eq!(code, Some(1), "{said}");
    let crash = output.join("crash-1-Panicked.toml");
    let text = std::fs::read_to_string(&crash).expect("the fixture");
    says(&text, &["data = \"abcd01\"", "data = \"abcd02\""]);
    let [mut read, mut written] = [&crash, &seed].map(|path| {
        let fixture = Fixture::read(path).expect("a fixture");
        fixture.surroundings
    });
    // Both paths lead to the same program.
    for (surroundings, folder) in [(&mut read, &output), (&mut written, &seeds)] {
        let path = &mut surroundings.programs[0].path;
        *path = folder.join(&*path).canonicalize().expect("the program");
    }
    assert_eq!(read, written);
    let crash = crash.display().to_string();
    let run = entrypoint(&["run", PROGRAM, "--json", "--fixture", &crash]);
    assert_eq!(json(&run)["error"]["kind"], "Panicked");
}

#[test]
fn earlier_crashes_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = folder.path().join("seed.toml");
    std::fs::write(&seed, CRASHING).expect("the seed");
    let output = folder.path().join("crashes");
    std::fs::create_dir(&output).expect("a folder");
    // A number belongs to one crash, whatever its kind.
    let earlier = output.join("crash-3-Trapped.toml");
    std::fs::write(&earlier, "data = \"\"").expect("a file");
    let seed = seed.display().to_string();
    for number in [4, 5] {
        let (code, said) = fuzz(&output, &["--first", "--fixture", &seed]);
        assert_eq!(code, Some(1), "{said}");
        let name = format!("crash-{number}-Panicked.toml");
        says(&said, &[&name]);
        assert!(output.join(&name).is_file(), "{said}");
    }
    let count = std::fs::read_dir(&output).expect("the folder").count();
    assert_eq!(count, 3);
    let text = std::fs::read_to_string(&earlier).expect("the file");
    assert_eq!(text, "data = \"\"");
}

#[test]
fn file_has_no_fixtures_to_start_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let blob = folder.path().join("some.polkavm");
    std::fs::write(&blob, b"PVM").expect("a file");
    refused(
        &["fuzz", &blob.display().to_string()],
        &["no fixtures to start from", "pass the program's crate"],
    );
}
