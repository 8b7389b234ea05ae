//! The command line of `cargo entrypoint ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use loader::Pubkey;

use super::{ProgramCargoArguments, parse_gas, parse_heap};
use crate::commands::ledger::words::{
    AccountWord, DataWord, parse_account, parse_data, parse_time,
};
use crate::commands::ledger::words::{TimeWord, parse_amount};

const HELP: &str = "\
A key is 32 bytes in base58, or a name of at most 24 letters, digits, `_` and `-`, such as alice.
A name stands for the same key in the tests of `program-test` and in scenarios, and may begin with
`$` as there. `system` is the system program.

Data is a list of fields, separated by commas, or hexadecimal, or @FILE:
  u64:5,key:alice   a number of 8 bytes, then the 32 bytes of a key
  0x01ff            two bytes
The fields are u8, u16, u32, u64, u128, i8, i16, i32, i64, i128 (little endian), bool, key, text
and hex.

Exit codes:
  0  the command did what it was asked for
  1  the transaction failed, or the account does not exist
  2  nothing was done";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct LedgerArguments {
    /// The file of the ledger; a command waits up to 2 seconds for another one that uses it
    #[arg(
        long,
        value_name = "FILE",
        default_value = "ledger.redb",
        global = true
    )]
    pub ledger: PathBuf,

    /// Print only JSON, on the standard output. Numbers have all their digits, up to 64 bits: in
    /// JavaScript, read them as BigInt
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Build a program and deploy it; print its id and what its account costs
    Deploy(DeployArguments),
    /// Run a transaction, and keep what it did if it succeeds
    Send(SendArguments),
    /// Move kelvins from one account to another
    Transfer(TransferArguments),
    /// Give an account kelvins out of nothing
    Airdrop(AirdropArguments),
    /// Make an account with data that belongs to a program, out of nothing
    Create(CreateArguments),
    /// Print an address that a program derives from seeds, and can sign for
    Address(AddressArguments),
    /// Show an account
    Account(AccountArguments),
    /// List all accounts
    Accounts,
    /// Show the last transactions, the oldest first
    Log(LogArguments),
    /// Set the clock
    Warp(WarpArguments),
}

#[derive(Debug, Args)]
pub struct DeployArguments {
    /// A program's file, a folder with a program crate, or a package of this workspace, in this
    /// order [default: the program in the current folder]
    pub program: Option<String>,

    /// The program's id: a key or a name [default: the name of its package or its file]
    #[arg(long, value_name = "KEY", value_parser = ledger::parse_key)]
    pub id: Option<Pubkey>,

    /// Leave out the debug information and the names of errors, as for a real deployment
    #[arg(long)]
    pub release: bool,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

const SEND_HELP: &str = "\
A file has several instructions, which take effect together or not at all:

  payer = \"alice\"                       # optional, like gas and heap

  [[instructions]]
  program = \"counter\"
  accounts = [\"apples:w\", \"alice:s\"]    # optional
  data = \"u64:5,key:alice\"              # optional

Example:
  cargo entrypoint ledger send counter --account apples:w --data u8:1";

#[derive(Debug, Args)]
#[command(after_help = SEND_HELP)]
pub struct SendArguments {
    /// The program to call: its key or its name
    #[arg(value_parser = ledger::parse_key, required_unless_present = "file")]
    pub program: Option<Pubkey>,

    /// An account, for each account of the instruction in order: `:s` if it signs, `:w` if the
    /// program may change it, `:sw` for both
    #[arg(short, long = "account", value_name = "KEY[:sw]", value_parser = parse_account)]
    pub accounts: Vec<AccountWord>,

    /// Instruction data; if it is given several times, one after the other
    #[arg(short, long, value_name = "DATA", value_parser = parse_data)]
    pub data: Vec<DataWord>,

    /// A file with the transaction, in place of a program, accounts and data
    #[arg(long, value_name = "FILE", conflicts_with_all = ["program", "accounts", "data", "payer", "gas", "heap"])]
    pub file: Option<PathBuf>,

    /// The account that pays the fee. It signs; the ledger of this command has no fee
    #[arg(long, value_name = "KEY", value_parser = ledger::parse_key)]
    pub payer: Option<Pubkey>,

    /// The most gas that the transaction may use [default: 200000]
    #[arg(long, value_name = "GAS", value_parser = parse_gas)]
    pub gas: Option<u64>,

    /// Heap size, such as 65536, 64KiB or 1MiB [default: 32KiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_heap)]
    pub heap: Option<u32>,

    /// Keep nothing of what the transaction does
    #[arg(long)]
    pub simulate: bool,
}

#[derive(Debug, Args)]
pub struct TransferArguments {
    /// The account that pays; it signs
    #[arg(value_parser = ledger::parse_key)]
    pub from: Pubkey,

    /// The account that is paid
    #[arg(value_parser = ledger::parse_key)]
    pub to: Pubkey,

    /// How many kelvins, such as 5000000 or 5_000_000
    #[arg(value_parser = parse_amount, allow_negative_numbers = true)]
    pub kelvins: u64,
}

#[derive(Debug, Args)]
pub struct AirdropArguments {
    /// The account
    #[arg(value_parser = ledger::parse_key)]
    pub key: Pubkey,

    /// How many kelvins, such as 5000000 or 5_000_000
    #[arg(value_parser = parse_amount, allow_negative_numbers = true)]
    pub kelvins: u64,
}

#[derive(Debug, Args)]
pub struct CreateArguments {
    /// The account; there must be none with this key
    #[arg(value_parser = ledger::parse_key)]
    pub key: Pubkey,

    /// The program that the account belongs to
    #[arg(long, value_name = "KEY", value_parser = ledger::parse_key)]
    pub owner: Pubkey,

    /// Its data; if it is given several times, one after the other
    #[arg(short, long, value_name = "DATA", value_parser = parse_data)]
    pub data: Vec<DataWord>,

    /// How many zero bytes its data has, after those of --data
    #[arg(long, value_name = "BYTES", value_parser = parse_amount, default_value = "0")]
    pub space: u64,

    /// How many kelvins it has [default: what the rent of its data needs]
    #[arg(long, value_parser = parse_amount, allow_negative_numbers = true)]
    pub kelvins: Option<u64>,
}

const ADDRESS_HELP: &str = "\
The address is on the standard output alone, so that a shell can put it where a key is wanted. The
bump, the last seed that the program needs to sign, is on the standard error, and in the JSON.

Example:
  cargo entrypoint ledger send exchange --account $(cargo entrypoint ledger address exchange \
      text:pool key:carol):w";

#[derive(Debug, Args)]
#[command(after_help = ADDRESS_HELP)]
pub struct AddressArguments {
    /// The program's id: a key or a name
    #[arg(value_parser = ledger::parse_key)]
    pub program: Pubkey,

    /// The seeds, in order: each one is data of at most 32 bytes, such as text:pool or key:alice
    #[arg(value_name = "SEED", value_parser = parse_data)]
    pub seeds: Vec<DataWord>,
}

#[derive(Debug, Args)]
pub struct AccountArguments {
    /// The account
    #[arg(value_parser = ledger::parse_key)]
    pub key: Pubkey,
}

#[derive(Debug, Args)]
pub struct LogArguments {
    /// How many transactions
    #[arg(default_value_t = 10)]
    pub most: usize,
}

#[derive(Debug, Args)]
pub struct WarpArguments {
    /// A time such as 2030-01-31T12:00:00Z, milliseconds since 1970, or how much time passes, such
    /// as +90s, +15min or "+2days 12h"
    #[arg(value_name = "TIME|+DURATION", value_parser = parse_time, allow_negative_numbers = true)]
    pub time: TimeWord,
}
