//! The loader's functions that a program calls.
//!
//! A new syscall is one row in [`function`], and one function in a file of this folder. Its name
//! and its signature are a row of `abi::for_each_import!`.

mod abort;
mod call;
#[cfg(feature = "crypto")]
mod crypto;
mod gas;
mod hash;
mod invoke_signed;
mod load_account;
mod log;
mod memory;
mod program_address;
mod return_data;
mod siblings;
mod sysvar;

use std::fmt;
use std::mem::take;
use std::sync::Arc;

use abi::Pubkey;
use abi::imports::{Import, MAX_ARGUMENTS};

use self::log::Log;
use super::guest::GuestMemory;
use super::heap::Heap;
use super::input::write::SerializedInput;
use crate::account::AccountInput;
use crate::error::{Failure, InvocationError};
use crate::host::Host;
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::log_style::LogStyle;
use crate::outcome::CallRecord;
use crate::prices::Prices;
use crate::processed::ProcessedInstruction;
use crate::profile::{GasProfile, Profiler};
use crate::settings::Settings;
use crate::syscall_set::{Syscall, SyscallKind};
use crate::transaction_use::TransactionUse;
use call::Call;
use invoke_signed::Caller;

/// The arguments of a syscall, as 64-bit numbers. Those beyond its parameters may be any numbers.
pub type Arguments = [u64; MAX_ARGUMENTS];

/// The value that a syscall returns to the program; a failure ends the program.
type Returned = Result<Option<u64>, Failure>;

/// The syscalls of one program, and what it and the programs that it called have set with them.
pub struct Syscalls {
    host: Arc<dyn Host>,
    /// The settings of the program that the host called.
    settings: Arc<Settings>,
    program_id: Pubkey,
    gas_limit: u64,
    heap: Heap,
    log: Log,
    /// The runtime's words for the rule of the write-back that a program has broken.
    broken_rule: Option<&'static str>,
    return_data: Vec<u8>,
    /// The program that set the return data.
    returning_program: Pubkey,
    /// The program's input and accounts, for the calls that it makes.
    caller: Caller,
    /// The programs that wait for this one, the first one first.
    callers: Vec<Pubkey>,
    /// The calls that the program has made and that have ended, the oldest first.
    processed: Vec<Arc<ProcessedInstruction>>,
    /// The calls that the program's caller had made before, the oldest first.
    siblings: Vec<Arc<ProcessedInstruction>>,
    /// The calls so far, in the order in which they began.
    calls: Vec<CallRecord>,
    /// The instructions and the calls of the transaction before the invocation.
    calls_before: usize,
    /// Profiles the programs that this one calls, if it is profiled itself.
    pub(crate) profiler: Option<Profiler>,
    /// The error of a called program's engine, for which the whole invocation has no outcome.
    engine_error: Option<InvocationError>,
}

/// What the programs of one invocation have set together.
pub(crate) struct Results {
    pub logs: Vec<String>,
    pub return_data: Vec<u8>,
    pub calls: Vec<CallRecord>,
    /// What the transaction has used, growth left out.
    pub transaction_use: TransactionUse,
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
        Import::InvokeSigned | Import::InvokeSignedC => invoke_signed::invoke_signed,
        Import::GetStackHeight => invoke_signed::stack_height,
        Import::LoadAccount => load_account::load_account,
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
        #[cfg(feature = "crypto")]
        Import::Secp256k1Recover => crypto::secp256k1::recover,
        #[cfg(feature = "crypto")]
        Import::CurveValidatePoint => crypto::curve25519::validate_point,
        #[cfg(feature = "crypto")]
        Import::CurveGroupOp => crypto::curve25519::group_operation,
        #[cfg(feature = "crypto")]
        Import::CurveMultiscalarMul => crypto::curve25519::multiscalar_multiply,
        #[cfg(feature = "crypto")]
        Import::AltBn128GroupOp => crypto::alt_bn128::group_operation,
        #[cfg(feature = "crypto")]
        Import::AltBn128Compression => crypto::alt_bn128::compression,
        #[cfg(feature = "crypto")]
        Import::Poseidon => crypto::poseidon::hash,
        #[cfg(feature = "crypto")]
        Import::BigModExp => crypto::big_mod_exp::power,
        Import::GetProcessedSiblingInstruction => siblings::get,
        // `SyscallSet::find` finds none of the rest.
        #[cfg(not(feature = "crypto"))]
        _ => unavailable,
    }
}

/// Ends a program that calls a syscall which this loader is built without.
#[cfg(not(feature = "crypto"))]
fn unavailable<G>(call: &mut Call<'_, G>) -> Returned {
    Err(Failure::SyscallFailed {
        symbol: call.syscall.symbol().to_owned(),
        reason: "this loader is built without it".to_owned(),
    })
}

impl Syscalls {
    /// The syscalls of the program that the host calls.
    pub(crate) fn new(
        host: &Arc<dyn Host>,
        settings: &Arc<Settings>,
        invocation: &Invocation,
    ) -> Self {
        Self {
            host: Arc::clone(host),
            settings: Arc::clone(settings),
            program_id: invocation.program_id,
            gas_limit: invocation.gas,
            heap: Heap::default(),
            log: Log::after(&invocation.transaction_use),
            calls_before: invocation.transaction_use.calls,
            broken_rule: None,
            return_data: Vec::new(),
            returning_program: invocation.program_id,
            caller: Caller::new(invocation),
            callers: Vec::new(),
            processed: Vec::new(),
            siblings: Vec::new(),
            calls: Vec::new(),
            profiler: None,
            engine_error: None,
        }
    }

    /// The syscalls of a handler, which has no program id and no accounts.
    #[cfg(feature = "wasm")]
    pub(crate) fn of_handler(
        host: &Arc<dyn Host>,
        settings: &Arc<Settings>,
        gas_limit: u64,
        heap: Heap,
    ) -> Self {
        let invocation = Invocation::new(Pubkey::default()).gas(gas_limit);
        let mut syscalls = Self::new(host, settings, &invocation);
        syscalls.heap = heap;
        syscalls
    }

    /// Begins to run the current program, with this heap.
    pub(crate) fn begin(&mut self, heap: Heap) {
        self.heap = heap;
    }

    /// The current program's input, and the accounts as its calls have left them, by the position
    /// of the entry.
    pub(crate) fn accounts(&mut self) -> (&mut SerializedInput, &[Option<AccountInput>]) {
        self.caller.accounts()
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
        syscall: &Syscall,
        arguments: Arguments,
        guest: &mut impl GuestMemory,
    ) -> Result<Option<u64>, Failure> {
        let syscall = match &syscall.0 {
            SyscallKind::Import(import) => *import,
            SyscallKind::Own(own) => return own.run(arguments, guest, self.gas_limit),
        };
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

    /// The limits of the program that the host called.
    pub(crate) fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// In which words log lines are.
    pub(crate) fn log_style(&self) -> LogStyle {
        self.settings.log_style
    }

    /// The id of the current program.
    pub(crate) fn program_id(&self) -> Pubkey {
        self.program_id
    }

    /// The return data as it is now.
    pub(crate) fn return_data(&self) -> &[u8] {
        &self.return_data
    }

    /// The runtime's words for the rule of the write-back that a program has broken.
    pub(crate) fn broken_rule(&self) -> Option<&'static str> {
        self.broken_rule
    }

    /// Remembers the runtime's words for a rule of the write-back that a program has broken.
    pub(crate) fn set_broken_rule(&mut self, words: Option<&'static str>) {
        self.broken_rule = words.or(self.broken_rule);
    }

    /// The host.
    pub(crate) fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// The depth of the call: 1 for a program that the host called.
    pub(crate) fn depth(&self) -> u64 {
        self.callers.len() as u64 + 1
    }

    /// The number of calls so far.
    pub(crate) fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// The first call that began after there were so many.
    pub(crate) fn call_since(&self, count: usize) -> Option<&CallRecord> {
        self.calls.get(count)
    }

    /// Takes the profile of the call that has ended last, if there is one.
    pub(crate) fn take_profile(&mut self) -> Option<GasProfile> {
        self.profiler.as_mut().and_then(Profiler::take)
    }

    /// Takes the error of a called program's engine.
    pub(crate) fn take_engine_error(&mut self) -> Option<InvocationError> {
        self.engine_error.take()
    }

    /// Takes what the programs have set. The invocation has ended.
    pub(crate) fn take_results(&mut self) -> Results {
        let calls = self.calls_before.saturating_add(self.calls.len());
        self.caller.end();
        Results {
            transaction_use: TransactionUse {
                // The invocation itself is an instruction of the transaction.
                calls: calls.saturating_add(1),
                ..self.log.transaction_use()
            },
            logs: take(&mut self.log.lines),
            return_data: take(&mut self.return_data),
            calls: take(&mut self.calls),
        }
    }

    /// Moves them out of a borrow, for an engine that keeps them in a place of its own.
    #[cfg(feature = "wasm")]
    pub(crate) fn take(&mut self) -> Self {
        let invocation = Invocation::new(self.program_id).gas(self.gas_limit);
        let fresh = Self::new(&self.host, &self.settings, &invocation);
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
