//! The limits that the system enforces.

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use super::End;
use super::arguments::Arguments;

/// Limits the CPU time of the process, disables core files unless they are wanted, and ends the
/// process with its loader.
///
/// # Errors
///
/// If the system rejects a limit.
pub fn set(arguments: &Arguments) -> Result<(), End> {
    let refused = |what: &str, error| End::refused(format!("cannot {what}: {error}"));
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| refused("set the parent-death signal", error))?;
    if !arguments.core_dumps {
        lower(Resource::Core, 0, 0).map_err(|error| refused("disable core dumps", error))?;
    }
    if arguments.cpu_seconds > 0 {
        // At the hard limit, the system sends SIGKILL, which does not name the cause. If both
        // limits are equal, it sends only SIGKILL.
        let killed_at = arguments.cpu_seconds.saturating_add(1);
        lower(Resource::Cpu, arguments.cpu_seconds, killed_at)
            .map_err(|error| refused("limit the CPU time", error))?;
    }
    Ok(())
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
