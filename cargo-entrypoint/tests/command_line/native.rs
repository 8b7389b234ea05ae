//! Native programs, and what remains of them: nothing, however the command ends. The tests had only
//! seen runs that end by themselves, and the usual folder for temporary files.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{entrypoint, project, stderr};
use everywhere::Command as Step;

/// The command, in the project's folder and with this folder for temporary files.
fn command(words: &[&str], temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"));
    command
        .args(words)
        .env("TMPDIR", temporary)
        .current_dir(project());
    command
}

/// Builds what a native run needs.
fn build(program: &str) {
    let output = entrypoint(&["run", program, "--target", "native"]);
    assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn no_temporary_folder_is_needed() {
    build("hello");
    let folder = tempfile::tempdir().expect("a folder");
    // Longer than the path of a socket may be. No user can write to the second.
    let long = folder.path().join("long".repeat(60));
    fs::create_dir(&long).expect("a folder");
    for temporary in [&*long, Path::new("/proc"), Path::new("/nowhere")] {
        for runner in [&[][..], &["--runner", "env"]] {
            let words = [&["run", "hello", "--target", "native"], runner].concat();
            let output = command(&words, temporary).output().expect("it runs");
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        }
    }
    assert_eq!(fs::read_dir(&long).expect("a folder").count(), 0);
}

/// The processes whose parent is this one: those of each of its threads.
fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let texts = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    let texts: Vec<String> = texts.map(Result::unwrap_or_default).collect();
    let numbers = texts.iter().flat_map(|text| text.split_whitespace());
    numbers
        .map(|number| number.parse().expect("a process"))
        .collect()
}

fn is_runner(process: u32) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains("native-runner")
}

/// Waits until something is so.
#[track_caller]
fn wait_until(mut is_so: impl FnMut() -> bool) {
    // Other tests may build programs first.
    for _ in 0..30_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not come");
}

fn send(signal: &str, process: u32) {
    let number = process.to_string();
    let status = Command::new("kill").args([signal, &number]).status();
    assert!(status.expect("kill runs").success());
}

/// Runs a program that never ends, until its process is there.
fn start(temporary: &Path) -> (Child, u32) {
    let data: Vec<u8> = Step::Loop.step([0; 3]).into_iter().collect();
    let data = hex::encode(data);
    let words = [
        "run",
        "tests/guests/everywhere",
        "--target",
        "native",
        "--data",
        &data,
    ];
    let child = command(&words, temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut runner = None;
    wait_until(|| {
        runner = children(child.id())
            .into_iter()
            .find(|child| is_runner(*child));
        runner.is_some()
    });
    (child, runner.expect("the process"))
}

#[test]
fn nothing_is_left_after_a_signal() {
    build("tests/guests/everywhere");
    for signal in ["-INT", "-TERM", "-HUP", "-KILL"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut child, runner) = start(folder.path());
        send(signal, child.id());
        assert!(!child.wait().expect("it ends").success());
        wait_until(|| !is_runner(runner));
        let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}

#[test]
fn keys_of_the_terminal_are_for_the_debugger() {
    build("hello");
    let folder = tempfile::tempdir().expect("a folder");
    for signal in ["INT", "QUIT"] {
        let runner = format!("sh -c 'kill -{signal} $PPID; exec \"$0\" \"$@\"'");
        let words = ["run", "hello", "--target", "native", "--runner", &runner];
        let output = command(&words, folder.path()).output().expect("it runs");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{signal}: {}",
            stderr(&output)
        );
    }
}
