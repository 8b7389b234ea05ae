//! `cargo entrypoint debug`

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use loader::{Engine, Loader};
use program_build::guest::{self, DebugBuild};
use program_build::machine::Machine;
use program_build::package::Program;

use crate::arguments::DebugArguments;
use crate::commands::call::Call;
use crate::commands::run::leave_keys_to_the_command;
use crate::debug::{Connection, Places, Session, describe, script, serve};
use crate::report;

/// The variable with the debugger to start.
const GDB_VARIABLE: &str = "GDB";

/// Debian's gdb for every architecture.
const GDB: &str = "gdb-multiarch";

/// How long to sleep between two looks for the debugger that was started.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

pub fn debug(arguments: &DebugArguments) -> Result<ExitCode> {
    let call = Call::read(&arguments.call, &arguments.cargo)?;
    let Program::Package(package) = &call.program else {
        bail!(
            "{} is a file without the ELF file that a debugger needs; pass its crate",
            call.name()
        );
    };
    let build = guest::build_for_debugger(package, arguments.opt_level.into())?;
    let session = session(&call, build.clone())?;
    let title = call.title();
    let outcome = session.outcome().map_or_else(
        || "the run is too long to be recorded whole".to_owned(),
        describe,
    );
    let (_, count) = session.position();
    report::print(&format!(
        "{title}: recorded {count} instructions; {outcome}\n"
    ))?;
    // Before the connection is there: a debugger that waits for that reads the file at once.
    let script = build.elf.with_extension("gdb");
    script::write(&script, &build.elf, package)?;
    match (&arguments.port, &arguments.socket) {
        (Some(port), _) => on_port(session, *port, &script)?,
        (None, Some(path)) => on_socket(session, path, &script)?,
        (None, None) => return in_terminal(session, &build, &script),
    }
    Ok(ExitCode::SUCCESS)
}

/// Records the run.
fn session(call: &Call, build: DebugBuild) -> Result<Session> {
    let machine = Machine::new(Engine::Interpreter).as_on(call.runtime);
    let loader = Loader::new(Engine::Interpreter)?.as_on(call.runtime);
    let program = loader
        .load(&build.blob)
        .with_context(|| format!("cannot load {}", call.name()))?;
    let built = call.host(&machine, &loader, &program)?;
    let places = Places::read(&build.elf, build.addresses)?;
    Session::new(
        program.tracer()?,
        built.host,
        call.invocation.clone(),
        places,
    )
}

fn on_port(session: Session, port: u16, script: &Path) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("cannot listen on port {port}; pass another, or --port 0"))?;
    let address = listener.local_addr()?.to_string();
    announce(&address, script)?;
    let (stream, _) = listener.accept().context("no debugger connected")?;
    serve(session, Box::new(stream))
}

fn on_socket(session: Session, path: &Path, script: &Path) -> Result<()> {
    let listener = listen(path)?;
    announce(&path.display().to_string(), script)?;
    let (stream, _) = listener.accept().context("no debugger connected")?;
    // Its name is of no use any more.
    let _ = fs::remove_file(path);
    serve(session, Box::new(stream))
}

/// Prints how to connect.
fn announce(address: &str, script: &Path) -> Result<()> {
    report::print(&format!(
        "listening on {address}; connect with\n  {GDB} -x {} -ex 'target remote {address}'\n",
        script.display()
    ))
}

fn listen(path: &Path) -> Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Ok(found) if found.file_type().is_socket() && is_left(path)? => {
            fs::remove_file(path)
                .with_context(|| format!("cannot remove the socket {}", path.display()))?;
        }
        _ => bail!(
            "{} exists already; remove it, or pass another path",
            path.display()
        ),
    }
    UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))
}

/// Whether a socket's process has ended without removing the file, as after Ctrl-C.
fn is_left(path: &Path) -> Result<bool> {
    // A listener never sees a connection of another kind: it would take it for its debugger.
    let socket = UnixDatagram::unbound().context("cannot make a socket")?;
    let connected = socket.connect(path);
    Ok(connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused))
}

/// Starts gdb in this terminal, and serves it until it ends.
fn in_terminal(session: Session, build: &DebugBuild, script: &Path) -> Result<ExitCode> {
    let gdb = env::var_os(GDB_VARIABLE).unwrap_or_else(|| OsString::from(GDB));
    let socket = build
        .elf
        .with_extension(format!("{}.socket", std::process::id()));
    let listener = listen(&socket)?;
    leave_keys_to_the_command()?;
    let connect = format!("target remote {}", socket.display());
    let mut command = Command::new(&gdb);
    command
        .arg("-q")
        .arg("-x")
        .arg(script)
        .args(["-ex", &connect]);
    let started = command.spawn();
    let started = started.with_context(|| {
        format!(
            "cannot start {}; install it (Debian: apt-get install gdb-multiarch), set {GDB_VARIABLE} \
             to another gdb for riscv64, or pass --port and connect with your own debugger",
            gdb.display()
        )
    });
    let served = started.and_then(|mut child| {
        let connection = accept(&listener, &mut child)?;
        if let Some(connection) = connection {
            serve(session, connection)?;
        }
        Ok(child.wait()?)
    });
    // The listener's file is of no use any more.
    let _ = fs::remove_file(&socket);
    Ok(if served?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Waits for the connection of a debugger that was started; `None` if it ends before.
fn accept(listener: &UnixListener, child: &mut Child) -> Result<Option<Connection>> {
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(Some(Box::new(stream)));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).context("no debugger connected"),
        }
        if child.try_wait()?.is_some() {
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}
