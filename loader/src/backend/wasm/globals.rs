//! Exports for a module's own globals, by which the loader can set them back.

use std::ops::Range;

use wasmparser::{ExportSectionReader, Parser, Payload, TypeRef};

/// What the names of the added exports begin with.
pub(super) const PREFIX: &str = "loader: global ";

/// The kind of an export that is a global.
const GLOBAL: u8 = 3;

/// The number of the section with the exports.
const EXPORTS: u8 = 7;

/// A module with an export for each global that its functions can change.
pub(super) struct Exported {
    pub module: Vec<u8>,
    /// The names of these exports.
    pub names: Vec<String>,
}

/// Adds the exports. `None` if the module has none of its own, imports what is not a function, or
/// has a name that begins as the added ones: such a module keeps its form.
pub(super) fn export(module: &[u8]) -> Option<Exported> {
    let mut globals = Vec::new();
    // The end of the section before.
    let mut end = 8;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.ok()?;
        match &payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone() {
                    if !matches!(import.ok()?.ty, TypeRef::Func(_)) {
                        return None;
                    }
                }
            }
            Payload::GlobalSection(section) => {
                for (index, global) in (0_u32..).zip(section.clone()) {
                    if global.ok()?.ty.mutable {
                        globals.push(index);
                    }
                }
            }
            Payload::ExportSection(exports) => return add(module, end, exports, &globals),
            _ => {}
        }
        if let Some((_, range)) = payload.as_section() {
            end = range.end;
        }
    }
    None
}

/// Adds exports to the section of them, which begins at `start`.
fn add(
    module: &[u8],
    start: usize,
    exports: &ExportSectionReader<'_>,
    globals: &[u32],
) -> Option<Exported> {
    let section: Range<usize> = exports.range();
    let mut first = section.end;
    for export in exports.clone().into_iter_with_offsets() {
        let (offset, export) = export.ok()?;
        first = first.min(offset);
        if export.name.starts_with(PREFIX) {
            return None;
        }
    }
    let mut names = Vec::with_capacity(globals.len());
    let mut content = Vec::with_capacity(section.len() + 32 * globals.len());
    let added = u32::try_from(globals.len()).ok()?;
    write_number(&mut content, exports.count().checked_add(added)?);
    content.extend(module.get(first..section.end)?);
    for index in globals {
        let name = format!("{PREFIX}{index}");
        write_number(&mut content, name.len().try_into().ok()?);
        content.extend(name.as_bytes());
        content.push(GLOBAL);
        write_number(&mut content, *index);
        names.push(name);
    }
    let mut whole = module.get(..start)?.to_vec();
    whole.push(EXPORTS);
    write_number(&mut whole, content.len().try_into().ok()?);
    whole.extend(content);
    whole.extend(module.get(section.end..)?);
    Some(Exported {
        module: whole,
        names,
    })
}

/// Writes a number in LEB128.
fn write_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_bytes_as_they_need() {
        for (number, expected) in [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[128, 1]),
            (624_485, &[0xe5, 0x8e, 0x26]),
            (u32::MAX, &[255, 255, 255, 255, 15]),
        ] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            assert_eq!(bytes, expected, "{number}");
        }
    }
}
