//! The loader's functions that a program calls.
//!
//! A new syscall is one row in [`function`], and one function in a file of this folder. Its name
//! and its signature are a row of `abi::for_each_import!`.

mod abort;
mod call;
mod gas;
mod hash;
mod log;
mod memory;
mod missing;
mod program_address;
mod return_data;
mod sysvar;

use std::fmt;
use std::sync::Arc;

use abi::Pubkey;
use abi::imports::{Import, MAX_ARGUMENTS};

use super::guest::GuestMemory;
use super::heap::Heap;
use crate::error::Failure;
use crate::host::Host;
use crate::prices::Prices;
use crate::settings::Settings;
use call::Call;

/// The arguments of a syscall, as 64-bit numbers. Those beyond its parameters may be any numbers.
pub type Arguments = [u64; MAX_ARGUMENTS];

/// The value that a syscall returns to the program; a failure ends the program.
type Returned = Result<Option<u64>, Failure>;

/// The syscalls of one invocation, and what the program has set with them.
pub struct Syscalls {
    host: Arc<dyn Host>,
    settings: Settings,
    program_id: Pubkey,
    gas_limit: u64,
    heap: Heap,
    logs: Vec<String>,
    logged_bytes: usize,
    return_data: Vec<u8>,
    /// The program that set the return data.
    returning_program: Pubkey,
    /// The programs that wait for this one, the first one first.
    callers: Vec<Pubkey>,
}

/// The function behind each syscall.
fn function<G: GuestMemory>(syscall: Import) -> fn(&mut Call<'_, G>) -> Returned {
    match syscall {
        Import::Log => log::text,
        Import::Log64 => log::numbers,
        Import::LogPubkey => log::pubkey,
        Import::LogComputeUnits => log::remaining_gas,
        Import::RemainingComputeUnits => gas::remaining,
        Import::SetReturnData => return_data::set,
        Import::GetReturnData => return_data::get,
        Import::Abort => abort::abort,
        Import::Memcpy | Import::Memmove => memory::copy,
        Import::Memset => memory::fill,
        Import::Memcmp => memory::compare,
        Import::InvokeSigned => missing::missing,
        Import::GetStackHeight => missing::missing,
        Import::LoadAccount => missing::missing,
        Import::CreateProgramAddress => program_address::create,
        Import::TryFindProgramAddress => program_address::find,
        Import::GetClockSysvar
        | Import::GetRentSysvar
        | Import::GetEpochScheduleSysvar
        | Import::GetFeesSysvar
        | Import::GetEpochRewardsSysvar
        | Import::GetLastRestartSlot
        | Import::GetRandomSeed => sysvar::get,
        Import::GetSysvar => sysvar::copy_data,
        Import::LogData => log::data,
        Import::Sha256 | Import::Keccak256 | Import::Blake3 => hash::hash,
    }
}

impl Syscalls {
    pub(crate) fn new(
        host: &Arc<dyn Host>,
        settings: &Settings,
        program_id: Pubkey,
        gas_limit: u64,
        heap: Heap,
    ) -> Self {
        Self {
            host: Arc::clone(host),
            settings: settings.clone(),
            program_id,
            gas_limit,
            heap,
            logs: Vec::new(),
            logged_bytes: 0,
            return_data: Vec::new(),
            returning_program: program_id,
            callers: Vec::new(),
        }
    }

    /// Runs one syscall. The value is what it returns to the program, if it returns one.
    ///
    /// It takes the price of the syscall off the guest's gas; the backend takes the price of the
    /// instruction.
    ///
    /// # Errors
    ///
    /// The [`Failure`] that ends the program: [`enter`](crate::backend::Instance::enter) then
    /// returns [`End::Failed`](crate::backend::End::Failed) with it.
    pub fn call(
        &mut self,
        syscall: Import,
        arguments: Arguments,
        guest: &mut impl GuestMemory,
    ) -> Result<Option<u64>, Failure> {
        let mut call = Call {
            syscall,
            arguments,
            guest,
            syscalls: self,
        };
        call.pay_base()?;
        function(syscall)(&mut call)
    }

    /// The invocation's gas.
    #[must_use]
    pub fn gas_limit(&self) -> u64 {
        self.gas_limit
    }

    /// The program's heap.
    #[must_use]
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// What syscalls cost.
    pub(crate) fn prices(&self) -> &Prices {
        &self.settings.prices
    }

    /// The host.
    pub(crate) fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// The depth of the call: 1 for a program that the host called.
    pub(crate) fn depth(&self) -> u64 {
        self.callers.len() as u64 + 1
    }

    /// The log lines and the return data.
    pub(crate) fn into_results(self) -> (Vec<String>, Vec<u8>) {
        (self.logs, self.return_data)
    }

    /// Moves them out of a borrow, for an engine that keeps them in a place of its own.
    #[cfg(feature = "wasm")]
    pub(crate) fn take(&mut self) -> Self {
        let fresh = Self::new(
            &self.host,
            &self.settings,
            self.program_id,
            self.gas_limit,
            self.heap,
        );
        std::mem::replace(self, fresh)
    }
}

impl fmt::Debug for Syscalls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Syscalls")
            .field("program_id", &self.program_id)
            .field("gas_limit", &self.gas_limit)
            .finish_non_exhaustive()
    }
}
