//! The position in a recording.
//!
//! All instructions of the run are known, so going forwards and backwards is a search in a list.
//! Registers and memory are those of a replay up to the position.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Result, bail};
use loader::debug::{RETURN_TO_LOADER, Recording, Snapshot, Tracer};
use loader::{Failure, Host, Invocation, Outcome};
use program_build::guest::IMAGE_BASE;

use super::places::Places;
use super::registers::{NUMBERS, RiscvRegisters};

/// The most instructions of a recording: 256 MiB.
pub const MAX_INSTRUCTIONS: usize = 64 << 20;

/// Length of a register in bytes.
const REGISTER: usize = 8;

/// Why the program stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The step is done.
    Step,
    /// There is a breakpoint.
    Breakpoint,
    /// The start of the recording.
    Begin,
    /// The last instruction, after which the program ends.
    LastInstruction,
    /// The program has ended.
    Ended,
}

/// A recording, and a position in it.
pub struct Session {
    tracer: Tracer,
    host: Arc<dyn Host>,
    invocation: Invocation,
    recording: Recording,
    places: Places,
    /// The ELF addresses to which calls return, by the VM's return addresses.
    returns: HashMap<u32, u64>,
    /// The same, by the program counter to which they lead. PolkaVM's linker lets calls return to
    /// where the code after them would only jump.
    landings: HashMap<u32, Vec<u64>>,
    breakpoints: BTreeSet<u64>,
    /// The place in the recording of the instruction that runs next.
    position: usize,
    /// Whether the debugger was told that this is the last instruction.
    is_at_end: bool,
    snapshot: Option<(usize, Snapshot)>,
}

impl Session {
    /// Records the program's run, and stands at its start.
    ///
    /// # Errors
    ///
    /// If the program cannot be run, or runs no instruction.
    pub fn new(
        tracer: Tracer,
        host: Arc<dyn Host>,
        invocation: Invocation,
        places: Places,
    ) -> Result<Self> {
        let recording = tracer.record_with(&host, &invocation, MAX_INSTRUCTIONS)?;
        if recording.counters.is_empty() {
            bail!(
                "the program runs no instruction, because its gas of {} does not suffice for the \
                 first ones; pass more with --gas",
                invocation.gas
            );
        }
        let calls = tracer.calls();
        let mut landings: HashMap<u32, Vec<u64>> = HashMap::new();
        for call in &calls {
            let landing = landings.entry(call.returns_to).or_default();
            landing.push(places.after_call(call));
        }
        let returns = calls.iter();
        let returns = returns.map(|call| (call.return_address, places.after_call(call)));
        Ok(Self {
            returns: returns.collect(),
            landings,
            tracer,
            host,
            invocation,
            recording,
            places,
            breakpoints: BTreeSet::new(),
            position: 0,
            is_at_end: false,
            snapshot: None,
        })
    }

    /// The outcome; `None` if the run is longer than a recording can be.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.recording.outcome.as_ref()
    }

    /// The failure of the program, unless it returned a status.
    pub fn failure(&self) -> Option<&Failure> {
        let failure = self.outcome()?.failure.as_ref();
        failure.filter(|_| {
            self.outcome()
                .is_some_and(|outcome| outcome.status.is_none())
        })
    }

    pub fn invocation(&self) -> &Invocation {
        &self.invocation
    }

    /// The addresses of the accounts' entries.
    pub fn accounts(&self) -> &[u64] {
        &self.recording.accounts
    }

    /// How many instructions have run, and how many there are.
    pub fn position(&self) -> (usize, usize) {
        (self.position, self.recording.counters.len())
    }

    pub fn set_breakpoint(&mut self, address: u64) {
        self.breakpoints.insert(address);
    }

    /// Returns whether there was one.
    pub fn remove_breakpoint(&mut self, address: u64) -> bool {
        self.breakpoints.remove(&address)
    }

    /// The place of the instruction at a position.
    fn place(&self, position: usize) -> u64 {
        let counter = self.recording.counters[position];
        let landings = self.landings.get(&counter).into_iter().flatten();
        // gdb waits for the end of a call with a breakpoint behind it.
        let mut awaited = landings.filter(|address| self.breakpoints.contains(address));
        if let Some(address) = awaited.next() {
            return *address;
        }
        self.places.place(counter, &self.breakpoints)
    }

    /// Whether the program arrives at a breakpoint. The second of two instructions that come from
    /// the same one of the ELF file does not.
    fn is_breakpoint(&self, position: usize) -> bool {
        if !self.breakpoints.contains(&self.place(position)) {
            return false;
        }
        let counters = &self.recording.counters;
        let Some(before) = position.checked_sub(1) else {
            return true;
        };
        let (before, counter) = (counters[before], counters[position]);
        counter <= before || self.places.address(before) != self.places.address(counter)
    }

    /// Runs to the next breakpoint.
    pub fn go_on(&mut self) -> Stop {
        let next = self.position + 1..self.recording.counters.len();
        self.go_to(next, |_| false)
    }

    /// Runs one instruction.
    pub fn step(&mut self) -> Stop {
        let next = self.position + 1..self.recording.counters.len();
        self.go_to(next, |_| true)
    }

    /// Runs until the place is not in a range, one instruction at least.
    pub fn step_out_of(&mut self, range: &Range<u64>) -> Stop {
        let next = self.position + 1..self.recording.counters.len();
        self.go_to(next, |place| !range.contains(&place))
    }

    fn go_to(&mut self, next: Range<usize>, is_end: impl Fn(u64) -> bool) -> Stop {
        for position in next {
            let is_breakpoint = self.is_breakpoint(position);
            if is_breakpoint || is_end(self.place(position)) {
                self.position = position;
                return if is_breakpoint {
                    Stop::Breakpoint
                } else {
                    Stop::Step
                };
            }
        }
        let last = self.recording.counters.len() - 1;
        // A program that fails stops before it is gone, so that the debugger can look, and go back.
        let is_success = self.outcome().is_some_and(Outcome::is_success);
        // What comes after a recording that was broken off is not known.
        let is_whole = self.outcome().is_some();
        if is_success || (is_whole && self.is_at_end && self.position == last) {
            return Stop::Ended;
        }
        self.position = last;
        self.is_at_end = true;
        Stop::LastInstruction
    }

    /// Goes back to the last breakpoint.
    pub fn go_back(&mut self) -> Stop {
        self.is_at_end = false;
        for position in (0..self.position).rev() {
            if self.is_breakpoint(position) {
                self.position = position;
                return Stop::Breakpoint;
            }
        }
        self.position = 0;
        Stop::Begin
    }

    /// Goes back by one instruction.
    pub fn step_back(&mut self) -> Stop {
        self.is_at_end = false;
        let Some(before) = self.position.checked_sub(1) else {
            return Stop::Begin;
        };
        self.position = before;
        Stop::Step
    }

    /// The state at the current position.
    ///
    /// # Errors
    ///
    /// If the replay fails.
    pub fn snapshot(&mut self) -> Result<&Snapshot> {
        let known = self.snapshot.take();
        let snapshot = match known {
            Some((position, snapshot)) if position == self.position => snapshot,
            _ => self
                .tracer
                .snapshot_with(&self.host, &self.invocation, self.position)?,
        };
        let (_, snapshot) = self.snapshot.insert((self.position, snapshot));
        Ok(snapshot)
    }

    /// The registers at the current position.
    ///
    /// # Errors
    ///
    /// If the replay fails.
    pub fn registers(&mut self) -> Result<RiscvRegisters> {
        let program_counter = self.place(self.position);
        let mut values = [None; 32];
        values[0] = Some(0);
        let registers = self.snapshot()?.registers;
        for (number, value) in NUMBERS.into_iter().zip(registers) {
            values[number] = Some(value);
        }
        let return_address = &mut values[NUMBERS[0]];
        *return_address = return_address.map(|address| self.elf_return(address));
        Ok(RiscvRegisters {
            values,
            program_counter,
        })
    }

    /// A return address as the ELF file has it: 0 for that of the entry, at which gdb ends a stack.
    fn elf_return(&self, address: u64) -> u64 {
        if address == u64::from(RETURN_TO_LOADER) {
            return 0;
        }
        let known = u32::try_from(address).ok();
        let known = known.and_then(|address| self.returns.get(&address));
        known.copied().unwrap_or(address)
    }

    /// Reads the program's memory, or the ELF file. Returns how many bytes it has read.
    ///
    /// # Errors
    ///
    /// If the replay fails.
    pub fn read(&mut self, address: u64, buffer: &mut [u8]) -> Result<usize> {
        if address >= IMAGE_BASE {
            return Ok(self.places.read_elf(address, buffer));
        }
        let snapshot = self.snapshot()?;
        let length = snapshot.read(address, buffer);
        let end = address + length as u64;
        // gdb follows saved return addresses in the ELF file.
        let saved: Vec<(u64, u32)> = snapshot
            .saved_returns
            .iter()
            .map(|(place, saved)| (u64::from(*place), *saved))
            .filter(|(place, _)| *place >= address && place + REGISTER as u64 <= end)
            .collect();
        for (place, saved) in saved {
            let start = (place - address) as usize;
            let bytes = &mut buffer[start..start + REGISTER];
            if *bytes == u64::from(saved).to_le_bytes() {
                bytes.copy_from_slice(&self.elf_return(saved.into()).to_le_bytes());
            }
        }
        Ok(length)
    }
}
