//! Messages, libraries and arguments that the process rejects.

use super::*;

#[test]
fn unexpected_messages_are_rejected() {
    let refused = |mut runner: Runner, kind, values, parts: &[&str]| {
        runner.send(kind, values);
        let (status, stderr) = runner.ends();
        assert_eq!(status.code(), Some(1), "{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
    };
    let start = || Runner::start(library(""));
    let placed = || Runner::placed(library(""), REPORT);
    let called = || {
        let mut runner = placed();
        runner.enter();
        assert_eq!(runner.receive().kind, Message::CALLED);
        runner
    };
    refused(
        start(),
        Message::ENTER,
        [0; 3],
        &["before it mapped heap and input"],
    );
    refused(start(), Message::ANSWER, [0; 3], &["kind 5"]);
    refused(start(), 0, [0; 3], &["kind 0"]);
    refused(start(), 99, [0; 3], &["kind 99"]);
    refused(placed(), Message::PLACE, [1; 3], &["twice"]);
    refused(
        called(),
        Message::ENTER,
        [0; 3],
        &["kind 4", "during a syscall"],
    );
    refused(
        called(),
        Message::PLACE,
        [0; 3],
        &["kind 1", "during a syscall"],
    );
    for (heap, input) in [
        (u64::MAX, 0),
        (u64::MAX - 4_096, 8_192),
        (1 << 62, 1),
        (0, u64::MAX),
    ] {
        let number = heap.max(input).to_string();
        refused(
            start(),
            Message::PLACE,
            [heap, input, 0],
            &["cannot map", &number],
        );
    }
}

#[test]
fn invalid_library_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.so");
    std::fs::write(&text, "no library").expect("a file");
    let nowhere = folder.path().join("nowhere.so");
    for (library, parts) in [
        (
            library("without_entry"),
            ["program-without_entry.so", "`entrypoint`"],
        ),
        (
            library("without_host"),
            ["program-without_host.so", "`entrypoint_native_host`"],
        ),
        // The system's reason.
        (text, ["text.so", "file too short"]),
        (nowhere, ["cannot open", "nowhere.so"]),
        // The runner does not search the system's libraries.
        ("libc.so.6".into(), ["cannot open", "libc.so.6"]),
    ] {
        let (status, stderr) = Runner::start(library).ends();
        assert_eq!(status.code(), Some(3), "{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
    }
}

#[test]
fn wrong_arguments_print_the_usage() {
    let words = ["3", "library", "10", "more"].map(Path::new);
    for count in [0, 1, 2, 4] {
        let output = run(&words[..count]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("usage: native-runner SOCKET LIBRARY CPU_SECONDS"));
    }
    let refused = |words: [&str; 3], part: &str| {
        let output = run(&words.map(Path::new));
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let text = stderr(&output);
        assert!(text.contains(part), "{words:?}: {text}");
    };
    for seconds in ["", "x", "-1", "1.5", "99999999999999999999"] {
        let part = format!("CPU_SECONDS is {seconds}, which is not a whole number");
        refused(["3", "library", seconds], &part);
    }
    for socket in ["", "socket", "/nowhere/socket", "99999999999"] {
        let part = format!("SOCKET is {socket}, which is not a whole number");
        refused([socket, "library", "10"], &part);
    }
    // Those of the standard streams, and no descriptor at all.
    for socket in ["-1", "0", "2"] {
        refused([socket, "library", "10"], "which is a standard stream");
    }
    refused(
        ["12345", "library", "10"],
        "the file descriptor 12345 is not a socket",
    );
}

#[test]
fn descriptor_of_something_else_is_rejected() {
    let file = std::fs::File::open("/dev/null").expect("a file");
    let number = file.as_raw_fd().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_native-runner"))
        .args([&number, "library", "10"])
        .preserved_fds(vec![file.into()])
        .output()
        .expect("the process starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("is not a socket to a loader"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn descriptor_is_not_passed_on() {
    let mut runner = Runner::placed(library(""), REPORT);
    let fields = format!("/proc/{}/fdinfo", runner.child.id());
    let sockets = std::fs::read_dir(format!("/proc/{}/fd", runner.child.id()))
        .expect("it runs")
        .map(|entry| entry.expect("a descriptor"))
        .filter(|entry| {
            let target = std::fs::read_link(entry.path()).expect("a descriptor");
            target.to_string_lossy().starts_with("socket:")
        });
    let numbers: Vec<_> = sockets.map(|entry| entry.file_name()).collect();
    let [number] = &numbers[..] else {
        panic!("{numbers:?}");
    };
    let text = std::fs::read_to_string(Path::new(&fields).join(number)).expect("a descriptor");
    // In octal, as O_CLOEXEC.
    assert!(text.contains("flags:\t02000002"), "{text}");
    runner.enter();
    assert_eq!(runner.receive().kind, Message::CALLED);
}
