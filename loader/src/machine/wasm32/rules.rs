//! What a module must be for the loader to take it as a program.

use abi::entry::ENTRYPOINT_EXPORT;
use abi::imports::Import;
use abi::wasm::{ALLOC_EXPORT, HEAP_EXPORT, IMPORT_MODULE};
use wasmi::{ExternType, FuncType, ValType};

use super::module::{Module, invalid};
use crate::error::LoadError;
use crate::shown::{list, shown};

/// Refuses a module that does not export what the loader calls.
pub(super) fn check_exports<U: 'static>(module: &Module<U>) -> Result<(), LoadError> {
    use ValType::{I32, I64};
    let module = module.compiled();
    let entry = FuncType::new([I32, I32], [I64]);
    let alloc = FuncType::new([I32], [I32]);
    let heap = FuncType::new([I32, I32], []);
    if module.get_export(ENTRYPOINT_EXPORT).is_none() {
        return Err(LoadError::MissingEntrypoint {
            exports: list(
                module
                    .exports()
                    .map(|export| shown(export.name().as_bytes())),
            ),
        });
    }
    for (name, type_, is_needed) in [
        (ENTRYPOINT_EXPORT, entry, true),
        (ALLOC_EXPORT, alloc, true),
        (HEAP_EXPORT, heap, false),
    ] {
        match module.get_export(name) {
            Some(ExternType::Func(found)) if found == type_ => {}
            None if !is_needed => {}
            None => return Err(invalid(format!("it does not export `{name}`"))),
            Some(_) => {
                let wanted = signature(&type_);
                return Err(invalid(format!(
                    "its export `{name}` is no function of the type {wanted}"
                )));
            }
        }
    }
    Ok(())
}

/// The imports of a module, if the loader offers them all.
pub(super) fn known_imports<U: 'static>(module: &Module<U>) -> Result<Vec<Import>, LoadError> {
    let mut imports = Vec::new();
    for needed in module.compiled().imports() {
        let symbol = needed.name();
        let known = Import::from_symbol(symbol.as_bytes())
            .filter(|_| needed.module() == IMPORT_MODULE)
            .ok_or_else(|| LoadError::UnknownImport {
                symbol: shown(symbol.as_bytes()),
            })?;
        let type_ = type_of(known);
        if !matches!(needed.ty(), ExternType::Func(found) if *found == type_) {
            let wanted = signature(&type_);
            return Err(invalid(format!(
                "it imports `{symbol}`, which is a function of the type {wanted}"
            )));
        }
        if !imports.contains(&known) {
            imports.push(known);
        }
    }
    Ok(imports)
}

/// The type of an import: a pointer, and a number of 32 bits, is an i32, any other number an i64.
pub(super) fn type_of(import: Import) -> FuncType {
    let value = |type_: &str| match type_ {
        "u64" => ValType::I64,
        _ => ValType::I32,
    };
    let parameters = import.parameters().iter().map(|(_, type_)| value(type_));
    let answer = (import.answer() != "()").then(|| value(import.answer()));
    FuncType::new(parameters, answer)
}

fn signature(type_: &FuncType) -> String {
    let list = |values: &[ValType]| {
        let names: Vec<String> = values
            .iter()
            .map(|value| format!("{value:?}").to_lowercase())
            .collect();
        format!("({})", names.join(", "))
    };
    format!("{} -> {}", list(type_.params()), list(type_.results()))
}
