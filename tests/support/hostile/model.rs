//! A model of the imports, over a copy of the program's memory: the expected result of a script.

use std::ops::Range;

use abi::imports::Import;
use abi::input::AccountHeader;
use abi::report::ABORT_REPORT_MAGIC;
use loader::{Access, Failure, Outcome, Pubkey};

use super::machine::{GAS, Machine, PROGRAM_ID, WINDOW, assert_nothing_kept, invocation};
use super::script::{MODELLED, SCRIPT_LENGTH, Script, number};

/// How a script ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Returned(u64),
    InvalidPointer(Import, u64, u64, Access),
    LogsTooLong,
    ReturnDataTooLong(u64),
    OutOfGas,
    /// The program aborted, with any report.
    Aborted,
    /// The script was overwritten and calls an unknown import.
    Trapped,
}

/// The program's memory and its results so far.
pub struct Model<'a> {
    machine: &'a Machine,
    writable: Vec<u8>,
    stack: Vec<u8>,
    pub end: Option<End>,
    pub logs: Vec<String>,
    logged: usize,
    pub return_data: Vec<u8>,
    /// The gas used so far, for instructions and for bytes.
    pub spent: u64,
}

impl<'a> Model<'a> {
    pub fn run(machine: &'a Machine, script: &Script) -> Self {
        let layout = &machine.layout;
        let length = |range: &Range<u64>| (range.end - range.start) as usize;
        let mut model = Self {
            machine,
            writable: vec![0; length(&layout.writable)],
            stack: vec![0; length(&layout.stack)],
            end: None,
            logs: Vec::new(),
            logged: 0,
            return_data: Vec::new(),
            spent: 0,
        };
        for (place, byte) in model.writable[..WINDOW as usize].iter_mut().enumerate() {
            *byte = place as u8;
        }
        let input = (layout.input - layout.writable.start) as usize;
        model.writable[input..input + machine.input.len()].copy_from_slice(&machine.input);
        model.writable[input + 8..input + 8 + SCRIPT_LENGTH].copy_from_slice(&script.encode());

        model.end = Some(match model.run_calls(script.calls.len() as u64) {
            Ok(status) => End::Returned(status),
            Err(end) => end,
        });
        model
    }

    /// Makes the calls as the program does: it reads the number of calls first, and each call when
    /// it makes it. A basic block costs its gas at its start.
    fn run_calls(&mut self, count: u64) -> Result<u64, End> {
        self.spend(5)?;
        let mut at = self.machine.layout.input + 16;
        for index in 0..count {
            self.spend(1)?;
            self.spend(9)?;
            self.call(at, index)?;
            at += 6 * 8;
        }
        self.spend(1)?;
        self.spend(2)?;
        Ok(self.word(at))
    }

    fn word(&self, address: u64) -> u64 {
        let start = (address - self.machine.layout.writable.start) as usize;
        bytemuck::pod_read_unaligned(&self.writable[start..start + 8])
    }

    /// The bytes at an address, if all of them are readable.
    fn read(&self, import: Import, address: u64, length: u64) -> Result<Vec<u8>, End> {
        let layout = &self.machine.layout;
        if length == 0 {
            // An empty range may have any address below 4 GiB.
            let is_address = address <= u64::from(u32::MAX);
            let invalid = End::InvalidPointer(import, address, length, Access::Read);
            return is_address.then(Vec::new).ok_or(invalid);
        }
        if let Some(range) = inside(&layout.read_only, address, length) {
            let mut bytes = b"Read only, and no multiple of a page.".to_vec();
            bytes.resize(range.end.max(bytes.len()), 0);
            return Ok(bytes[range].to_vec());
        }
        if let Some(range) = inside(&layout.writable, address, length) {
            return Ok(self.writable[range].to_vec());
        }
        if let Some(range) = inside(&layout.stack, address, length) {
            return Ok(self.stack[range].to_vec());
        }
        Err(End::InvalidPointer(import, address, length, Access::Read))
    }

    fn write(&mut self, import: Import, address: u64, bytes: &[u8]) -> Result<(), End> {
        let length = bytes.len() as u64;
        let layout = &self.machine.layout;
        let invalid = Err(End::InvalidPointer(import, address, length, Access::Write));
        if length == 0 {
            return if address <= u64::from(u32::MAX) {
                Ok(())
            } else {
                invalid
            };
        }
        if let Some(range) = inside(&layout.writable, address, length) {
            self.writable[range].copy_from_slice(bytes);
        } else if let Some(range) = inside(&layout.stack, address, length) {
            self.stack[range].copy_from_slice(bytes);
        } else {
            return invalid;
        }
        Ok(())
    }

    fn pay(&mut self, length: u64) -> Result<(), End> {
        self.spend(length.div_ceil(8))
    }

    fn spend(&mut self, gas: u64) -> Result<(), End> {
        self.spent = self.spent.saturating_add(gas);
        if self.spent > GAS {
            Err(End::OutOfGas)
        } else {
            Ok(())
        }
    }

    fn log(&mut self, line: String) -> Result<(), End> {
        self.logged += line.len() + 1;
        if self.logged > self.machine.limits.logs {
            return Err(End::LogsTooLong);
        }
        self.logs.push(line);
        Ok(())
    }

    /// Makes the call at this address of the script, and stores its result.
    fn call(&mut self, at: u64, index: u64) -> Result<(), End> {
        let symbol_number = self.word(at);
        let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(|place| self.word(at + 8 * place));
        let import = MODELLED
            .iter()
            .find(|import| number(**import) == symbol_number);
        let Some(import) = import.copied() else {
            // The program compares the number with each import's, and then traps.
            self.spend(MODELLED.len() as u64 + 1)?;
            return Err(End::Trapped);
        };
        // The program compares the number with each import's up to the right one, one block for
        // each; then it calls, and jumps back.
        self.spend(symbol_number + 1)?;
        self.spend(2)?;
        let mut result = a;
        match import {
            Import::Log => {
                let room = self.machine.limits.logs.saturating_sub(self.logged) as u64;
                if b > room {
                    return Err(End::LogsTooLong);
                }
                self.pay(b)?;
                let text = self.read(import, a, b)?;
                self.log(String::from_utf8_lossy(&text).into_owned())?;
            }
            Import::Log64 => {
                self.log(format!("{a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}"))?;
            }
            Import::LogPubkey => {
                self.pay(32)?;
                let key: [u8; 32] = self.read(import, a, 32)?.try_into().expect("32 bytes");
                self.log(Pubkey::new(key).to_string())?;
            }
            Import::LogComputeUnits => {
                self.log(format!("gas remaining: {}", GAS - self.spent))?;
            }
            Import::RemainingComputeUnits => result = GAS - self.spent,
            Import::SetReturnData => {
                if b > self.machine.limits.return_data as u64 {
                    return Err(End::ReturnDataTooLong(b));
                }
                self.pay(b)?;
                self.return_data = self.read(import, a, b)?;
            }
            Import::GetReturnData => {
                result = self.return_data.len() as u64;
                let copied = b.min(result);
                if copied > 0 {
                    self.pay(copied)?;
                    self.pay(32)?;
                    let bytes = self.return_data[..copied as usize].to_vec();
                    self.write(import, a, &bytes)?;
                    self.write(import, c, PROGRAM_ID.as_bytes())?;
                }
            }
            Import::Abort => return Err(End::Aborted),
            Import::Memcpy | Import::Memmove => {
                self.pay(c)?;
                let bytes = self.read(import, b, c)?;
                self.write(import, a, &bytes)?;
            }
            Import::Memset => {
                self.pay(c)?;
                let invalid = End::InvalidPointer(import, a, c, Access::Write);
                // Reject a length above the memory's here, so that the model allocates no
                // gigabytes.
                let length = usize::try_from(c).ok().filter(|length| *length <= 1 << 20);
                let length = length.ok_or(invalid)?;
                self.write(import, a, &vec![b as u8; length])?;
            }
            Import::Memcmp => {
                self.pay(4)?;
                self.pay(c)?;
                self.pay(c)?;
                let left = self.read(import, a, c)?;
                let right = self.read(import, b, c)?;
                let mut pairs = left.iter().zip(&right);
                let difference = match pairs.find(|(left, right)| left != right) {
                    Some((left, right)) => i32::from(*left) - i32::from(*right),
                    None => 0,
                };
                self.write(import, d, &difference.to_le_bytes())?;
            }
            other => unreachable!("{other:?} is not modelled"),
        }
        self.spend(3)?;
        let results = self.machine.layout.writable.start;
        let place = (results + 8 * index - results) as usize;
        self.writable[place..place + 8].copy_from_slice(&result.to_le_bytes());
        Ok(())
    }
}

/// The range as offsets in the region, if it is inside the region.
fn inside(region: &Range<u64>, address: u64, length: u64) -> Option<Range<usize>> {
    let end = address.checked_add(length)?;
    let is_inside = region.start <= address && end <= region.end;
    is_inside.then(|| (address - region.start) as usize..(end - region.start) as usize)
}

/// Compares an outcome with the model's.
pub fn compare(machine: &Machine, script: &Script, model: &Model<'_>, outcome: &Outcome) {
    assert!(outcome.gas_used <= GAS);
    let end = model.end.clone().expect("a finished model");
    let limits = &machine.limits;
    let context = || format!("{script:#x?}\nends as {end:?}, and not as {outcome:?}");
    match (&end, &outcome.failure) {
        (End::Returned(status), failure) => {
            assert_eq!(outcome.status, Some(*status), "{}", context());
            match failure {
                None => assert_eq!(*status, 0),
                Some(Failure::ProgramError { .. } | Failure::InvalidStatus { .. }) => {
                    assert_ne!(*status, 0);
                }
                Some(Failure::WriteBack(_)) => assert_eq!(*status, 0),
                Some(_) => panic!("{}", context()),
            }
        }
        (
            End::InvalidPointer(import, address, length, access),
            Some(Failure::InvalidPointer {
                import: found,
                address: at,
                length: of,
                access: to,
            }),
        ) => assert_eq!(
            (import, address, length, access),
            (found, at, of, to),
            "{}",
            context()
        ),
        (End::LogsTooLong, Some(Failure::LogsTooLong { limit })) => {
            assert_eq!(*limit, limits.logs);
        }
        (End::ReturnDataTooLong(long), Some(Failure::ReturnDataTooLong { length, limit })) => {
            assert_eq!((long, *limit), (length, limits.return_data));
        }
        (End::OutOfGas, Some(Failure::OutOfGas { limit, .. })) => assert_eq!(*limit, GAS),
        (End::Aborted, Some(failure)) => {
            let kinds = [
                "Aborted",
                "Panicked",
                "OutOfMemory",
                "HeapNotAnnounced",
                "TooManyAccounts",
                "DuplicateAccount",
            ];
            assert!(kinds.contains(&failure.kind()), "{}", context());
            let has_report = script
                .calls
                .iter()
                .any(|call| call.arguments[1] == ABORT_REPORT_MAGIC);
            assert!(has_report || *failure == Failure::Aborted, "{}", context());
        }
        (End::Trapped, Some(Failure::Trapped { .. })) => {}
        _ => panic!("{}", context()),
    }
    assert_eq!(outcome.gas_used, model.spent.min(GAS), "{}", context());
    assert_eq!(outcome.logs, model.logs);
    compare_heap(model, outcome);
    if outcome.failure.is_some() {
        return assert_nothing_kept(&invocation(script), outcome);
    }
    assert_eq!(outcome.return_data, model.return_data, "{script:#x?}");
    compare_accounts(model, outcome);
}

/// The heap's use is that of its header, if the header is valid.
fn compare_heap(model: &Model<'_>, outcome: &Outcome) {
    let layout = &model.machine.layout;
    let start = (layout.heap - layout.writable.start) as usize;
    let [used, peak]: [u32; 2] = bytemuck::pod_read_unaligned(&model.writable[start..start + 8]);
    let peak = used.max(peak);
    let is_valid = peak <= outcome.heap.limit;
    assert_eq!(outcome.heap.used, is_valid.then_some(used));
    assert_eq!(outcome.heap.peak, is_valid.then_some(peak));
}

/// The accounts are those in memory, and the sum of kelvins is unchanged.
fn compare_accounts(model: &Model<'_>, outcome: &Outcome) {
    let layout = &model.machine.layout;
    let mut at = layout.input + 8 + SCRIPT_LENGTH as u64 + 32 + 8;
    for (account, original_length) in outcome.accounts.iter().zip([40_usize, 8]) {
        let start = (at - layout.writable.start) as usize;
        let bytes = &model.writable[start..];
        let header: AccountHeader = bytemuck::pod_read_unaligned(&bytes[..88]);
        assert_eq!(account.key.to_bytes(), header.key);
        assert_eq!(account.owner.to_bytes(), header.owner);
        assert_eq!(account.kelvins, header.kelvins);
        assert!(account.data.len() <= original_length + 10_240);
        assert_eq!(account.data, bytes[88..88 + header.data_length as usize]);
        at += abi::input::entry_length(original_length).expect("a length") as u64;
    }
    let sum: u64 = outcome.accounts.iter().map(|account| account.kelvins).sum();
    assert_eq!(sum, 2 + 3);
}
