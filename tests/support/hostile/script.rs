//! Scripts: calls of the loader with any arguments, and then a status.

use abi::imports::Import;
use abi::input::ACCOUNT_TABLE_MAGIC;
use abi::report::ABORT_REPORT_MAGIC;

use super::machine::Layout;

/// The most calls in a script.
pub const MAX_CALLS: usize = 16;

/// Bytes of one call in the instruction data: the import's number and five arguments.
pub const CALL_LENGTH: usize = 6 * 8;

/// Bytes of every script in the instruction data: the number of calls, space for the maximum of
/// calls, and the status after the last call.
pub const SCRIPT_LENGTH: usize = 8 + MAX_CALLS * CALL_LENGTH + 8;

/// A call of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub import: Import,
    pub arguments: [u64; 5],
}

/// The calls that a program makes, and the status that it returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    pub calls: Vec<Call>,
    pub status: u64,
}

impl Script {
    /// A script with these calls, which returns success.
    pub fn new(calls: impl IntoIterator<Item = (Import, Vec<u64>)>) -> Self {
        let calls = calls.into_iter().map(|(import, given)| {
            let mut arguments = [0; 5];
            arguments[..given.len()].copy_from_slice(&given);
            Call { import, arguments }
        });
        Self {
            calls: calls.collect(),
            status: 0,
        }
    }

    /// The instruction data for this script.
    pub fn encode(&self) -> Vec<u8> {
        assert!(self.calls.len() <= MAX_CALLS);
        let mut words = vec![self.calls.len() as u64];
        for call in &self.calls {
            words.push(number(call.import));
            words.extend(call.arguments);
        }
        words.push(self.status);
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.resize(SCRIPT_LENGTH, 0);
        bytes
    }

    /// Decodes a script. Any bytes are valid, and missing bytes are zero.
    ///
    /// An argument is the sum of a base and a distance. A base is an address in the program's
    /// memory, or another number of interest.
    pub fn decode(bytes: &[u8], layout: &Layout) -> Self {
        let mut bytes = bytes.iter().copied();
        let mut script = Self::default();
        let bases = bases(layout);
        let argument = |bytes: &mut dyn Iterator<Item = u8>| {
            let base = bases[usize::from(bytes.next().unwrap_or(0)) % BASES];
            let distance = [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)];
            base.wrapping_add_signed(i16::from_le_bytes(distance).into())
        };
        script.status = match bytes.next() {
            None | Some(0..128) => 0,
            Some(_) => argument(&mut bytes),
        };
        // Leave one call for `Machine::check`, which reads the memory.
        while script.calls.len() < MAX_CALLS - 1
            && let Some(byte) = bytes.next()
        {
            let import = MODELLED[usize::from(byte) % MODELLED.len()];
            let mut arguments = [0; 5];
            for place in &mut arguments[..import.parameters().len()] {
                *place = argument(&mut bytes);
            }
            script.calls.push(Call { import, arguments });
        }
        script
    }
}

/// The imports of the program: those that need nothing of the host but the program's own memory.
pub const MODELLED: [Import; 12] = [
    Import::Log,
    Import::Log64,
    Import::LogPubkey,
    Import::LogComputeUnits,
    Import::RemainingComputeUnits,
    Import::SetReturnData,
    Import::GetReturnData,
    Import::Abort,
    Import::Memcpy,
    Import::Memmove,
    Import::Memset,
    Import::Memcmp,
];

/// The program's number for an import: its position in [`MODELLED`].
pub fn number(import: Import) -> u64 {
    let position = MODELLED.iter().position(|other| *other == import);
    position.expect("a modelled import") as u64
}

/// The maximum number of bases.
const BASES: usize = 32;

/// Numbers at which a check may be wrong by one.
///
/// Add a new one at the end, in place of a zero, so that corpus files keep their meaning.
pub fn bases(layout: &Layout) -> Vec<u64> {
    let mut bases = vec![0];
    for region in [&layout.read_only, &layout.writable, &layout.stack] {
        bases.extend([region.start, region.end]);
    }
    bases.extend([
        layout.heap,
        layout.input,
        layout.input_end,
        u64::from(u32::MAX),
        u64::MAX,
        1 << 31,
        1 << 63,
        ABORT_REPORT_MAGIC,
        ACCOUNT_TABLE_MAGIC,
        // The header of the first account.
        layout.input + 8 + SCRIPT_LENGTH as u64 + 32 + 8,
        // The limits of logs and of return data.
        1 << 10,
        64 << 10,
        0x4_0000,
    ]);
    assert!(bases.len() <= BASES);
    bases.resize(BASES, 0);
    bases
}
