//! `cargo entrypoint debug`, with the real gdb.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::{entrypoint, json, project, refused, says};
use serde_json::Value;

/// Debian's gdb for every architecture.
const GDB: &str = "gdb-multiarch";

/// The command while it waits for a debugger.
struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    /// What it has printed before it waited.
    text: String,
    socket: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl Server {
    fn start(program: &str, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Self::start_on(program, &folder.path().join("socket"), words);
        server._folder = Some(folder);
        server
    }

    fn start_on(program: &str, socket: &Path, words: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cargo-entrypoint"))
            .args(["entrypoint", "debug", program, "--socket"])
            .arg(socket)
            .args(words)
            .current_dir(project())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run the command");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut text = String::new();
        while !text.contains("target remote") {
            let read = output.read_line(&mut text).expect("text");
            assert!(read > 0, "the command ended: {text}");
        }
        Self {
            process,
            output,
            text,
            socket: socket.to_owned(),
            _folder: None,
        }
    }

    /// Ends the command, which then cannot remove its socket.
    fn kill(mut self) {
        self.process.kill().expect("end the command");
        self.process.wait().expect("an end");
    }

    /// The commands for gdb that the server has named.
    fn script(&self) -> &str {
        let after = self.text.split(" -x ").nth(1).expect("a script");
        after.split(" -ex ").next().expect("a path")
    }

    /// What gdb prints for some commands.
    fn gdb(mut self, commands: &[&str]) -> String {
        let mut gdb = Command::new(GDB);
        gdb.args(["-q", "-nx", "-batch", "-x", self.script()]);
        gdb.args(["-ex", &format!("target remote {}", self.socket.display())]);
        for command in commands {
            gdb.args(["-ex", command]);
        }
        let output = gdb.output().expect("run gdb");
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        let status = self.process.wait().expect("an end");
        assert!(status.success(), "{}{rest}", self.text);
        let [out, errors] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"));
        assert_eq!(errors.matches("warning").count(), 0, "{errors}");
        out + &errors
    }
}

fn has_gdb() -> bool {
    let has = Command::new(GDB).arg("--version").output().is_ok();
    if !has {
        println!("skipped: {GDB} is not installed (Debian: apt-get install gdb-multiarch)");
    }
    has
}

#[test]
fn gdb_stops_on_lines_and_goes_back() {
    if !has_gdb() {
        return;
    }
    let server = Server::start("examples/counter", &[]);
    let run: Value = json(&entrypoint(&["run", "examples/counter", "--json"]));
    says(&server.text, &["counter · fixture default", "success, "]);
    // The code is that of the program as it is deployed, but for a few instructions that the
    // compiler places differently when it keeps full debug info.
    let (_, rest) = server.text.split_once("success, ").expect("the outcome");
    let (gas, _) = rest.split_once(" gas").expect("the gas");
    let gas: u64 = gas.replace(',', "").parse().expect("a number");
    assert!(
        gas.abs_diff(run["gas_used"].as_u64().expect("gas")) <= 4,
        "{gas}"
    );
    let said = server.gdb(&[
        "break examples/counter/src/lib.rs:38",
        "continue",
        "backtrace",
        "print count",
        "print/x *bytes",
        "step",
        "print/x *bytes",
        "reverse-step",
        "print/x *bytes",
        "monitor accounts",
        "x/1dg 0x31088",
        "monitor position",
        "delete",
        "continue",
    ]);
    says(
        &said,
        &[
            "Breakpoint 1, counter::process_instruction (",
            "  entrypoint::glue::enter (",
            "  counter::entrypoint (",
            "$1 = 42\n",
            "$2 = [0x29, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0]\n",
            "$3 = [0x2a, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0]\n",
            "$4 = [0x29, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0]\n",
            "8 bytes of data at 0x31088",
            "0x31088:\t41",
            "[Inferior 1 (process 1) exited normally]",
        ],
    );
}

#[test]
fn gdb_follows_calls_into_core_and_out_again() {
    if !has_gdb() {
        return;
    }
    let said = Server::start("examples/vault", &[]).gdb(&[
        "break examples/vault/src/lib.rs:55",
        "continue",
        "print amount",
        "info registers pc ra",
        "break core::fmt::write",
        "continue",
        "list core::fmt::write",
        "delete",
        "finish",
        "reverse-continue",
    ]);
    says(
        &said,
        &[
            "Breakpoint 1, vault::process_instruction (",
            "= [250, 0, 0, 0, 0, 0, 0, 0]\n",
            "<vault::_::guest::entrypoint::__polkavm_export::trampoline+",
            "/library/core/src/fmt/mod.rs",
            "No more reverse-execution history.",
            "core::result::Result<(), core::fmt::Error>::Ok(())",
        ],
    );
    // The text of a line of `core`.
    says(&said, &["self.args"]);
}

#[test]
fn breakpoints_stop_where_a_function_starts() {
    if !has_gdb() {
        return;
    }
    let said = Server::start("examples/vault", &[]).gdb(&[
        "break vault::process_instruction",
        "break vault::withdraw",
        "continue",
        "continue",
        "backtrace",
    ]);
    says(
        &said,
        &[
            // This one is inlined into the entry, and the other is not.
            "Breakpoint 1, vault::process_instruction (",
            "Breakpoint 2, vault::withdraw (",
            "#0  vault::withdraw (",
            " in vault::process_instruction (",
            "\n73\tfn withdraw(\n",
        ],
    );
}

#[test]
fn panic_has_its_callers() {
    if !has_gdb() {
        return;
    }
    // An array of 3 elements, and the index 5.
    let words = ["--data", "030500000000000000"];
    let said = Server::start("tests/guests/probe", &words).gdb(&["continue", "backtrace"]);
    says(
        &said,
        &[
            "Program received signal SIGABRT",
            "entrypoint::target::this::panic::report::panic_with_message (",
            " in core::panicking::panic_bounds_check (index=5, len=3) at ",
            " in probe::process_instruction (",
            "entrypoint::glue::enter (",
        ],
    );
}

/// Debian's lldb.
const LLDB: &str = "lldb";

#[test]
fn lldb_stops_on_lines() {
    if Command::new(LLDB).arg("--version").output().is_err() {
        println!("skipped: {LLDB} is not installed (Debian: apt-get install lldb)");
        return;
    }
    let server = Server::start("examples/counter", &[]);
    let elf = server.script().replace(".gdb", ".elf");
    let commands = [
        format!("target create {elf}"),
        format!(
            "process connect --plugin gdb-remote unix-connect://{}",
            server.socket.display()
        ),
        "target modules load --file counter.debug.elf --slide 0".to_owned(),
        "breakpoint set --file examples/counter/src/lib.rs --line 38".to_owned(),
        "continue".to_owned(),
        "bt".to_owned(),
        "register read pc".to_owned(),
        "next".to_owned(),
        "continue".to_owned(),
    ];
    let mut lldb = Command::new(LLDB);
    lldb.args(["--no-lldbinit", "--batch"]);
    for command in &commands {
        lldb.args(["-o", command]);
    }
    let output = lldb.output().expect("run lldb");
    let said = String::from_utf8(output.stdout).expect("text");
    says(
        &said,
        &[
            "stop reason = breakpoint 1.1",
            "[inlined] counter::process_instruction",
            " at lib.rs:38:",
            "counter::_::guest::entrypoint",
            "stop reason = step over",
            "exited with status = 0",
        ],
    );
}

#[test]
fn failing_program_stops_before_it_is_gone() {
    if !has_gdb() {
        return;
    }
    let said = Server::start("examples/vault", &["--fixture", "wrong_authority"]).gdb(&[
        "continue",
        "reverse-step",
        "continue",
        "monitor outcome",
        "continue",
    ]);
    says(
        &said,
        &[
            "No more reverse-execution history.",
            "Custom(1), ",
            "exited with code 01]",
        ],
    );
}

#[test]
fn a_run_is_recorded_as_on_the_runtime() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = project().join("examples/counter/fixtures/default.toml");
    let written = std::fs::read_to_string(written).expect("the fixture");
    let fixture = folder.path().join("rialo.toml");
    std::fs::write(&fixture, format!("as = \"rialo\"\n{written}")).expect("a file");
    let fixture = fixture.display().to_string();
    let run = |runtime| {
        let words = ["run", "examples/counter", "--json", "--as", runtime];
        let gas = json(&entrypoint(&words))["gas_used"].as_u64();
        gas.expect("gas")
    };
    let recorded = |words: &[&str]| {
        let server = Server::start("examples/counter", words);
        let text = server.text.clone();
        server.kill();
        let (before, _) = text.split_once(" gas").expect("gas");
        let (_, gas) = before.rsplit_once(' ').expect("a number");
        gas.parse::<u64>().expect("a number")
    };
    // The runtime charges more for a log line.
    let more = run("rialo") - run("own");
    assert!(more > 0);
    let own = recorded(&["--as", "own"]);
    assert_eq!(recorded(&["--as", "rialo"]), own + more);
    assert_eq!(recorded(&["--fixture", &fixture]), own + more);
}

#[test]
fn socket_that_was_left_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket");
    Server::start_on("examples/counter", &socket, &[]).kill();
    assert!(socket.exists(), "the file of the killed command");
    let mut server = Server::start_on("examples/counter", &socket, &[]);
    // That one waits for a debugger, and goes on waiting.
    let path = socket.display().to_string();
    let words = ["debug", "examples/counter", "--socket", &path];
    refused(&words, &["exists already", "pass another path"]);
    let connection = UnixStream::connect(&socket).expect("the command still waits");
    drop(connection);
    server.process.wait().expect("an end");
    std::fs::write(&socket, "a text").expect("a file");
    refused(&words, &["exists already"]);
    let text = std::fs::read_to_string(&socket).expect("the file");
    assert_eq!(text, "a text");
}

#[test]
fn file_has_no_symbols() {
    let folder = tempfile::tempdir().expect("a folder");
    let blob = folder.path().join("some.polkavm");
    std::fs::write(&blob, b"PVM").expect("a file");
    let blob = blob.display().to_string();
    refused(
        &["debug", &blob],
        &["without the ELF file", "pass its crate"],
    );
}
