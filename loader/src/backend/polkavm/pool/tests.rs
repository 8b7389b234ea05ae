use std::process::Command;
use std::time::Duration;

use super::*;
use crate::account::AccountInput;
use crate::backend::polkavm::{PolkaVm, paged};
use crate::invocation::Invocation;
use crate::program::Loader;
use abi::Pubkey;
use polkavm::{
    ArcBytes, BackendKind, Config, CorePinning, Engine, InterruptKind, ModuleConfig, ProgramBlob,
};
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;

fn module() -> Module {
    module_on(BackendKind::Interpreter).unwrap()
}

/// A program that returns at once; `None` where the engine is not available.
fn module_on(backend: BackendKind) -> Option<Module> {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.set_stack_size(4_096);
    builder.set_code(&[asm::ret()], &[]);
    let blob = ArcBytes::from(builder.to_vec().unwrap());
    let blob = ProgramBlob::parse(blob).unwrap();
    let mut config = Config::new();
    config.set_backend(Some(backend));
    config.set_core_pinning(CorePinning::Disabled);
    let engine = match Engine::new(&config) {
        Ok(engine) => engine,
        Err(error) => {
            println!("skipped: {error}");
            return None;
        }
    };
    Some(Module::from_blob(&engine, &ModuleConfig::new(), blob).unwrap())
}

/// An invocation with so many bytes above the program's data. Returns the process that ran it.
fn invoke(instances: &Instances, module: &Module, mapped: u32) -> u32 {
    let mut instance = instances.take(module).unwrap();
    let Instance { vm, known } = &mut *instance;
    assert!(instances.map(vm, known, &[], mapped).unwrap().is_some());
    known.holds(0, 0);
    instances.prepare(vm, known);
    let heap = module.memory_map().heap_base();
    let end = process::page_end(vm, mapped) as u32;
    assert_eq!(
        vm.read_memory(heap, end - heap).unwrap(),
        vec![0; (end - heap) as usize]
    );
    vm.read_u8(end).unwrap_err();
    vm.write_memory(heap, &vec![0xAA; (end - heap) as usize])
        .unwrap();
    vm.prepare_call_untyped(module.exports().next().unwrap().program_counter(), &[]);
    assert!(matches!(vm.run(), Ok(InterruptKind::Finished)));
    let process = vm.pid().unwrap();
    instances.give_back(instance);
    process
}

/// Waits until a process does not exist any more, not even as one that nothing has waited for.
fn wait_for_end(process: u32) {
    let path = format!("/proc/{process}");
    for _ in 0..400 {
        if !std::path::Path::new(&path).exists() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("process {process} still exists");
}

fn kill(process: u32) {
    let kill = ["-KILL", &process.to_string()];
    assert!(Command::new("kill").args(kill).status().unwrap().success());
    // Its memory is gone a moment later.
    let state = || std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    while !state().contains(") Z ") {
        thread::yield_now();
    }
}

#[test]
fn killed_process_is_replaced() {
    let Some(module) = module_on(BackendKind::Compiler) else {
        return;
    };
    let instances = Pool::of_compiler(4).instances();
    let killed = invoke(&instances, &module, 50_000);
    assert_eq!(invoke(&instances, &module, 50_000), killed);
    kill(killed);
    assert_ne!(invoke(&instances, &module, 50_000), killed);
    assert_eq!(instances.waiting(), 1);
    wait_for_end(killed);
}

#[test]
fn lengths_have_processes_of_their_own() {
    let Some(module) = module_on(BackendKind::Compiler) else {
        return;
    };
    let instances = Pool::of_compiler(8).instances();
    let lengths = [50_000, 4_096, 100_000, 60_000];
    let processes = lengths.map(|length| invoke(&instances, &module, length));
    assert_eq!(instances.waiting(), LENGTHS);
    for _ in 0..3 {
        assert_eq!(
            lengths.map(|length| invoke(&instances, &module, length)),
            processes
        );
    }
    // For more lengths, processes change theirs.
    for length in (1..30).map(|pages| pages * 4_096) {
        assert!(processes.contains(&invoke(&instances, &module, length)));
    }
    assert_eq!(instances.waiting(), LENGTHS);
    // A pool of one has one.
    let instances = Pool::of_compiler(1).instances();
    let process = invoke(&instances, &module, 50_000);
    for length in [4_096, 100_000, 60_000] {
        assert_eq!(invoke(&instances, &module, length), process);
    }
}

#[test]
fn idle_process_is_cleared_at_once() {
    let Some(module) = module_on(BackendKind::Compiler) else {
        return;
    };
    let instances = Pool::of_compiler(1).instances();
    for own_bytes in [0, process::MOST_CLEARED + 1] {
        let mut instance = instances.take(&module).unwrap();
        let Instance { vm, known } = &mut *instance;
        instances.map(vm, known, &[], 50_000).unwrap();
        known.holds(0, own_bytes);
        let map = module.memory_map();
        let (stack, heap) = (map.stack_address_low(), map.heap_base());
        for address in [stack, map.stack_address_high() - 8, heap, heap + 50_000] {
            vm.write_u64(address, u64::MAX).unwrap();
        }
        instances.give_back(instance);
        let mut idle = instances.take(&module).unwrap();
        let stack = idle.vm.read_memory(stack, map.stack_size()).unwrap();
        assert!(stack.into_iter().all(|byte| byte == 0));
        let kept = idle.vm.heap_size();
        assert_eq!(kept, if own_bytes == 0 { 50_000 } else { 0 });
        if kept != 0 {
            let length = process::page_end(&idle.vm, kept) as u32 - heap;
            let memory = idle.vm.read_memory(heap, length).unwrap();
            assert!(memory.into_iter().all(|byte| byte == 0));
        }
    }
}

#[test]
fn processes_end_with_the_program() {
    let Some(module) = module_on(BackendKind::Compiler) else {
        return;
    };
    let pool = Pool::of_compiler(8);
    let instances = pool.instances();
    let processes = [50_000, 4_096].map(|length| invoke(&instances, &module, length));
    drop((instances, module));
    assert_eq!(pool.lock().instances.len(), 0);
    processes.into_iter().for_each(wait_for_end);
}

#[test]
fn idle_instances_are_bounded() {
    let (module, pool) = (module(), Pool::of_interpreter(2));
    let [first, second] = [pool.instances(), pool.instances()];
    for _ in 0..5 {
        first.give_back(first.take(&module).unwrap());
        assert_eq!(first.waiting(), 1);
    }
    let in_use = [(); 3].map(|()| second.take(&module).unwrap());
    assert_eq!((first.waiting(), second.waiting()), (1, 0));
    for (instance, left) in in_use.into_iter().zip([(1, 1), (0, 2), (0, 2)]) {
        second.give_back(instance);
        assert_eq!((first.waiting(), second.waiting()), left);
    }
    drop(second);
    assert_eq!(pool.lock().instances.len(), 0);
}

#[test]
fn largest_size_of_an_instance_counts() {
    let (module, pool) = (module(), Pool::of_interpreter(10));
    let instances = pool.instances();
    let mut large = instances.take(&module).unwrap();
    large.known.holds(MAX_BYTES, 0);
    instances.give_back(large);
    assert_eq!(instances.waiting(), 1);
    let mut large = instances.take(&module).unwrap();
    large.known.holds(1, 0);
    let mut small = instances.take(&module).unwrap();
    small.known.holds(1, 0);
    instances.give_back(large);
    assert_eq!(instances.waiting(), 1);
    // The one that has waited longest goes, and that is the large one.
    instances.give_back(small);
    assert_eq!(instances.waiting(), 1);
    assert_eq!(pool.lock().bytes(), 1);
    let mut huge = instances.take(&module).unwrap();
    huge.known.holds(MAX_BYTES + 1, 0);
    instances.give_back(huge);
    assert_eq!(instances.waiting(), 0);
}

#[test]
fn a_thread_gets_the_instance_that_it_used() {
    let (module, pool) = (module(), Pool::of_interpreter(10));
    let instances = pool.instances();
    let address = |instance: &Instance| std::ptr::from_ref(instance).addr();
    let [own, others] = [(); 2].map(|()| instances.take(&module).unwrap());
    let (first, second) = (address(&own), address(&others));
    instances.give_back(own);
    std::thread::scope(|scope| {
        let give_back = || {
            instances.give_back(others);
            let newest = instances.take(&module).unwrap();
            assert_eq!(address(&newest), second);
            instances.give_back(newest);
        };
        scope.spawn(give_back);
    });
    assert_eq!(address(&instances.take(&module).unwrap()), first);
    // None of its own waits.
    assert_eq!(address(&instances.take(&module).unwrap()), second);
}

#[test]
fn dropped_program_drops_only_its_instances() {
    let (module, pool) = (module(), Pool::of_interpreter(10));
    let [kept, dropped] = [pool.instances(), pool.instances()];
    kept.give_back(kept.take(&module).unwrap());
    dropped.give_back(dropped.take(&module).unwrap());
    drop(dropped);
    assert_eq!(kept.waiting(), 1);
    assert_eq!(pool.lock().instances.len(), 1);
}

/// An instance with memory of pages counts, and the one that it replaced keeps its own figures.
#[test]
fn instance_with_pages_counts() {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.set_code(&[asm::load_imm(polkavm::Reg::A0, 0), asm::ret()], &[]);
    let loader = Loader::new(crate::Engine::Interpreter).unwrap();
    let program = loader.load(&builder.to_vec().unwrap()).unwrap();
    let loaded = program.loaded_by::<PolkaVm>().unwrap();
    let bytes = |instances: &Instances| -> Vec<u64> {
        let waiting = instances.pool.lock();
        let all = waiting.instances.iter();
        let own = all.filter(|(program, _)| *program == instances.program);
        own.map(|(_, instance)| instance.known.bytes).collect()
    };
    let account = |length: usize| {
        let account = AccountInput::new(Pubkey::new([2; 32])).data(vec![1; length]);
        Invocation::new(Pubkey::new([1; 32])).account(account)
    };
    for (length, other, paged) in [
        (paged::MIN_LENT, 0..1, 1..u64::MAX),
        (1, 1..200 << 10, 1..u64::MAX),
        (paged::MIN_LENT, 1..200 << 10, 1..u64::MAX),
    ] {
        let outcome = program.invoke(&account(length)).unwrap();
        assert!(outcome.is_success(), "{outcome:?}");
        let (_, instances) = loaded.paged.module.get().unwrap().as_ref().unwrap();
        let [of_other] = bytes(&loaded.instances)[..] else {
            panic!("one instance waits");
        };
        let [of_paged] = bytes(instances)[..] else {
            panic!("one instance with pages waits");
        };
        assert!(other.contains(&of_other), "{of_other} for {length} bytes");
        assert!(paged.contains(&of_paged), "{of_paged} for {length} bytes");
    }
}
