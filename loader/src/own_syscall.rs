//! Syscalls of an embedder's: functions of a host that programs call by a name.

use std::fmt;
use std::sync::Arc;

use abi::imports::{Import, MAX_ARGUMENTS};
use abi::native::MAX_OWN_SYSCALL_NAME;

use crate::backend::{Arguments, GuestMemory, Inaccessible};
use crate::error::{Access, Failure, LoadError};
use crate::prices::Price;
use crate::program::Loader;

/// The type of a parameter of a syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parameter {
    /// An address in the program's memory. On WebAssembly it has 32 bits.
    Pointer,
    /// A number of 32 bits.
    U32,
    /// A number of 64 bits.
    U64,
}

/// The parameters of a syscall, and whether it returns a number of 64 bits.
///
/// ```
/// use loader::Parameter::{Pointer, U64};
/// use loader::Signature;
///
/// // fn checksum(address: *const u8, length: u64) -> u64;
/// let checksum = Signature::new([Pointer, U64]);
/// // fn note(number: u64);
/// let note = Signature::new([U64]).without_result();
/// # assert_ne!(checksum, note);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) has_result: bool,
}

impl Signature {
    /// These parameters, and a result.
    #[must_use]
    pub fn new(parameters: impl IntoIterator<Item = Parameter>) -> Self {
        Self {
            parameters: parameters.into_iter().collect(),
            has_result: true,
        }
    }

    /// Returns nothing to the program.
    #[must_use]
    pub fn without_result(mut self) -> Self {
        self.has_result = false;
        self
    }
}

/// A function of the embedder's.
type Run = dyn Fn(&mut SyscallCall<'_>) -> Result<u64, Failure> + Send + Sync;

/// A syscall of the embedder's.
pub(crate) struct OwnSyscall {
    pub symbol: String,
    pub signature: Signature,
    price: Price,
    run: Box<Run>,
}

impl OwnSyscall {
    /// Runs the syscall for a program.
    pub fn run(
        &self,
        arguments: Arguments,
        guest: &mut dyn GuestMemory,
        gas_limit: u64,
    ) -> Result<Option<u64>, Failure> {
        let mut call = SyscallCall {
            syscall: self,
            arguments,
            guest,
            gas_limit,
        };
        call.use_gas(self.price.base)?;
        let value = (self.run)(&mut call)?;
        Ok(self.signature.has_result.then_some(value))
    }
}

impl fmt::Debug for OwnSyscall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OwnSyscall")
            .field("symbol", &self.symbol)
            .field("signature", &self.signature)
            .field("price", &self.price)
            .finish_non_exhaustive()
    }
}

/// One call of a syscall of yours: its arguments, and checked access to the program's memory.
///
/// Addresses and lengths come from the program, so they may be any numbers: [`read`](Self::read)
/// and [`write`](Self::write) check them, and take their price off the gas first.
pub struct SyscallCall<'a> {
    syscall: &'a OwnSyscall,
    arguments: Arguments,
    guest: &'a mut dyn GuestMemory,
    gas_limit: u64,
}

impl SyscallCall<'_> {
    /// The argument at a position. A position beyond the parameters has any number.
    ///
    /// # Panics
    ///
    /// If the position is [`MAX_ARGUMENTS`] or more.
    #[must_use]
    pub fn argument(&self, position: usize) -> u64 {
        match self.syscall.signature.parameters.get(position) {
            Some(Parameter::U32) => self.arguments[position] & u64::from(u32::MAX),
            _ => self.arguments[position],
        }
    }

    /// Pays for bytes and reads them.
    ///
    /// # Errors
    ///
    /// The [`Failure`] that ends the program: it has too little gas, or may not read the bytes.
    pub fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Failure> {
        self.use_gas(self.syscall.price.for_bytes(length))?;
        self.guest
            .read(address, length)
            .map_err(|Inaccessible| self.invalid(address, length, Access::Read))
    }

    /// Pays for bytes and writes them: all of them, or none.
    ///
    /// # Errors
    ///
    /// The [`Failure`] that ends the program: it has too little gas, or may not write the bytes.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Failure> {
        let length = bytes.len() as u64;
        self.use_gas(self.syscall.price.for_bytes(length))?;
        self.guest
            .write(address, bytes)
            .map_err(|Inaccessible| self.invalid(address, length, Access::Write))
    }

    /// Fails if the program may not write so many bytes. Call it before you allocate as many as the
    /// program asks for.
    ///
    /// # Errors
    ///
    /// The [`Failure`] that ends the program.
    pub fn check_writable(&mut self, address: u64, length: u64) -> Result<(), Failure> {
        if self.guest.is_writable(address, length) {
            Ok(())
        } else {
            Err(self.invalid(address, length, Access::Write))
        }
    }

    /// The gas that remains.
    #[must_use]
    pub fn gas(&self) -> u64 {
        self.guest.gas()
    }

    /// Takes the price of some work off the gas. Call it before the work.
    ///
    /// # Errors
    ///
    /// [`Failure::OutOfGas`] if the gas that remains does not suffice.
    pub fn use_gas(&mut self, gas: u64) -> Result<(), Failure> {
        match self.guest.gas().checked_sub(gas) {
            Some(rest) => {
                self.guest.set_gas(rest);
                Ok(())
            }
            None => Err(self.guest.out_of_gas(self.gas_limit)),
        }
    }

    /// The failure with this reason, which ends the program if you return it.
    #[must_use]
    pub fn failure(&self, reason: impl Into<String>) -> Failure {
        Failure::SyscallFailed {
            symbol: self.syscall.symbol.clone(),
            reason: reason.into(),
        }
    }

    fn invalid(&self, address: u64, length: u64, access: Access) -> Failure {
        self.failure(format!(
            "the program may not {access} {length} bytes at {address:#x}"
        ))
    }
}

impl fmt::Debug for SyscallCall<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SyscallCall")
            .field("syscall", self.syscall)
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

impl Loader {
    /// Adds a syscall of your own, which the programs that the loader loads from now on may import
    /// by this name. On WebAssembly they import it from the module `env`.
    ///
    /// A call costs `price.base`, and `price.for_bytes` for each range that the function reads or
    /// writes. If the function returns a [`Failure`], that ends the program. If it panics, the
    /// panic goes on in the thread that has called the program.
    ///
    /// ```
    /// use loader::Parameter::{Pointer, U64};
    /// use loader::{Engine, Loader, Price, Signature};
    ///
    /// let loader = Loader::new(Engine::Interpreter)?.syscall(
    ///     "checksum",
    ///     Signature::new([Pointer, U64]),
    ///     Price::fixed(10).bytes(1, 8),
    ///     |call| {
    ///         let bytes = call.read(call.argument(0), call.argument(1))?;
    ///         Ok(bytes.iter().map(|byte| u64::from(*byte)).sum())
    ///     },
    /// )?;
    /// # // A program whose data are the bytes 1, 2, 3. It returns their checksum as its status.
    /// # use polkavm_common::program::{InstructionSetKind, Reg::{A0, A1}, asm};
    /// # use polkavm_common::writer::ProgramBlobBuilder;
    /// # let mut blob = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    /// # blob.set_rw_data(vec![1, 2, 3]);
    /// # blob.set_rw_data_size(3);
    /// # blob.set_stack_size(4_096);
    /// # blob.add_export_by_basic_block(0, b"entrypoint");
    /// # blob.add_import(b"checksum");
    /// # let (address, length) = (asm::load_imm(A0, 0x2_0000), asm::load_imm(A1, 3));
    /// # blob.set_code(&[address, length, asm::ecalli(0), asm::ret()], &[]);
    /// # let blob = blob.to_vec()?;
    /// let program = loader.load(&blob)?;
    /// // The program returns the checksum of its data, 1 + 2 + 3, as its status.
    /// # use loader::{Invocation, Pubkey};
    /// let outcome = program.invoke(&Invocation::new(Pubkey::new([1; 32])))?;
    /// assert_eq!(outcome.status, Some(6));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The program declares it with `entrypoint::declare_syscalls!`. A native library does not list
    /// its syscalls: there a program that calls one which the loader does not have ends with
    /// [`Failure::SyscallFailed`].
    ///
    /// # Errors
    ///
    /// [`LoadError::InvalidSyscall`] if the contract has a syscall of this name, if the loader has
    /// one already, if it has more than five parameters, or if its name has more than 255 bytes.
    pub fn syscall(
        mut self,
        name: impl Into<String>,
        signature: Signature,
        price: Price,
        run: impl Fn(&mut SyscallCall<'_>) -> Result<u64, Failure> + Send + Sync + 'static,
    ) -> Result<Self, LoadError> {
        let symbol = name.into();
        let reason = if Import::from_symbol(symbol.as_bytes()).is_some() {
            "the contract has a syscall of this name; use another name"
        } else if self.settings.syscalls.own(symbol.as_bytes()).is_some() {
            "the loader has a syscall of this name already; use another name"
        } else if signature.parameters.len() > MAX_ARGUMENTS {
            "it has more than five parameters; pass the address of a struct"
        } else if symbol.len() > MAX_OWN_SYSCALL_NAME {
            "its name has more than 255 bytes; use a shorter name"
        } else {
            Arc::make_mut(&mut self.settings)
                .syscalls
                .add(Arc::new(OwnSyscall {
                    symbol,
                    signature,
                    price,
                    run: Box::new(run),
                }));
            return Ok(self);
        };
        Err(LoadError::InvalidSyscall { symbol, reason })
    }
}
