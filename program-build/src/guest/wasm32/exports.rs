//! The exports of a module, as the macros of `entrypoint` declare them.
//!
//! In the compiler's world, an exported function has the name of its symbol. Other functions are
//! symbols too: a handler named `log` would be called for each logarithm, or would not be exported
//! at all. So the macros give each handler a symbol of its own, and declare the name of its export
//! in a custom section. After the build, this module gives the exports their names, and checks that
//! each of them is there.

use std::collections::{HashMap, HashSet};

use abi::error_names;
use anyhow::{Context, Result, bail};
use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload};

use super::super::DebugInfo;

/// The custom section with the declarations: lines with a symbol and the name of its export.
pub(super) const SECTION: &str = "entrypoint_exports";

/// Returns the module with its declared exports, and without the declarations. A stripped module
/// has no names of errors either.
///
/// # Errors
///
/// If a declared export is missing, or if two exports have the same name.
pub(super) fn publish(module: &[u8], debug_info: DebugInfo) -> Result<Vec<u8>> {
    // The linker strips names and debug information, and keeps the sections of the program's own.
    let left_out: &[&str] = match debug_info {
        DebugInfo::Keep => &[SECTION],
        DebugInfo::Strip => &[SECTION, error_names::SECTION],
    };
    let declared = declarations(module)?;
    let mut missing: HashSet<&str> = declared.keys().copied().collect();
    let mut names = HashSet::new();
    let mut published = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("the linker wrote an invalid module")?;
        match &payload {
            Payload::CustomSection(section) if left_out.contains(&section.name()) => continue,
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                for export in section.clone() {
                    let export = export?;
                    missing.remove(export.name);
                    let name = declared.get(export.name).unwrap_or(&export.name);
                    if !names.insert(*name) {
                        bail!(
                            "two exports are named `{name}`: give the handler of this name another one"
                        );
                    }
                    exports.export(name, kind(export.kind), export.index);
                }
                published.section(&exports);
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            let data = &module[range];
            published.section(&RawSection { id, data });
        }
    }
    if !missing.is_empty() {
        let mut missing: Vec<_> = missing.iter().map(|symbol| declared[symbol]).collect();
        missing.sort_unstable();
        bail!(
            "the module has no export `{}`, which a macro of `entrypoint` declared: the linker \
             dropped it; two versions of `entrypoint`, or a function with the same \
             `#[no_mangle]` name, may be the cause",
            missing.join("`, `")
        );
    }
    Ok(published.finish())
}

/// Returns the declared exports, by their symbols.
fn declarations(module: &[u8]) -> Result<HashMap<&str, &str>> {
    let mut declared = HashMap::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.context("the linker wrote no module")? else {
            continue;
        };
        if section.name() != SECTION {
            continue;
        }
        let lines = std::str::from_utf8(section.data())?.lines();
        for line in lines {
            let (symbol, name) = line
                .split_once(' ')
                .with_context(|| format!("`{line}` does not declare an export"))?;
            declared.insert(symbol, name);
        }
    }
    Ok(declared)
}

fn kind(kind: ExternalKind) -> ExportKind {
    match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => ExportKind::Tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with a memory and one function, exported under these names, and declarations.
    fn module(exports: &[&str], declarations: &[&str]) -> Vec<u8> {
        use wasm_encoder::{
            CodeSection, CustomSection, Function, FunctionSection, Instruction, TypeSection,
        };
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut functions = FunctionSection::new();
        functions.function(0);
        module.section(&functions);
        let mut section = ExportSection::new();
        for name in exports {
            section.export(name, ExportKind::Func, 0);
        }
        module.section(&section);
        let mut code = CodeSection::new();
        let mut function = Function::new([]);
        function.instruction(&Instruction::End);
        code.function(&function);
        module.section(&code);
        for declaration in declarations {
            module.section(&CustomSection {
                name: SECTION.into(),
                data: declaration.as_bytes().into(),
            });
        }
        module.section(&CustomSection {
            name: "name".into(),
            data: b"\0".as_slice().into(),
        });
        module.finish()
    }

    #[test]
    fn declared_exports_get_their_names() {
        let declarations = [
            "handler_log log\nhandler_exp exp\n",
            "entrypoint entrypoint\n",
        ];
        let built = module(
            &["handler_log", "entrypoint", "own", "handler_exp"],
            &declarations,
        );
        let published = publish(&built, DebugInfo::Keep).expect("all are there");
        assert_eq!(published, module(&["log", "entrypoint", "own", "exp"], &[]));
        // What has no declarations stays as it is.
        assert_eq!(
            publish(&published, DebugInfo::Keep).expect("nothing to do"),
            published
        );
    }

    #[test]
    fn missing_and_doubled_exports_are_errors() {
        let message = |exports: &[&str]| {
            let built = module(exports, &["handler_log log\nhandler_exp exp\n"]);
            publish(&built, DebugInfo::Keep)
                .expect_err("a wrong module")
                .to_string()
        };
        let missing = message(&["handler_exp", "log"]);
        assert!(
            missing.starts_with("the module has no export `log`, "),
            "{missing}"
        );
        let missing = message(&[]);
        assert!(
            missing.starts_with("the module has no export `exp`, `log`, "),
            "{missing}"
        );
        let doubled = message(&["handler_exp", "handler_log", "log"]);
        assert!(
            doubled.starts_with("two exports are named `log`: "),
            "{doubled}"
        );
    }
}
