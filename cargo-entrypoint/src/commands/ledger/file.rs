//! A file with a transaction.

use std::path::Path;

use anyhow::{Context, Result, bail};
use ledger::{Instruction, Transaction, parse_key};
use loader::fixture::read_at_most;
use serde::Deserialize;

use super::words::{AccountWord, all_bytes, parse_account, parse_data};

/// The most bytes of a file with a transaction. Long data has files of its own.
const MAX_FILE: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    payer: Option<String>,
    gas: Option<u64>,
    heap: Option<u32>,
    #[serde(default)]
    instructions: Vec<FileInstruction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileInstruction {
    program: String,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    data: String,
}

/// Reads a transaction.
pub fn read(path: &Path) -> Result<Transaction> {
    let shown = path.display();
    let text = read_at_most(path, MAX_FILE)
        .with_context(|| format!("cannot read the transaction {shown}"))?;
    let text = String::from_utf8(text).with_context(|| format!("{shown} is not a transaction"))?;
    parse(&text).with_context(|| format!("{shown} is not a transaction"))
}

fn parse(text: &str) -> Result<Transaction> {
    let file: File = toml::from_str(text)?;
    if file.instructions.is_empty() {
        bail!("it has no [[instructions]]");
    }
    let mut instructions = Vec::with_capacity(file.instructions.len());
    for (index, instruction) in file.instructions.into_iter().enumerate() {
        let read = instruction.read();
        instructions.push(read.with_context(|| format!("instruction {index}"))?);
    }
    let mut transaction = Transaction::new(instructions);
    transaction.payer = file.payer.as_deref().map(parse_key).transpose()?;
    transaction.gas = file.gas;
    transaction.heap = file.heap;
    Ok(transaction)
}

impl FileInstruction {
    fn read(&self) -> Result<Instruction> {
        let mut instruction = Instruction::new(parse_key(&self.program)?);
        for account in &self.accounts {
            let AccountWord(meta) = parse_account(account).map_err(anyhow::Error::msg)?;
            instruction.accounts.push(meta);
        }
        let data = parse_data(&self.data).map_err(anyhow::Error::msg)?;
        Ok(instruction.data(all_bytes(&[data])?))
    }
}
