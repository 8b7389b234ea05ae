//! An inspection as a report.

use std::fmt::{Result, Write};

use loader::Contract;
use loader::inspect::{
    Code, Export, Function, FunctionSource, ImportUse, Inspection, MemoryMap, MnemonicUse, Region,
    RegionKind, Section, SectionKind,
};

use loader::display::escape_control;

use crate::text::grouped;

/// Most instructions, and most functions, that are shown one by one.
const SHOWN_ROWS: usize = 10;

/// Most characters that are shown of one of the blob's names.
const SHOWN_NAME: usize = 100;

/// Writes an inspection as a report.
pub fn inspection(out: &mut String, program: &str, inspection: &Inspection) -> Result {
    writeln!(out, "{}\n", escape_control(program))?;
    summary(out, inspection)?;
    needs(out, inspection)?;
    match &inspection.contract {
        Some(contract) => self::contract(out, contract)?,
        None => writeln!(out, "\ncontract    none")?,
    }
    sections(out, &inspection.sections, inspection.file_length)?;
    match &inspection.memory {
        Some(memory) => memory_map(out, memory, inspection)?,
        None => writeln!(
            out,
            "\nmemory      the program does not fit into the VM's memory"
        )?,
    }
    exports(out, &inspection.exports)?;
    imports(out, &inspection.imports, &inspection.code)?;
    instructions(out, &inspection.code)?;
    functions(out, inspection)
}

fn summary(out: &mut String, inspection: &Inspection) -> Result {
    let (all, stripped) = (inspection.file_length, inspection.stripped_length);
    if all == stripped {
        writeln!(out, "size        {} bytes", grouped(all))?;
    } else {
        writeln!(
            out,
            "size        {} bytes from `cargo entrypoint build --release`, {} with debug information",
            grouped(stripped),
            grouped(all)
        )?;
    }
    let bits = if inspection.is_64_bit { 64 } else { 32 };
    writeln!(
        out,
        "target      {bits} bits, instruction set {}",
        inspection.instruction_set
    )?;
    writeln!(
        out,
        "rent        {} kelvins on the Rialo runtime",
        grouped(inspection.deployment.rent)
    )?;
    match &inspection.deployment.refusal {
        None => writeln!(out, "deployment  possible on the Rialo runtime")?,
        Some(refusal) => writeln!(
            out,
            "deployment  impossible on the Rialo runtime: {}",
            escape_control(&refusal.to_string())
        )?,
    }
    if inspection.is_accepted() {
        return writeln!(out, "loader      accepts the blob");
    }
    for refusal in &inspection.refusals {
        writeln!(
            out,
            "loader      rejects the blob: {}",
            escape_control(&refusal.to_string())
        )?;
    }
    Ok(())
}

fn needs(out: &mut String, inspection: &Inspection) -> Result {
    let needs = &inspection.requirements;
    let says = if needs.has_heap_header {
        "the program reports how much it uses"
    } else {
        "the program does not report how much it uses"
    };
    writeln!(out, "\nneeds           bytes")?;
    let least_heap = grouped(needs.least_heap.into());
    writeln!(out, "  heap   {least_heap:>12}  or more; {says}")?;
    if let Some(memory) = needs.least_memory {
        writeln!(
            out,
            "  memory {:>12}  with that heap, no accounts and no instruction data",
            grouped(memory)
        )?;
    }
    for used in &needs.limits {
        let warning = if used.is_exceeded() {
            " (over the limit)"
        } else if used.is_near() {
            " (near the limit)"
        } else {
            ""
        };
        writeln!(
            out,
            "  {:<6} {:>12}  of at most {}{warning}",
            used.what,
            grouped(used.size),
            grouped(used.limit.into())
        )?;
    }
    Ok(())
}

/// Writes what the program's author has declared. The stack is among what the program needs.
fn contract(out: &mut String, contract: &Contract) -> Result {
    let [major, minor, patch] = contract.version;
    let entry = contract.entry.macro_name();
    writeln!(
        out,
        "\ncontract    of `{entry}`, entrypoint {major}.{minor}.{patch}"
    )?;
    writeln!(
        out,
        "  heap      {} bytes or more, {}{}",
        grouped(contract.heap_size.into()),
        contract.heap.name(),
        if contract.has_heap_trace {
            ", counted for profiling"
        } else {
            ""
        }
    )?;
    let most = match contract.max_accounts {
        Some(most) => format!("at most {most}"),
        None => "any number".to_owned(),
    };
    let repeats = if contract.rejects_duplicates {
        "rejected"
    } else {
        "allowed"
    };
    writeln!(out, "  accounts  {most}, repeats {repeats}")?;
    writeln!(out, "  panics    {}", contract.panic.name())
}

fn sections(out: &mut String, sections: &[Section], file_length: u64) -> Result {
    writeln!(out, "\n{:<28}{:>10}", "sections", "bytes")?;
    for section in sections {
        let name = match section.number {
            Some(number) if section.kind == SectionKind::Unknown => {
                format!("{} {number}", section.kind.name())
            }
            _ => section.kind.name().to_owned(),
        };
        let remark = if section.kind.is_debug() {
            "  left out by `cargo entrypoint build --release`"
        } else {
            ""
        };
        writeln!(out, "  {name:<26}{:>10}{remark}", grouped(section.length))?;
    }
    writeln!(out, "  {:<26}{:>10}", "together", grouped(file_length))
}

fn memory_map(out: &mut String, memory: &MemoryMap, inspection: &Inspection) -> Result {
    writeln!(out, "\n{:<18}{:>13}{:>14}", "memory", "address", "bytes")?;
    for region in &memory.regions {
        let remark = match region.kind {
            RegionKind::ReadOnlyData => in_file(inspection.data.read_only_in_file, region),
            RegionKind::ReadWriteData => in_file(inspection.data.read_write_in_file, region),
            RegionKind::Heap => "  more if the invocation requests it".to_owned(),
            RegionKind::Input => "  without accounts and instruction data".to_owned(),
            RegionKind::Stack => format!(
                "  downwards from {}",
                address(u64::from(region.address) + u64::from(region.length))
            ),
        };
        writeln!(
            out,
            "  {:<16}{:>13}{:>14}{remark}",
            region.kind.name(),
            address(region.address.into()),
            grouped(region.length.into()),
        )?;
    }
    Ok(())
}

fn in_file(stored: u32, region: &Region) -> String {
    if region.length == stored {
        String::new()
    } else {
        format!("  {} in the file, then zeroes", grouped(stored.into()))
    }
}

fn address(address: u64) -> String {
    format!("{:#06x}_{:04x}", address >> 16, address & 0xffff)
}

fn exports(out: &mut String, exports: &[Export]) -> Result {
    if exports.is_empty() {
        return writeln!(out, "\nexports     none");
    }
    writeln!(out, "\n{:<36}{:>10}", "exports", "at")?;
    for export in exports {
        let at = format!("{:#x}", export.program_counter);
        writeln!(out, "  {:<34}{at:>10}", shown(&export.symbol))?;
    }
    Ok(())
}

fn imports(out: &mut String, imports: &[ImportUse], code: &Code) -> Result {
    if imports.is_empty() {
        writeln!(out, "\nimports     none")?;
    } else {
        writeln!(out, "\n{:<36}{:>10}", "imports", "calls")?;
    }
    for import in imports {
        writeln!(
            out,
            "  {:<34}{:>10}  {}",
            shown(&import.symbol),
            grouped(import.call_sites.into()),
            import
                .signature
                .as_deref()
                .unwrap_or("not a syscall of the loader")
        )?;
    }
    if code.calls_of_no_import > 0 {
        writeln!(
            out,
            "  {:<34}{:>10}  each traps",
            "calls of unknown syscalls",
            grouped(code.calls_of_no_import.into())
        )?;
    }
    Ok(())
}

fn instructions(out: &mut String, code: &Code) -> Result {
    writeln!(
        out,
        "\ncode        {} bytes, {} instructions in {} basic blocks; a jump table of {} entries",
        grouped(code.length),
        grouped(code.instructions.into()),
        grouped(code.basic_blocks.into()),
        grouped(code.jump_table_entries.into()),
    )?;
    writeln!(
        out,
        "\n{:<36}{:>10}{:>8}{:>12}",
        "instructions", "number", "%", "bytes"
    )?;
    let mut row = |name: &str, count: u64, bytes: u64| {
        writeln!(
            out,
            "  {name:<34}{:>10}{:>8.1}{:>12}",
            grouped(count),
            percentage(count, code.instructions.into()),
            grouped(bytes)
        )
    };
    let (shown, others) = split(&code.mnemonics);
    for mnemonic in shown {
        row(mnemonic.name, mnemonic.count.into(), mnemonic.bytes)?;
    }
    if !others.is_empty() {
        let sum = |of: fn(&MnemonicUse) -> u64| others.iter().map(of).sum();
        row(
            &format!("{} others", grouped(others.len() as u64)),
            sum(|other| other.count.into()),
            sum(|other| other.bytes),
        )?;
    }
    Ok(())
}

fn functions(out: &mut String, inspection: &Inspection) -> Result {
    let functions = &inspection.functions;
    let count = functions.list.len() as u64;
    match functions.source {
        FunctionSource::DebugInformation => writeln!(out, "\nfunctions   {}", grouped(count))?,
        FunctionSource::EntryPoints => writeln!(
            out,
            "\nfunctions   {} with a known start; without debug information, the others count with the \
             function before them",
            grouped(count)
        )?,
    }
    writeln!(out, "  {:>10}{:>8}{:>14}", "bytes", "%", "instructions")?;
    let all = inspection.code.length;
    let mut row = |bytes: u64, instructions: u64, name: &str| {
        writeln!(
            out,
            "  {:>10}{:>8.1}{:>14}  {name}",
            grouped(bytes),
            percentage(bytes, all),
            grouped(instructions)
        )
    };
    let (shown, others) = split(&functions.list);
    for function in shown {
        let title = title(function, functions.source);
        row(function.bytes, function.instructions.into(), &title)?;
    }
    if !others.is_empty() {
        let sum = |of: fn(&Function) -> u64| others.iter().map(of).sum();
        row(
            sum(|other| other.bytes),
            sum(|other| other.instructions.into()),
            &format!("{} others", grouped(others.len() as u64)),
        )?;
    }
    Ok(())
}

fn title(function: &Function, source: FunctionSource) -> String {
    let mut title = match (&function.name, &function.export, source) {
        (Some(name), None, _) => shown(name),
        (Some(name), Some(export), _) => {
            format!("{}, exported as `{}`", shown(name), shown(export))
        }
        (None, Some(export), _) => format!("exported as `{}`", shown(export)),
        (None, None, FunctionSource::DebugInformation) => "unnamed".to_owned(),
        (None, None, FunctionSource::EntryPoints) => format!("at {:#x}", function.program_counter),
    };
    if let Some(location) = &function.location {
        let file = shown(&location.file);
        title.push_str(&format!(", {file}:{}", location.line));
    }
    title
}

fn split<T>(rows: &[T]) -> (&[T], &[T]) {
    // "1 others" would take as much space as the row itself.
    if rows.len() <= SHOWN_ROWS + 1 {
        (rows, &[])
    } else {
        rows.split_at(SHOWN_ROWS)
    }
}

fn percentage(part: u64, all: u64) -> f64 {
    if all == 0 {
        return 0.0;
    }
    part as f64 * 100.0 / all as f64
}

/// One of the blob's names: escaped, and cut if it is long.
fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(SHOWN_NAME).collect();
    if text.len() < name.len() {
        text.push('…');
    }
    escape_control(&text)
}
