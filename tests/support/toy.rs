//! A complete backend for a toy language, which uses only the loader's public traits.
//!
//! A program's file is `TOY`, one line for each instruction, an empty line, and then the bytes of
//! its data. A word of an instruction is a number, or an address such as `data`, `heap+8` or
//! `input+48`.
//!
//! | instruction | what it does |
//! |---|---|
//! | `call SYMBOL WORD…` | calls a syscall |
//! | `store ADDRESS WORD` | stores 64 bits |
//! | `jump LINE` | goes on with that line, from 0 |
//! | `return WORD` | ends with a status |
//!
//! Each instruction costs one unit of gas. Any other instruction traps.

use abi::imports::MAX_ARGUMENTS;
use loader::backend::{
    Backend, End, GuestMemory, Heap, Inaccessible, Instance, Mapping, MemoryRequest, Syscall,
    SyscallSet, Syscalls,
};
use loader::{Engine, Failure, InvocationError, Limits, LoadError};

/// The address of a program's data; the heap follows, and then the input.
const DATA: u64 = 0x1000;

/// The backend.
pub struct Toy;

/// A program that the backend has loaded.
pub struct ToyProgram {
    instructions: Vec<Vec<String>>,
    syscalls: Vec<Syscall>,
    data: Vec<u8>,
}

/// A program's memory, which starts at `DATA`, and its gas.
pub struct ToyMemory {
    bytes: Vec<u8>,
    gas: u64,
}

/// A program in fresh memory.
pub struct ToyInstance<'a> {
    program: &'a ToyProgram,
    memory: ToyMemory,
}

impl Backend for Toy {
    type Program = ToyProgram;
    type Instance<'a> = ToyInstance<'a>;

    fn engine(&self) -> Engine {
        Engine::Interpreter
    }

    fn load(
        &self,
        file: &[u8],
        limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Result<ToyProgram, LoadError> {
        let invalid = |reason: &str| LoadError::InvalidBlob {
            reason: reason.to_owned(),
        };
        let text = file
            .strip_prefix(b"TOY\n")
            .ok_or_else(|| invalid("bad magic number"))?;
        let end = text.windows(2).position(|bytes| bytes == b"\n\n");
        let end = end.ok_or_else(|| invalid("no empty line"))?;
        let code = std::str::from_utf8(&text[..end]).map_err(|_| invalid("not UTF-8"))?;
        let data = text[end + 2..].to_vec();
        if data.len() as u64 > limits.program_data.into() {
            return Err(LoadError::MemoryTooLarge {
                what: "data",
                size: data.len() as u64,
                limit: limits.program_data,
            });
        }
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        let instructions: Vec<Vec<String>> = code.lines().map(words).collect();
        let calls = instructions.iter().filter_map(|words| match &words[..] {
            [name, symbol, ..] if name == "call" => Some(syscalls.find(symbol.as_bytes())),
            _ => None,
        });
        Ok(ToyProgram {
            syscalls: calls.collect::<Result<_, _>>()?,
            instructions,
            data,
        })
    }

    fn with_instance<T>(
        &self,
        program: &ToyProgram,
        _limits: &Limits,
        run: impl FnOnce(&mut ToyInstance<'_>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        let bytes = program.data.clone();
        run(&mut ToyInstance {
            program,
            memory: ToyMemory { bytes, gas: 0 },
        })
    }
}

impl GuestMemory for ToyMemory {
    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        self.range(address, length).map(|bytes| bytes.to_vec())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.range(address, bytes.len() as u64)?
            .copy_from_slice(bytes);
        Ok(())
    }

    fn is_writable(&mut self, address: u64, length: u64) -> bool {
        self.range(address, length).is_ok()
    }

    fn gas(&self) -> u64 {
        self.gas
    }

    fn set_gas(&mut self, gas: u64) {
        self.gas = gas;
    }
}

impl ToyMemory {
    fn range(&mut self, address: u64, length: u64) -> Result<&mut [u8], Inaccessible> {
        let start = address.checked_sub(DATA).ok_or(Inaccessible)?;
        let end = start.checked_add(length).ok_or(Inaccessible)?;
        let (start, end) = (start as usize, usize::try_from(end));
        let end = end.map_err(|_| Inaccessible)?;
        self.bytes.get_mut(start..end).ok_or(Inaccessible)
    }
}

impl Instance for ToyInstance<'_> {
    type Guest = ToyMemory;

    fn guest(&mut self) -> &mut ToyMemory {
        &mut self.memory
    }

    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError> {
        let heap = (self.memory.bytes.len() as u64).next_multiple_of(8);
        let input = (heap + u64::from(request.heap_size)).next_multiple_of(8);
        let end = input + request.input_length as u64;
        if end > 1 << 24 {
            return Err(request.does_not_fit());
        }
        self.memory.bytes.resize(end as usize, 0);
        Ok(Mapping {
            heap: Heap {
                base: DATA + heap,
                size: request.announced_heap,
                has_header: false,
            },
            input: DATA + input,
            input_length: request.input_length as u32,
        })
    }

    fn enter(
        &mut self,
        mapping: &Mapping,
        syscalls: &mut Syscalls,
    ) -> Result<End, InvocationError> {
        let value = |word: &String| {
            let (base, offset) = word.split_once('+').unwrap_or((word, "0"));
            let base = match base {
                "data" => DATA,
                "heap" => mapping.heap.base,
                "input" => mapping.input,
                number => number.parse().unwrap_or(0),
            };
            base + offset.parse().unwrap_or(0)
        };
        let mut line = 0;
        while let Some(instruction) = self.program.instructions.get(line) {
            let Some(rest) = self.memory.gas.checked_sub(1) else {
                return Ok(End::Failed(Failure::out_of_gas(syscalls.gas_limit())));
            };
            self.memory.gas = rest;
            line += 1;
            let words: Vec<&str> = instruction.iter().map(String::as_str).collect();
            match words[..] {
                ["call", symbol, ..] => {
                    let mut arguments = [0; MAX_ARGUMENTS];
                    for (argument, word) in arguments.iter_mut().zip(&instruction[2..]) {
                        *argument = value(word);
                    }
                    // The program was loaded, so the loader has the syscall.
                    let mut known = self.program.syscalls.iter();
                    let syscall = known.find(|syscall| syscall.symbol() == symbol);
                    let syscall = syscall.ok_or_else(|| InvocationError::engine(symbol))?;
                    if let Err(failure) = syscalls.call(syscall, arguments, &mut self.memory) {
                        return Ok(End::Failed(failure));
                    }
                }
                ["store", ..] if instruction.len() == 3 => {
                    let [address, value] = [1, 2].map(|word| value(&instruction[word]));
                    if self.memory.write(address, &value.to_le_bytes()).is_err() {
                        let cause = format!("`{}`", instruction.join(" "));
                        return Ok(End::Failed(Failure::trapped_because(cause)));
                    }
                }
                ["jump", target] => line = target.parse().unwrap_or(usize::MAX),
                ["return", ..] if instruction.len() == 2 => {
                    return Ok(End::Returned(value(&instruction[1])));
                }
                _ => break,
            }
        }
        Ok(End::Failed(Failure::trapped_because("no instruction")))
    }
}
