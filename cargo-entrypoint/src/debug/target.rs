//! The session as the crate `gdbstub` wants it.

use std::fmt::Write as _;
use std::io;

use anyhow::{Result, anyhow};
use gdbstub::common::Signal;
use gdbstub::conn::ConnectionExt;
use gdbstub::outputln;
use gdbstub::stub::run_blocking::{BlockingEventLoop, Event, WaitForStopReasonError};
use gdbstub::stub::{DisconnectReason, GdbStub, SingleThreadStopReason};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::reverse_exec::{
    ReplayLogPosition, ReverseCont, ReverseContOps, ReverseStep, ReverseStepOps,
};
use gdbstub::target::ext::base::single_register_access::{
    SingleRegisterAccess, SingleRegisterAccessOps,
};
use gdbstub::target::ext::base::singlethread::{
    SingleThreadBase, SingleThreadRangeStepping, SingleThreadRangeSteppingOps, SingleThreadResume,
    SingleThreadResumeOps, SingleThreadSingleStep, SingleThreadSingleStepOps,
};
use gdbstub::target::ext::breakpoints::{
    Breakpoints, BreakpointsOps, SwBreakpoint, SwBreakpointOps,
};
use gdbstub::target::ext::monitor_cmd::{ConsoleOutput, MonitorCmd, MonitorCmdOps};
use gdbstub::target::{Target, TargetError, TargetResult};
use loader::{AccountEntry, Failure};

use super::registers::{Register, Riscv64, RiscvRegisters};
use super::session::{Session, Stop};

/// The connection to a debugger.
pub type Connection = Box<dyn ConnectionExt<Error = io::Error>>;

/// What the debugger wants to happen next.
#[derive(Clone, Copy, Debug)]
enum Wish {
    GoOn,
    Step,
    StepOutOf(u64, u64),
    GoBack,
    StepBack,
}

struct Debugged {
    session: Session,
    wish: Wish,
}

/// Serves one debugger until it is gone, or the program has ended.
///
/// # Errors
///
/// If the connection or a replay fails.
pub fn serve(session: Session, connection: Connection) -> Result<()> {
    let mut debugged = Debugged {
        session,
        wish: Wish::GoOn,
    };
    let served = GdbStub::new(connection).run_blocking::<EventLoop>(&mut debugged);
    let reason = match served {
        Ok(reason) => reason,
        Err(error) if error.is_target_error() => {
            let error = error.into_target_error();
            return Err(error.unwrap_or_else(|| anyhow!("the debugger's session failed")));
        }
        // A debugger that was killed does not say goodbye.
        Err(error) if error.is_connection_error() => DisconnectReason::Disconnect,
        Err(error) => return Err(anyhow!("the debugger's session failed: {error}")),
    };
    match reason {
        DisconnectReason::Disconnect | DisconnectReason::Kill => {}
        DisconnectReason::TargetExited(_) | DisconnectReason::TargetTerminated(_) => {}
    }
    Ok(())
}

/// How a failure looks to a debugger.
fn signal(failure: &Failure) -> Signal {
    match failure {
        Failure::Trapped {
            address: Some(_), ..
        }
        | Failure::StackOverflow { .. } => Signal::SIGSEGV,
        Failure::Trapped { .. } => Signal::SIGILL,
        Failure::OutOfGas { .. } => Signal::SIGXCPU,
        Failure::Panicked { .. } | Failure::Aborted | Failure::OutOfMemory { .. } => {
            Signal::SIGABRT
        }
        _ => Signal::SIGSYS,
    }
}

impl Debugged {
    fn run(&mut self) -> SingleThreadStopReason<u64> {
        let stop = match self.wish {
            Wish::GoOn => self.session.go_on(),
            Wish::Step => self.session.step(),
            Wish::StepOutOf(start, end) => self.session.step_out_of(&(start..end)),
            Wish::GoBack => self.session.go_back(),
            Wish::StepBack => self.session.step_back(),
        };
        let end_of_log = |pos| SingleThreadStopReason::ReplayLog { tid: None, pos };
        match stop {
            Stop::Step => SingleThreadStopReason::DoneStep,
            Stop::Breakpoint => SingleThreadStopReason::SwBreak(()),
            Stop::Begin => end_of_log(ReplayLogPosition::Begin),
            Stop::LastInstruction => match self.session.failure() {
                Some(failure) => SingleThreadStopReason::Signal(signal(failure)),
                None => end_of_log(ReplayLogPosition::End),
            },
            Stop::Ended => match (self.session.outcome(), self.session.failure()) {
                (_, Some(failure)) => SingleThreadStopReason::Terminated(signal(failure)),
                (Some(outcome), None) if outcome.is_success() => SingleThreadStopReason::Exited(0),
                _ => SingleThreadStopReason::Exited(1),
            },
        }
    }
}

enum EventLoop {}

impl BlockingEventLoop for EventLoop {
    type Target = Debugged;
    type Connection = Connection;
    type StopReason = SingleThreadStopReason<u64>;

    fn wait_for_stop_reason(
        debugged: &mut Debugged,
        _connection: &mut Connection,
    ) -> Result<Event<Self::StopReason>, WaitForStopReasonError<anyhow::Error, io::Error>> {
        // The whole run is recorded, so nothing can interrupt the way to the next stop.
        Ok(Event::TargetStopped(debugged.run()))
    }

    fn on_interrupt(_debugged: &mut Debugged) -> Result<Option<Self::StopReason>> {
        Ok(Some(SingleThreadStopReason::Signal(Signal::SIGINT)))
    }
}

impl Target for Debugged {
    type Arch = Riscv64;
    type Error = anyhow::Error;

    fn base_ops(&mut self) -> BaseOps<'_, Riscv64, anyhow::Error> {
        BaseOps::SingleThread(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_monitor_cmd(&mut self) -> Option<MonitorCmdOps<'_, Self>> {
        Some(self)
    }
}

impl SingleThreadBase for Debugged {
    fn read_registers(&mut self, registers: &mut RiscvRegisters) -> TargetResult<(), Self> {
        *registers = self.session.registers().map_err(TargetError::Fatal)?;
        Ok(())
    }

    fn write_registers(&mut self, _registers: &RiscvRegisters) -> TargetResult<(), Self> {
        // A replay would lose it.
        Err(TargetError::NonFatal)
    }

    fn read_addrs(&mut self, start: u64, data: &mut [u8]) -> TargetResult<usize, Self> {
        let length = self.session.read(start, data).map_err(TargetError::Fatal)?;
        if length == 0 {
            return Err(TargetError::NonFatal);
        }
        Ok(length)
    }

    fn write_addrs(&mut self, _start: u64, _data: &[u8]) -> TargetResult<(), Self> {
        Err(TargetError::NonFatal)
    }

    fn support_single_register_access(&mut self) -> Option<SingleRegisterAccessOps<'_, (), Self>> {
        Some(self)
    }

    fn support_resume(&mut self) -> Option<SingleThreadResumeOps<'_, Self>> {
        Some(self)
    }
}

/// As lldb reads registers, which has no unavailable ones among several.
impl SingleRegisterAccess<()> for Debugged {
    fn read_register(
        &mut self,
        (): (),
        register: Register,
        buffer: &mut [u8],
    ) -> TargetResult<usize, Self> {
        let registers = self.session.registers().map_err(TargetError::Fatal)?;
        let Some(value) = register.of(&registers) else {
            return Ok(0);
        };
        let bytes = value.to_le_bytes();
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_register(&mut self, (): (), _: Register, _: &[u8]) -> TargetResult<(), Self> {
        Err(TargetError::NonFatal)
    }
}

impl SingleThreadResume for Debugged {
    fn resume(&mut self, _signal: Option<Signal>) -> Result<()> {
        self.wish = Wish::GoOn;
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<SingleThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_range_step(&mut self) -> Option<SingleThreadRangeSteppingOps<'_, Self>> {
        Some(self)
    }

    fn support_reverse_step(&mut self) -> Option<ReverseStepOps<'_, (), Self>> {
        Some(self)
    }

    fn support_reverse_cont(&mut self) -> Option<ReverseContOps<'_, (), Self>> {
        Some(self)
    }
}

impl SingleThreadSingleStep for Debugged {
    fn step(&mut self, _signal: Option<Signal>) -> Result<()> {
        self.wish = Wish::Step;
        Ok(())
    }
}

impl SingleThreadRangeStepping for Debugged {
    fn resume_range_step(&mut self, start: u64, end: u64) -> Result<()> {
        self.wish = Wish::StepOutOf(start, end);
        Ok(())
    }
}

impl ReverseStep<()> for Debugged {
    fn reverse_step(&mut self, (): ()) -> Result<()> {
        self.wish = Wish::StepBack;
        Ok(())
    }
}

impl ReverseCont<()> for Debugged {
    fn reverse_cont(&mut self) -> Result<()> {
        self.wish = Wish::GoBack;
        Ok(())
    }
}

impl Breakpoints for Debugged {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }
}

impl SwBreakpoint for Debugged {
    fn add_sw_breakpoint(&mut self, address: u64, _kind: usize) -> TargetResult<bool, Self> {
        self.session.set_breakpoint(address);
        Ok(true)
    }

    fn remove_sw_breakpoint(&mut self, address: u64, _kind: usize) -> TargetResult<bool, Self> {
        Ok(self.session.remove_breakpoint(address))
    }
}

const MONITOR_HELP: &str = "\
monitor accounts   where the accounts are in memory, to read them with `x`
monitor gas        the gas that remains
monitor position   how many instructions have run, and how many the run has
monitor outcome    how the run ends
monitor logs       all that the run logs";

impl MonitorCmd for Debugged {
    fn handle_monitor_cmd(&mut self, command: &[u8], mut out: ConsoleOutput<'_>) -> Result<()> {
        match command {
            b"accounts" => {
                for line in self.accounts() {
                    outputln!(out, "{line}");
                }
            }
            b"gas" => {
                let gas = self.session.snapshot()?.gas;
                outputln!(out, "{gas} of {}", self.session.invocation().gas);
            }
            b"position" => {
                let (position, count) = self.session.position();
                outputln!(out, "{position} of {count} instructions");
            }
            b"outcome" => match self.session.outcome() {
                Some(outcome) => outputln!(out, "{}", describe(outcome)),
                None => outputln!(out, "unknown: the run was too long to be recorded whole"),
            },
            b"logs" => {
                let outcome = self.session.outcome();
                for line in outcome.map_or(&[][..], |outcome| &outcome.logs) {
                    outputln!(out, "{}", loader::display::escape_control(line));
                }
            }
            _ => outputln!(out, "{MONITOR_HELP}"),
        }
        Ok(())
    }
}

/// The outcome in one line.
pub fn describe(outcome: &loader::Outcome) -> String {
    let mut text = match &outcome.failure {
        Some(failure) => loader::display::escape_control(&failure.to_string()),
        None => "success".to_owned(),
    };
    // Writing to a string cannot fail.
    let _ = write!(text, ", {} gas", outcome.gas_used);
    text
}

impl Debugged {
    /// A line for each account.
    fn accounts(&self) -> Vec<String> {
        let session = &self.session;
        let entries = session.invocation().accounts.iter();
        let lines = entries.zip(session.accounts()).enumerate();
        lines
            .map(|(index, (entry, address))| match entry {
                AccountEntry::First(input) => format!(
                    "{index}: {} kelvins at {:#x}, {} bytes of data at {:#x}",
                    input.account.key,
                    address + abi::input::AccountHeader::KELVINS as u64,
                    input.account.data.len(),
                    address + size_of::<abi::input::AccountHeader>() as u64,
                ),
                AccountEntry::Repeat(first) => format!("{index}: a repeat of {first}"),
            })
            .collect()
    }
}
