//! A backend whose programs are Rust functions over their own memory, for tests of what the loader
//! does around a program.

use std::sync::Arc;

use loader::backend::{
    Backend, End, GuestMemory, Heap, Inaccessible, Instance, Mapping, MemoryRequest, SyscallSet,
    Syscalls,
};
use loader::{Engine, InvocationError, Limits, LoadError, Loader};

/// A program: it gets its memory, which starts with the input, and returns a status.
pub type Script = Arc<dyn Fn(&mut Vec<u8>) -> u64 + Send + Sync>;

/// A loader whose programs all are this function. It loads any bytes.
pub fn loader(script: impl Fn(&mut Vec<u8>) -> u64 + Send + Sync + 'static) -> Loader {
    Loader::with_backend(Scripted(Arc::new(script)))
}

struct Scripted(Script);

struct Memory {
    bytes: Vec<u8>,
    gas: u64,
}

struct Running<'a> {
    script: &'a Script,
    memory: Memory,
}

/// Where the input is: not at 0, which means that there is none.
const INPUT: u64 = 0x1_0000;

impl Backend for Scripted {
    type Program = Script;
    type Instance<'a> = Running<'a>;

    fn engine(&self) -> Engine {
        Engine::Interpreter
    }

    fn load(&self, _: &[u8], _: &Limits, _: &SyscallSet) -> Result<Script, LoadError> {
        Ok(Arc::clone(&self.0))
    }

    fn with_instance<T>(
        &self,
        script: &Script,
        _: &Limits,
        run: impl FnOnce(&mut Running<'_>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        let memory = Memory {
            bytes: Vec::new(),
            gas: 0,
        };
        run(&mut Running { script, memory })
    }
}

impl Memory {
    fn range(&mut self, address: u64, length: u64) -> Result<&mut [u8], Inaccessible> {
        let start = address.checked_sub(INPUT).ok_or(Inaccessible)? as usize;
        let end = start.checked_add(length as usize).ok_or(Inaccessible)?;
        self.bytes.get_mut(start..end).ok_or(Inaccessible)
    }
}

impl GuestMemory for Memory {
    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        self.range(address, length).map(|bytes| bytes.to_vec())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        let range = self.range(address, bytes.len() as u64)?;
        range.copy_from_slice(bytes);
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

impl Instance for Running<'_> {
    type Guest = Memory;

    fn guest(&mut self) -> &mut Memory {
        &mut self.memory
    }

    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError> {
        self.memory.bytes = vec![0; request.input_length];
        Ok(Mapping {
            heap: Heap::default(),
            input: INPUT,
            input_length: request.input_length as u32,
        })
    }

    fn enter(&mut self, _: &Mapping, _: &mut Syscalls) -> Result<End, InvocationError> {
        Ok(End::Returned((self.script)(&mut self.memory.bytes)))
    }
}
