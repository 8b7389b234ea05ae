//! The rules by which the loader accepts a module.

use abi::entry::ENTRYPOINT_EXPORT;
use abi::wasm::{ALLOC_EXPORT, HEAP_EXPORT, IMPORT_MODULE};
use wasmi::{ExternType, FuncType, ValType};

use super::globals::PREFIX;
use super::module::{Module, invalid};
use crate::display::{display_name, list};
use crate::error::LoadError;
use crate::own_syscall::Parameter;
use crate::syscall_set::{Syscall, SyscallSet};

/// Rejects a module that does not export the functions that the loader calls to run a program.
pub(super) fn check_program<U: 'static>(module: &Module<U>) -> Result<(), LoadError> {
    use ValType::{I32, I64};
    let compiled = module.compiled();
    if compiled.get_export(ENTRYPOINT_EXPORT).is_none() {
        let names = compiled
            .exports()
            .filter(|export| !export.name().starts_with(PREFIX))
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
    syscalls: &SyscallSet,
    embedders: impl Fn(&str) -> Option<FuncType>,
) -> Result<Vec<Syscall>, LoadError> {
    let mut imports: Vec<Syscall> = Vec::new();
    for needed in module.compiled().imports() {
        let symbol = needed.name();
        let import = syscalls.find(symbol.as_bytes());
        let type_ = match &import {
            Ok(syscall) => Some(type_of(syscall)),
            Err(_) => embedders(symbol),
        };
        let Some(type_) = type_.filter(|_| needed.module() == IMPORT_MODULE) else {
            return Err(import.err().unwrap_or_else(|| LoadError::UnknownImport {
                symbol: display_name(symbol.as_bytes()),
            }));
        };
        if !matches!(needed.ty(), ExternType::Func(found) if *found == type_) {
            let (symbol, wanted) = (display_name(symbol.as_bytes()), signature(&type_));
            return Err(invalid(format!(
                "the import `{symbol}` is not a function of the type {wanted}"
            )));
        }
        if let Ok(syscall) = import
            && imports.iter().all(|known| known.symbol() != symbol)
        {
            imports.push(syscall);
        }
    }
    Ok(imports)
}

/// The type of a syscall: pointers and 32-bit numbers are i32, other numbers i64.
pub(crate) fn type_of(syscall: &Syscall) -> FuncType {
    let parameters = syscall.parameters().into_iter();
    let parameters = parameters.map(|parameter| match parameter {
        Parameter::U64 => ValType::I64,
        Parameter::Pointer | Parameter::U32 => ValType::I32,
    });
    FuncType::new(parameters, syscall.has_result().then_some(ValType::I64))
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
