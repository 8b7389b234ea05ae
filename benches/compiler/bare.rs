//! The bare VM: one instance that is reset before each run. The bytes of the input are those that
//! the loader writes.

use abi::input::{
    ACCOUNT_TABLE_MAGIC, AccountHeader, AccountTableFooter, FIRST_OCCURRENCE, entry_length, padding,
};
use abi::status::SUCCESS;
use bytemuck::bytes_of;
use polkavm::{
    BackendKind, Config, GasMeteringKind, InterruptKind, Module, ModuleConfig, ProgramCounter,
    RawInstance, Reg,
};

use crate::accounts::{DATA_LENGTH, GAS, HEAP_SIZE, PROGRAM_ID};

const PAGE: u32 = 4_096;

/// One instance, and the input of one invocation.
pub struct Bare {
    vm: RawInstance,
    entry: ProgramCounter,
    /// Bytes above the program's data.
    mapped: u32,
    pieces: Vec<(u32, Vec<u8>)>,
    accounts: Vec<u32>,
    arguments: [u64; 5],
}

impl Bare {
    pub fn new(blob: &[u8], accounts: u8) -> Self {
        let mut config = Config::new();
        config.set_backend(Some(BackendKind::Compiler));
        let engine = polkavm::Engine::new(&config).expect("the engine runs here");
        let mut config = ModuleConfig::new();
        config.set_page_size(PAGE);
        config.set_gas_metering(Some(GasMeteringKind::Sync));
        let module = Module::new(&engine, &config, blob.to_vec().into()).expect("a blob");
        let mut exports = module.exports();
        let entry = exports.find(|export| export == "entrypoint");
        let heap = module.memory_map().heap_base();
        let input = (heap + HEAP_SIZE).next_multiple_of(PAGE);
        let (pieces, entries, length) = pieces(input, accounts);
        let table = u32::from(accounts) * 8 + size_of::<AccountTableFooter>() as u32;
        let arguments = [input, length, heap, HEAP_SIZE, input + length - table];
        Self {
            entry: entry.expect("an entrypoint").program_counter(),
            vm: module.instantiate().expect("a process"),
            mapped: input + length - heap,
            pieces,
            accounts: entries,
            arguments: arguments.map(u64::from),
        }
    }

    /// Resets the instance, writes the input, and runs the program. Reads nothing back but what the
    /// program logs.
    pub fn run(&mut self) {
        self.vm.reset_memory().expect("a reset");
        self.vm.sbrk(self.mapped).expect("memory").expect("memory");
        for (address, bytes) in &self.pieces {
            self.vm.write_memory(*address, bytes).expect("a write");
        }
        self.vm.set_gas(GAS as i64);
        self.vm.prepare_call_untyped(self.entry, &self.arguments);
        loop {
            match self.vm.run().expect("a run") {
                InterruptKind::Finished => break,
                InterruptKind::Ecalli(_) => self.read_log(),
                other => panic!("the program ends with {other:?}"),
            }
        }
        assert_eq!(self.vm.reg(Reg::A0), SUCCESS);
    }

    /// The program's only syscall is a log.
    fn read_log(&mut self) {
        let [address, length] = [Reg::A0, Reg::A1].map(|register| self.vm.reg(register) as u32);
        let text = self.vm.read_memory(address, length);
        assert!(text.expect("a text").starts_with(b"count"));
    }

    /// The data of each account.
    pub fn data(&mut self) -> Vec<Vec<u8>> {
        let data = self.accounts.iter().map(|address| {
            let data = address + AccountHeader::DATA as u32;
            let data = self.vm.read_memory(data, DATA_LENGTH as u32);
            data.expect("data")
        });
        data.collect()
    }
}

/// Bytes, and their address.
type Piece = (u32, Vec<u8>);

/// The pieces of the input that are not zero; the addresses of the accounts;
/// the length of the input.
fn pieces(input: u32, accounts: u8) -> (Vec<Piece>, Vec<u32>, u32) {
    let mut pieces = Vec::new();
    let mut piece = 0_u64.to_le_bytes().to_vec();
    piece.extend_from_slice(PROGRAM_ID.as_bytes());
    piece.resize(piece.len() + padding(piece.len()), 0);
    piece.extend_from_slice(&u64::from(accounts).to_le_bytes());
    let (mut start, mut entries) = (input, Vec::new());
    for index in 0..accounts {
        let entry = start + piece.len() as u32;
        entries.push(entry);
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
        // The next piece begins with the rent epoch, at the end of the entry.
        let length = entry_length(DATA_LENGTH).expect("a short entry") as u32;
        piece.extend_from_slice(&[0; size_of::<u64>()]);
        start = entry + length - piece.len() as u32;
    }
    for entry in &entries {
        piece.extend_from_slice(&u64::from(*entry).to_le_bytes());
    }
    piece.extend_from_slice(bytes_of(&AccountTableFooter {
        count: accounts.into(),
        magic: ACCOUNT_TABLE_MAGIC,
    }));
    let length = start + piece.len() as u32 - input;
    pieces.push((start, piece));
    (pieces, entries, length)
}
