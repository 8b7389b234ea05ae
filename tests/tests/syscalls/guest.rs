//! The guest `raw_calls`, on the interpreter, the compiler and wasm.

use std::sync::{Arc, LazyLock, OnceLock};

use abi::call::Slice;
use abi::imports::Import;
use loader::{Access, Engine, Environment, Failure, Host, Invocation, Limits, Loader, Outcome};
use loader::{Program, Pubkey};
use program_build::guest::{DebugInfo, Target, build_for};
use program_build::package::ProgramPackage;
use raw_calls::{Argument, RawCall};

pub use raw_calls::Argument::{Memory, Number};

/// The engines of the tests.
pub fn engines() -> Vec<Engine> {
    let mut engines = program_test::polkavm_engines();
    engines.push(Engine::Wasm);
    engines
}

/// The limits of the tests: return data and logs as long as a test needs.
pub fn limits() -> Limits {
    Limits::default().return_data(1 << 20).logs(1 << 16)
}

/// The guest's file for a target, without the embedder's syscalls or with them, built once.
pub fn file(target: Target, has_own: bool) -> &'static [u8] {
    static FILES: [OnceLock<Vec<u8>>; 6] = [const { OnceLock::new() }; 6];
    let target_place = Target::ALL.iter().position(|other| *other == target);
    let place = 2 * target_place.expect("a target") + usize::from(has_own);
    FILES[place].get_or_init(|| {
        let package = ProgramPackage::in_folder(&tests::guest("raw_calls"));
        let package = package.unwrap_or_else(|error| panic!("{error:?}"));
        let features: &[&str] = if has_own { &["own"] } else { &[] };
        let file = build_for(&package, target, features, DebugInfo::Strip);
        file.unwrap_or_else(|error| panic!("{target}: {error:?}"))
    })
}

/// The guest on each engine.
pub fn programs() -> &'static [Program] {
    static PROGRAMS: LazyLock<Vec<Program>> = LazyLock::new(|| {
        let load = |engine: Engine| {
            let file = file(engine.target(), false);
            let loader = Loader::new(engine).expect("an engine").limits(limits());
            loader
                .load(file)
                .unwrap_or_else(|error| panic!("{engine}: {error}"))
        };
        engines().into_iter().map(load).collect()
    });
    &PROGRAMS
}

/// A call of a syscall that lays out its memory.
#[derive(Clone, Default)]
pub struct Script {
    call: RawCall,
}

impl Script {
    pub fn new(syscall: Import) -> Self {
        Self::numbered(syscall as u64)
    }

    /// A call of the syscall that the guest knows by this number.
    pub fn numbered(syscall: u64) -> Self {
        Self {
            call: RawCall {
                syscall,
                ..RawCall::default()
            },
        }
    }

    /// Adds an argument.
    pub fn argument(mut self, argument: Argument) -> Self {
        self.call.arguments.push(argument);
        self
    }

    /// Adds a number as an argument.
    pub fn number(self, number: u64) -> Self {
        self.argument(Number(number))
    }

    /// Adds bytes to the memory, aligned to 8 bytes, and returns their offset.
    pub fn place(&mut self, bytes: &[u8]) -> u64 {
        let offset = self.call.memory.len().next_multiple_of(8);
        self.call.memory.resize(offset, 0);
        self.call.memory.extend(bytes);
        offset as u64
    }

    /// Adds the address of these bytes as an argument.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        let offset = self.place(bytes);
        self.argument(Memory(offset))
    }

    /// Adds the address of zeros, which the syscall overwrites, as an argument.
    pub fn output(self, length: usize) -> Self {
        self.bytes(&vec![0; length])
    }

    /// Adds the address of a list of slices with these bytes, and their number, as arguments.
    pub fn slices(mut self, slices: &[&[u8]]) -> Self {
        let mut list = Vec::new();
        for bytes in slices {
            let address = self.place(bytes);
            list.push(Slice {
                address,
                length: bytes.len() as u64,
            });
        }
        let offset = self.place(bytemuck::cast_slice(&list));
        let entries = 0..list.len() as u64;
        self.call
            .addresses
            .extend(entries.map(|entry| offset + 16 * entry));
        self.argument(Memory(offset)).number(slices.len() as u64)
    }

    /// Adds the address of the addresses and the lengths of these ranges as an argument.
    pub fn addressed(self, ranges: &[&[u8]]) -> Self {
        let mut script = self.slices(ranges);
        // The number of the slices.
        script.call.arguments.pop();
        script
    }

    /// Replaces an argument.
    pub fn with(mut self, index: usize, argument: Argument) -> Self {
        self.call.arguments[index] = argument;
        self
    }

    /// The offset of an argument's memory.
    fn offset(&self, index: usize) -> usize {
        match self.call.arguments[index] {
            Memory(offset) => offset as usize,
            Number(number) => panic!("argument {index} is the number {number}"),
        }
    }

    pub fn invocation(&self) -> Invocation {
        Invocation::new(Pubkey::new([1; 32]))
            .data(self.call.encode())
            .heap_size(1 << 20)
            .gas(1 << 40)
    }

    /// Runs the script on a program.
    pub fn invoke(&self, program: &Program, host: &Arc<dyn Host>) -> Outcome {
        let outcome = program.invoke_with(host, &self.invocation());
        outcome.expect("a valid invocation")
    }

    /// Runs the script on each engine with this host, and returns the one result.
    #[track_caller]
    pub fn run_with(&self, host: Environment) -> Done {
        self.run_on(programs(), host)
    }

    /// Runs the script on the interpreter only.
    #[track_caller]
    pub fn run_interpreted(&self) -> Done {
        self.run_on(&programs()[..1], Environment::default())
    }

    /// Runs the script with each program, and compares the outcomes.
    #[track_caller]
    fn run_on(&self, programs: &[Program], host: Environment) -> Done {
        let host: Arc<dyn Host> = Arc::new(host);
        let mut outcomes = programs.iter().map(|program| {
            let outcome = self.invoke(program, &host);
            assert_eq!(outcome.failure, None, "{}", program.engine());
            outcome
        });
        let first = outcomes.next().expect("an engine");
        let first_data = self.without_addresses(&first);
        for other in outcomes {
            assert_eq!(first.logs, other.logs, "{}", other.engine);
            let data = self.without_addresses(&other);
            assert_eq!(first_data, data, "{}", other.engine);
        }
        let (result, memory) = first_data.split_first_chunk().expect("a result");
        Done {
            result: u64::from_le_bytes(*result),
            memory: memory.to_vec(),
            logs: first.logs,
            script: self.clone(),
        }
    }

    /// The return data, with zeros in place of the addresses, which depend on the engine.
    fn without_addresses(&self, outcome: &Outcome) -> Vec<u8> {
        let mut data = outcome.return_data.clone();
        for offset in &self.call.addresses {
            data[8 + *offset as usize..][..8].fill(0);
        }
        data
    }

    /// Runs the script on each engine, and returns the one result.
    #[track_caller]
    pub fn run(&self) -> Done {
        self.run_with(Environment::default())
    }

    /// Runs the script on each engine, and returns the one failure.
    #[track_caller]
    pub fn fail(&self) -> Failure {
        let host: Arc<dyn Host> = Arc::new(Environment::default());
        let mut failures = programs().iter().map(|program| {
            let outcome = self.invoke(program, &host);
            outcome.failure.expect("a failure")
        });
        let first = failures.next().expect("an engine");
        for (other, engine) in failures.zip(engines().into_iter().skip(1)) {
            assert_eq!(first.kind(), other.kind(), "{engine}: {other}");
        }
        first
    }

    /// Passes wild addresses in place of each argument that is an address of memory of this length.
    /// The syscall must fail by that address.
    #[track_caller]
    pub fn reject_wild(&self, addresses: &[(usize, u64, Access)]) {
        let import = Import::ALL[self.call.syscall as usize];
        for (index, length, access) in addresses {
            // In no memory, up to the end of 32 bits. On wasm a pointer has 32 bits.
            for wild in [0xffff_0000, 0xffff_ffff - length + 1, 0x8000_0000] {
                let failure = self.clone().with(*index, Number(wild)).fail();
                let expected = Failure::InvalidPointer {
                    import,
                    address: wild,
                    length: *length,
                    access: *access,
                };
                assert_eq!(failure, expected, "argument {index}");
            }
        }
    }
}

/// The result of a script.
pub struct Done {
    /// What the syscall returned, or 0.
    pub result: u64,
    /// The memory afterwards.
    pub memory: Vec<u8>,
    pub logs: Vec<String>,
    script: Script,
}

impl Done {
    /// The memory of an argument.
    pub fn argument(&self, index: usize, length: usize) -> &[u8] {
        let offset = self.script.offset(index);
        &self.memory[offset..offset + length]
    }
}

/// Decodes hexadecimal digits; spaces and line ends are ignored.
pub fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}
