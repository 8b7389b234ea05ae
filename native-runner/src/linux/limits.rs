//! The limits that the system enforces.

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use super::End;
use super::arguments::Arguments;

/// Limits the CPU time of the process, disables core files unless they are wanted, and ends the
/// process with its parent: the thread of the loader, or the fork server.
///
/// # Errors
///
/// If the system rejects a limit.
pub fn set(arguments: &Arguments) -> Result<(), End> {
    end_with_parent()?;
    if !arguments.core_dumps {
        lower(Resource::Core, 0, 0).map_err(|error| rejected("disable core dumps", error))?;
    }
    if arguments.cpu_seconds > 0 {
        // A server needs the hard limit later.
        let killed_at = match arguments.is_server {
            true => u64::MAX,
            false => killed_at(arguments),
        };
        lower(Resource::Cpu, arguments.cpu_seconds, killed_at)
            .map_err(|error| rejected("limit the CPU time", error))?;
    }
    Ok(())
}

/// Lifts the limit of the CPU time, for a server that has opened its library: it works as long as
/// its loader does.
///
/// # Errors
///
/// If the system rejects it.
pub fn lift() -> Result<(), End> {
    lower(Resource::Cpu, u64::MAX, u64::MAX)
        .map_err(|error| rejected("lift the limit of the CPU time", error))
}

/// Sets the limits of a child that the server has just forked. It has inherited the other ones.
///
/// # Errors
///
/// If the system rejects a limit.
pub fn set_in_child(arguments: &Arguments) -> Result<(), End> {
    end_with_parent()?;
    if arguments.cpu_seconds > 0 {
        lower(Resource::Cpu, arguments.cpu_seconds, killed_at(arguments))
            .map_err(|error| rejected("limit the CPU time", error))?;
    }
    Ok(())
}

fn end_with_parent() -> Result<(), End> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| rejected("set the parent-death signal", error))
}

/// The hard limit of the CPU time in seconds. At it, the system sends SIGKILL, which does not name
/// the cause. If both limits are equal, it sends only SIGKILL.
fn killed_at(arguments: &Arguments) -> u64 {
    arguments.cpu_seconds.saturating_add(1)
}

fn rejected(what: &str, error: rustix::io::Errno) -> End {
    End::refused(format!("cannot {what}: {error}"))
}

/// Sets both limits, each no higher than the hard one that is in force.
fn lower(resource: Resource, soft: u64, hard: u64) -> rustix::io::Result<()> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limits = Rlimit {
        current: Some(soft.min(most)),
        maximum: Some(hard.min(most)),
    };
    setrlimit(resource, limits)
}
