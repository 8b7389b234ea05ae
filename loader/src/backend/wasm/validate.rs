//! The rules by which the loader accepts a module.

use abi::entry::ENTRYPOINT_EXPORT;
use abi::imports::Import;
use abi::wasm::{ALLOC_EXPORT, HEAP_EXPORT, IMPORT_MODULE};
use wasmi::{ExternType, FuncType, ValType};

use super::module::{Module, invalid};
use crate::display::{display_name, list};
use crate::error::LoadError;

/// Rejects a module that does not export the functions that the loader calls to run a program.
pub(super) fn check_program<U: 'static>(module: &Module<U>) -> Result<(), LoadError> {
    use ValType::{I32, I64};
    let compiled = module.compiled();
    if compiled.get_export(ENTRYPOINT_EXPORT).is_none() {
        let names = compiled
            .exports()
            .map(|export| display_name(export.name().as_bytes()));
        return Err(LoadError::MissingEntrypoint {
            exports: list(names),
        });
    }
    check_export(module, ENTRYPOINT_EXPORT, &FuncType::new([I32, I32], [I64]))?;
    if compiled.get_export(HEAP_EXPORT).is_some() {
        check_export(module, HEAP_EXPORT, &FuncType::new([I32, I32], []))?;
    }
    check_alloc(module)
}

/// Rejects a module that does not export `alloc`.
pub(crate) fn check_alloc<U: 'static>(module: &Module<U>) -> Result<(), LoadError> {
    let type_ = FuncType::new([ValType::I32], [ValType::I32]);
    check_export(module, ALLOC_EXPORT, &type_)
}

fn check_export<U: 'static>(
    module: &Module<U>,
    name: &str,
    type_: &FuncType,
) -> Result<(), LoadError> {
    match module.compiled().get_export(name) {
        Some(ExternType::Func(found)) if found == *type_ => Ok(()),
        Some(_) => {
            let wanted = signature(type_);
            Err(invalid(format!(
                "the export `{name}` is not a function of the type {wanted}"
            )))
        }
        None => Err(invalid(format!("no export `{name}`"))),
    }
}

/// The syscalls that a module imports, if each has its type and all other imports are the
/// embedder's. `embedders` returns the type of an import of the embedder's.
pub(crate) fn known_imports<U: 'static>(
    module: &Module<U>,
    embedders: impl Fn(&str) -> Option<FuncType>,
) -> Result<Vec<Import>, LoadError> {
    let mut imports = Vec::new();
    for needed in module.compiled().imports() {
        let symbol = needed.name();
        let import = Import::from_symbol(symbol.as_bytes());
        let type_ = import.map(type_of).or_else(|| embedders(symbol));
        let Some(type_) = type_.filter(|_| needed.module() == IMPORT_MODULE) else {
            return Err(LoadError::UnknownImport {
                symbol: display_name(symbol.as_bytes()),
            });
        };
        if !matches!(needed.ty(), ExternType::Func(found) if *found == type_) {
            let (symbol, wanted) = (display_name(symbol.as_bytes()), signature(&type_));
            return Err(invalid(format!(
                "the import `{symbol}` is not a function of the type {wanted}"
            )));
        }
        if let Some(import) = import
            && !imports.contains(&import)
        {
            imports.push(import);
        }
    }
    Ok(imports)
}

/// The type of a syscall: pointers and 32-bit numbers are i32, other numbers i64.
pub(crate) fn type_of(import: Import) -> FuncType {
    let value = |type_: &str| match type_ {
        "u64" => ValType::I64,
        _ => ValType::I32,
    };
    let parameters = import.parameters().iter().map(|(_, type_)| value(type_));
    let answer = (import.return_type() != "()").then(|| value(import.return_type()));
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
