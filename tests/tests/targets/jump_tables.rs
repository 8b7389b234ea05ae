//! Programs dispatch correctly on every target and engine: matches, `?`, tables of functions, trait
//! objects, texts, and loops over a state.
//!
//! PolkaVM's linker once miscompiled jumps through a table (docs/decisions/0019). These tests call
//! every arm of a generated family of functions, and compare each result with that of the same
//! function in this process.

use std::sync::OnceLock;

use loader::{
    AccountInput, Engine, Failure, Invocation, Loader, Outcome, Program, ProgramError, Pubkey,
};
use matches::{FAMILY, command};
use polkavm_linker::{OptLevel, TargetInstructionSet};
use program_build::guest::{self, DebugInfo, RUNS_NATIVELY, Target, elf_path};
use program_build::machine::Machine;
use program_build::package::ProgramPackage;
use tests::{PROGRAM_ID, guest};

fn package() -> ProgramPackage {
    ProgramPackage::in_folder(&guest("matches")).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The guest for a target, built once.
fn file(target: Target) -> &'static [u8] {
    static FILES: [OnceLock<Vec<u8>>; 3] = [const { OnceLock::new() }; 3];
    let position = Target::ALL.iter().position(|known| *known == target);
    FILES[position.expect("a target")].get_or_init(|| {
        guest::build_for(&package(), target, &[], DebugInfo::Keep)
            .unwrap_or_else(|error| panic!("{target}: {error:?}"))
    })
}

/// The guest's blob, linked by PolkaVM's linker at an optimization level.
fn blob_at(level: OptLevel) -> Vec<u8> {
    file(Target::Riscv64);
    let elf = std::fs::read(elf_path(&package(), &[])).expect("the ELF file of the build");
    let mut config = polkavm_linker::Config::default();
    config.set_opt_level(level);
    config.set_min_stack_size(64 * 1024);
    polkavm_linker::program_from_elf(config, TargetInstructionSet::ReviveV1, &elf)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn loader(engine: Engine) -> Loader {
    Machine::new(engine)
        .loader(&package().target_folder)
        .unwrap_or_else(|error| panic!("{engine}: {error:?}"))
}

fn engines() -> Vec<Engine> {
    let mut engines = program_test::polkavm_engines();
    engines.push(Engine::Wasm);
    if RUNS_NATIVELY {
        engines.push(Engine::Native);
    }
    engines
}

/// The guest on each engine, and linked at each level.
fn programs() -> &'static [(String, Program)] {
    static PROGRAMS: OnceLock<Vec<(String, Program)>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let own = engines()
            .into_iter()
            .map(|engine| (engine, file(engine.target()).to_vec(), engine.to_string()));
        let levels = [("O1", OptLevel::O1), ("O2", OptLevel::O2)];
        let linked = levels.into_iter().flat_map(|(name, level)| {
            let blob = blob_at(level);
            tests::polkavm().map(|engine| (engine, blob.clone(), format!("{engine}, {name}")))
        });
        own.chain(linked)
            .map(|(engine, file, name)| {
                let program = loader(engine).load(&file);
                let program = program.unwrap_or_else(|error| panic!("{name}: {error}"));
                (name, program)
            })
            .collect()
    })
}

/// Calls the guest on each engine, and linked at each level.
fn run_everywhere(invocation: &Invocation) -> impl Iterator<Item = (&'static str, Outcome)> {
    programs().iter().map(|(name, program)| {
        let outcome = program.invoke(invocation);
        (name.as_str(), outcome.expect("a call"))
    })
}

/// A call that writes the results of all functions into an account.
fn family() -> Invocation {
    let results = matches::results().count();
    let account = AccountInput::new(Pubkey::new([2; 32]))
        .owner(PROGRAM_ID)
        .data(vec![0; results * 8])
        .writable();
    Invocation::new(PROGRAM_ID)
        .data([command::FAMILY])
        .account(account)
        .gas(100_000_000)
}

/// Asserts that the account data of an outcome has the results of this process.
#[track_caller]
fn check(name: &str, failure: Option<String>, data: &[u8]) {
    let (results, _) = data.as_chunks::<8>();
    let mut expected = matches::results().zip(results);
    for member in FAMILY {
        for key in member.keys {
            let (expected, result) = expected.next().expect("a result for each arm");
            let result = u64::from_le_bytes(*result);
            assert_eq!(
                result, expected,
                "{name}: {} at {key}; failure: {failure:?}",
                member.name
            );
        }
    }
    assert_eq!(failure, None, "{name}");
}

#[test]
fn every_arm_matches_the_host() {
    let arms: usize = FAMILY.iter().map(|member| member.keys.len()).sum();
    assert!(FAMILY.len() >= 140 && arms > 2_500, "{arms}");
    for (name, outcome) in run_everywhere(&family()) {
        let failure = outcome.failure.as_ref().map(Failure::to_string);
        check(name, failure, &outcome.accounts[0].data);
    }
}

#[test]
fn results_of_arms_differ() {
    // If two arms had the same result, a wrong jump would go unnoticed.
    for member in FAMILY {
        let mut results: Vec<u64> = member
            .keys
            .iter()
            .map(|key| (member.call)(*key, matches::INPUT))
            .collect();
        // The last two keys have no arm.
        results.truncate(results.len() - 2);
        let arms = results.len();
        results.sort_unstable();
        results.dedup();
        assert_eq!(results.len(), arms, "{}", member.name);
    }
}

#[track_caller]
fn check_error(data: &[u8], error: Option<ProgramError>) {
    let invocation = Invocation::new(PROGRAM_ID).data(data);
    for (name, outcome) in run_everywhere(&invocation) {
        let status = error.map_or(0, |error| error.status());
        let failure = error.map(|error| Failure::ProgramError { error });
        assert_eq!(
            (outcome.status, outcome.failure),
            (Some(status), failure),
            "{name}: {data:?}"
        );
    }
}

#[test]
fn every_builtin_error_has_its_status() {
    for (index, error) in (0..).zip(ProgramError::BUILTIN) {
        check_error(&[command::BUILTIN, index], Some(*error));
    }
    let beyond = ProgramError::BUILTIN.len() as u8;
    check_error(&[command::BUILTIN, beyond], None);
}

#[test]
fn every_custom_error_has_its_status() {
    for code in [0, 1, 2, 26, 27, 255, 1 << 16, u32::MAX - 1, u32::MAX] {
        let mut data = vec![command::CUSTOM];
        data.extend(u32::to_le_bytes(code));
        check_error(&data, Some(ProgramError::Custom(code)));
    }
}

#[test]
fn known_errors_have_their_status() {
    // All arms of the first match, and numbers without an arm.
    for arm in 10..=36 {
        let invocation = Invocation::new(PROGRAM_ID)
            .data([command::KNOWN, arm, 200])
            .account(AccountInput::new(Pubkey::new([2; 32])).writable());
        let expected = match arm {
            17 => 7,
            18 => 1 << 32,
            12..=14 | 19 | 21..=24 | 26 | 31..=34 => 0,
            _ => 3 << 32,
        };
        for (name, outcome) in run_everywhere(&invocation) {
            assert_eq!(outcome.failure, None, "{name}: {arm}");
            let status = outcome.return_data.first_chunk().expect("a status");
            assert_eq!(u64::from_le_bytes(*status), expected, "{name}: {arm}");
        }
    }
}

/// The VM of the published runtime, without our loader. It has no syscalls, and this call needs
/// none.
mod published {
    use polkavm_026::{
        BackendKind, Config, Engine, GasMeteringKind, InterruptKind, Module, ModuleConfig,
        ProgramBlob, Reg,
    };

    /// Writes an input above the program's memory and calls the entry. Returns the status, and the
    /// input as the program has changed it.
    pub fn call(
        backend: BackendKind,
        blob: &[u8],
        input: impl FnOnce(u32) -> Vec<u8>,
    ) -> (u64, Vec<u8>) {
        let mut config = Config::from_env().expect("a configuration");
        config.set_backend(Some(backend));
        config.set_allow_experimental(true);
        let engine = Engine::new(&config).expect("an engine");
        let mut module_config = ModuleConfig::new();
        module_config.set_gas_metering(Some(GasMeteringKind::Sync));
        let blob = ProgramBlob::parse(blob.to_vec().into()).expect("a blob");
        let module = Module::from_blob(&engine, &module_config, blob).expect("a module");
        let mut instance = module.instantiate().expect("an instance");
        let entry = module
            .exports()
            .find(|export| export.symbol().as_bytes() == b"entrypoint")
            .expect("an entry")
            .program_counter();
        let heap = module.memory_map().heap_base();
        let heap_size = 32 * 1024;
        let address = (heap + heap_size).next_multiple_of(4_096);
        let input = input(address);
        let end = address + input.len() as u32;
        instance
            .sbrk(end - heap)
            .expect("memory")
            .expect("memory for heap and input");
        instance.write_memory(address, &input).expect("the input");
        instance.set_gas(100_000_000);
        instance.prepare_call_untyped(
            entry,
            &[
                address.into(),
                input.len() as u64,
                heap.into(),
                heap_size.into(),
            ],
        );
        let end = instance.run().expect("a run");
        assert!(
            matches!(end, InterruptKind::Finished),
            "{backend}: {end:?} at {:?}",
            instance.program_counter()
        );
        let after = instance
            .read_memory(address, input.len() as u32)
            .expect("the input");
        (instance.reg(Reg::A0), after)
    }
}

/// The input of a call with one account, as the runtime writes it: without an account table.
fn serialized(invocation: &Invocation, results: usize) -> Vec<u8> {
    let mut input = (invocation.data.len() as u64).to_le_bytes().to_vec();
    input.extend(&invocation.data);
    input.extend(invocation.program_id.as_bytes());
    input.resize(input.len().next_multiple_of(8), 0);
    input.extend(1_u64.to_le_bytes());
    input.extend([0xff, 0, 1, 0, 0, 0, 0, 0]);
    input.extend([2; 32]);
    input.extend(PROGRAM_ID.as_bytes());
    input.extend(0_u64.to_le_bytes());
    input.extend((results as u64 * 8).to_le_bytes());
    input.resize(input.len() + results * 8 + 10_240, 0);
    input.resize(input.len().next_multiple_of(8), 0);
    input.extend(0_u64.to_le_bytes());
    input
}

#[test]
fn the_vm_of_the_published_runtime_agrees() {
    let invocation = family();
    let results = matches::results().count();
    let input = serialized(&invocation, results);
    let data_at = (8 + invocation.data.len() + 32).next_multiple_of(8) + 8 + 88;
    let backends = [
        polkavm_026::BackendKind::Interpreter,
        polkavm_026::BackendKind::Compiler,
    ];
    let blobs = [
        ("as built", file(Target::Riscv64).to_vec()),
        ("O1", blob_at(OptLevel::O1)),
        ("O2", blob_at(OptLevel::O2)),
    ];
    for backend in backends {
        for (name, blob) in &blobs {
            let (status, after) = published::call(backend, blob, |_| input.clone());
            assert_eq!(status, 0, "{backend}, {name}");
            let data = &after[data_at..data_at + results * 8];
            check(&format!("{backend}, {name}"), None, data);
        }
    }
}
