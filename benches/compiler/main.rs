//! The time of an invocation on the compiling engine, beside the bare VM and the interpreter.
//!
//! `cargo bench -p compiler-bench` prints two tables: the same program with more and more accounts,
//! and from how much gas on the compiling engine is faster. With `-- --update` it writes them, and
//! a picture, into `docs/compiling-engine.md`.
//!
//! Everything that is compared runs in turns, each on a thread of its own, because the bare VM
//! binds its thread to a core. A time is that of the fastest of many short rounds.

mod accounts;
mod bare;
mod gas;
mod picture;
mod turns;

use std::path::Path;

use anyhow::{Context, Result};
use xtask::bench::marked;

const PAGE: &str = "docs/compiling-engine.md";
const PICTURE: &str = "docs/pictures/compiling-engine.svg";

/// The lines of the page that the tables follow.
const ACCOUNTS: &str = "<!-- accounts, written by `cargo bench -p compiler-bench -- --update` -->";
const GAS: &str = "<!-- gas, written by `cargo bench -p compiler-bench -- --update` -->";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` runs it without this argument, and must not take long.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let options = arguments.iter().filter(|argument| *argument != "--bench");
    let mut is_update = false;
    for option in options {
        anyhow::ensure!(
            option == "--update",
            "`{option}` is not an option of this bench; it has `--update`"
        );
        is_update = true;
    }
    let accounts = accounts::table()?;
    print!("{accounts}");
    let curve = gas::Curve::measure()?;
    let gas = curve.table();
    print!("{gas}");
    if is_update {
        update(&accounts, &gas, &picture::draw(&curve)?)?;
    }
    Ok(())
}

fn update(accounts: &str, gas: &str, picture: &str) -> Result<()> {
    let page = xtask::project().join(PAGE);
    let text = read(&page)?;
    let text = marked::replace(&text, ACCOUNTS, &format!("\n{accounts}\n"))?;
    let text = marked::replace(&text, GAS, &format!("\n{gas}\n"))?;
    write(&page, &text)?;
    write(&xtask::project().join(PICTURE), picture)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
