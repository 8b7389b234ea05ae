//! `cargo entrypoint bench`, as people and scripts type it.

mod support;

use support::{entrypoint, entrypoint_in, new_program, refused, stderr, stdout};

#[test]
fn a_bench_that_makes_no_sense_is_refused_before_anything_is_built() {
    refused(&["bench"], &["allocators"]);
    refused(&["bench", "alocators"], &["alocators", "allocators"]);
    refused(
        &["bench", "allocators", "--jsno"],
        &["--jsno", "--json", "allocators"],
    );
    refused(&["bench", "allocators", "bump"], &["bump"]);

    // A row is not an outcome, so there is no JSON to say it in.
    let output = entrypoint(&["bench", "allocators", "--json", "--jsno"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
}

#[test]
fn allocators_are_measured_in_this_project_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = new_program(folder.path(), "elsewhere");
    for place in [folder.path(), &program] {
        let output = entrypoint_in(place, &["bench", "allocators", "--json"]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(stdout(&output), "");
        for part in [
            "`allocator-bench`",
            "the entrypoint project",
            "`benches/allocators`",
        ] {
            assert!(said.contains(part), "{part:?} is not in:\n{said}");
        }
    }
}

#[test]
fn the_guest_of_the_bench_wants_an_allocator() {
    refused(
        &["build", "allocator-bench"],
        &[
            "choose exactly one allocator by its feature",
            "cargo entrypoint bench allocators",
            "`allocator-bench` does not compile for the guest",
        ],
    );
}
