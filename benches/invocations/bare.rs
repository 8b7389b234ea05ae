//! The loader beside the bare VM: the same program, the same accounts and the same bytes, in turns,
//! on PolkaVM's interpreter.
//!
//! The loader checks the invocation, writes the input, runs the program, checks every change, and
//! builds the outcome. The bare loop has an instance and a serialized input. It resets the
//! instance, writes the pieces of the input that are not zero, runs the program, reads the line
//! that the program logs, and reads each account back with one read. It checks nothing. It runs
//! with two layouts: the heap below the input, and the loader's own, where it is above.
//!
//! `cargo bench -p invocations-bench --bench bare` prints a table. With `-- --profile` it only
//! calls the loader, for a profiler: see `docs/benchmarking.md`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use abi::input::{
    ACCOUNT_TABLE_MAGIC, AccountHeader, AccountTableFooter, FIRST_OCCURRENCE, entry_length, padding,
};
use abi::status::SUCCESS;
use bytemuck::bytes_of;
use loader::{AccountInput, Engine, Invocation, Loader, Program, Pubkey};
use polkavm::{
    BackendKind, Config, GasMeteringKind, InterruptKind, Module, ModuleConfig, ProgramCounter,
    RawInstance, Reg,
};

const PROGRAM_ID: Pubkey = Pubkey::new([1; 32]);

/// Bytes of data that each account has.
const DATA_LENGTH: usize = 165;

/// The VM's smallest page, to which both layouts align the input.
const PAGE: u32 = 4_096;

/// Turns of each. The table has the shortest of each.
const ROUNDS: usize = 2_000;

/// Invocations that are timed together. There are few, because other processes interrupt longer
/// runs.
const CHUNK: u32 = 20;

fn invocation(accounts: u8) -> Invocation {
    (0..accounts).fold(Invocation::new(PROGRAM_ID), |invocation, index| {
        let account = AccountInput::new(Pubkey::new([2 + index; 32]))
            .owner(PROGRAM_ID)
            .kelvins(1_000)
            .data([0; DATA_LENGTH])
            .writable();
        invocation.account(account)
    })
}

/// The pieces of the input of [`invocation`], each with its offset, and the length of the input.
/// The input has no other bytes than zeroes. The account table needs the input's address.
fn pieces(accounts: u8, input: u32) -> (Vec<(u32, Vec<u8>)>, u32) {
    let mut pieces = Vec::new();
    let mut piece = 0_u64.to_le_bytes().to_vec();
    piece.extend_from_slice(PROGRAM_ID.as_bytes());
    piece.resize(piece.len() + padding(piece.len()), 0);
    piece.extend_from_slice(&u64::from(accounts).to_le_bytes());
    let (mut start, mut table) = (0, Vec::new());
    for index in 0..accounts {
        let entry = start + piece.len() as u32;
        table.extend_from_slice(&u64::from(input + entry).to_le_bytes());
        let header = AccountHeader {
            marker: FIRST_OCCURRENCE,
            is_signer: 0,
            is_writable: 1,
            executable: 0,
            original_data_length: 0,
            key: [2 + index; 32],
            owner: PROGRAM_ID.to_bytes(),
            kelvins: 1_000,
            data_length: DATA_LENGTH as u64,
        };
        piece.extend_from_slice(bytes_of(&header));
        piece.extend_from_slice(&[0; DATA_LENGTH]);
        pieces.push((start, std::mem::take(&mut piece)));
        // The rent epoch, at the end of the entry, is 0.
        start = entry + entry_length(DATA_LENGTH).unwrap() as u32;
    }
    piece.extend_from_slice(&table);
    piece.extend_from_slice(bytes_of(&AccountTableFooter {
        count: accounts.into(),
        magic: ACCOUNT_TABLE_MAGIC,
    }));
    let length = start + piece.len() as u32;
    pieces.push((start, piece));
    (pieces, length)
}

/// An instance of the VM, and what it runs with.
struct Bare {
    vm: RawInstance,
    entry: ProgramCounter,
    /// The bytes above the program's data that are mapped.
    mapped: u32,
    pieces: Vec<(u32, Vec<u8>)>,
    accounts: Vec<u32>,
    arguments: [u64; 5],
    gas: i64,
}

impl Bare {
    fn new(blob: &[u8], accounts: u8, is_heap_above: bool) -> Self {
        let mut config = Config::new();
        config.set_backend(Some(BackendKind::Interpreter));
        let engine = polkavm::Engine::new(&config).unwrap();
        let mut config = ModuleConfig::new();
        config.set_page_size(PAGE);
        config.set_gas_metering(Some(GasMeteringKind::Sync));
        let module = Module::new(&engine, &config, blob.to_vec().into()).unwrap();
        let mut exports = module.exports();
        let entry = exports.find(|export| export == "entrypoint").unwrap();
        let entry = entry.program_counter();
        let start = module.memory_map().heap_base();
        let heap_size = Invocation::new(PROGRAM_ID).heap_size;
        let (_, length) = pieces(accounts, 0);
        let (input, heap) = match is_heap_above {
            true => {
                let input = start.next_multiple_of(PAGE);
                (input, (input + length).next_multiple_of(PAGE))
            }
            false => ((start + heap_size).next_multiple_of(PAGE), start),
        };
        let (pieces, _) = pieces(accounts, input);
        let end = (input + length).max(heap + heap_size);
        let table = u32::from(accounts) * 8 + size_of::<AccountTableFooter>() as u32;
        let arguments = [input, length, heap, heap_size, input + length - table];
        let entries = (0..usize::from(accounts)).map(|index| {
            let first = pieces[0].1.len() - size_of::<AccountHeader>() - DATA_LENGTH;
            input + (first + index * entry_length(DATA_LENGTH).unwrap()) as u32
        });
        Self {
            vm: module.instantiate().unwrap(),
            entry,
            mapped: end - start,
            accounts: entries.collect(),
            pieces: pieces
                .into_iter()
                .map(|(offset, bytes)| (input + offset, bytes))
                .collect(),
            arguments: arguments.map(u64::from),
            gas: Invocation::new(PROGRAM_ID).gas as i64,
        }
    }

    /// Runs the program once. Returns headers and data of the accounts after it, and the log lines.
    fn invoke(&mut self) -> (Vec<Vec<u8>>, Vec<String>) {
        self.vm.reset_memory().unwrap();
        self.vm.sbrk(self.mapped).unwrap().unwrap();
        // The last one first: the VM's memory then grows once.
        for (address, bytes) in self.pieces.iter().rev() {
            self.vm.write_memory(*address, bytes).unwrap();
        }
        self.vm.set_gas(self.gas);
        self.vm.prepare_call_untyped(self.entry, &self.arguments);
        let mut logs = Vec::new();
        loop {
            match self.vm.run().unwrap() {
                InterruptKind::Finished => break,
                // `counter` has one syscall, which logs a text.
                InterruptKind::Ecalli(_) => {
                    let [address, length] = [Reg::A0, Reg::A1].map(|reg| self.vm.reg(reg) as u32);
                    let text = self.vm.read_memory(address, length).unwrap();
                    logs.push(String::from_utf8(text).unwrap());
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(self.vm.reg(Reg::A0), SUCCESS);
        let length = (size_of::<AccountHeader>() + DATA_LENGTH) as u32;
        let accounts = self.accounts.iter();
        let accounts = accounts.map(|address| self.vm.read_memory(*address, length).unwrap());
        (accounts.collect(), logs)
    }
}

fn by_loader(program: &Program, invocation: &Invocation) {
    let outcome = program.invoke(black_box(invocation)).unwrap();
    assert!(outcome.is_success(), "{outcome:?}");
}

/// The shortest times, each for one invocation, of functions that run in turns.
fn shortest<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut best = [Duration::MAX; N];
    for _ in 0..ROUNDS {
        for (run, best) in runs.iter_mut().zip(&mut best) {
            let start = Instant::now();
            for _ in 0..CHUNK {
                run();
            }
            *best = start.elapsed().min(*best);
        }
    }
    best.map(|best| best / CHUNK)
}

fn main() {
    // `cargo test --benches` builds this, and runs it without measuring.
    let arguments: Vec<String> = std::env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if !has("--bench") {
        return;
    }
    let blob = program_test::build(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/counter"
    ));
    let loader = Loader::new(Engine::Interpreter).unwrap();
    let program = loader.load(&blob).unwrap();
    if has("--profile") {
        let invocation = invocation(3);
        (0..2_000_000).for_each(|_| by_loader(&program, &invocation));
        return;
    }
    println!(
        "| accounts | loader, µs | bare VM, heap below, µs | times | heap above, µs | times |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for accounts in [1, 3, 8] {
        let invocation = invocation(accounts);
        let [mut below, mut above] =
            [false, true].map(|is_above| Bare::new(&blob, accounts, is_above));
        // The bare loops run the same program to the same end.
        let outcome = program.invoke(&invocation).unwrap();
        for (after, logs) in [below.invoke(), above.invoke()] {
            assert_eq!(logs, outcome.logs);
            let data = after
                .iter()
                .map(|bytes| &bytes[size_of::<AccountHeader>()..]);
            assert!(data.eq(outcome.accounts.iter().map(|account| &*account.data)));
        }
        let [ours, below, above] = shortest([
            &mut || by_loader(&program, &invocation),
            &mut || drop(black_box(below.invoke())),
            &mut || drop(black_box(above.invoke())),
        ])
        .map(|time| time.as_secs_f64() * 1e6);
        println!(
            "| {accounts} | {ours:.2} | {below:.2} | {:.2} | {above:.2} | {:.2} |",
            ours / below,
            ours / above
        );
    }
}
