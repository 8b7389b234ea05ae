//! How much work a module makes before the program pays for any: compiling and instantiating it.
//!
//! The engine compiles most code in a time that its length bounds. Some code of a few bytes takes
//! longer: a block with a thousand parameters, a branch out of it, or a function with thousands of
//! locals. So the loader counts what the engine copies for it as bytes of code.

use wasmparser::{BlockType, FunctionBody, Operator, Parser, Payload, TypeRef};

use super::module::invalid;
use crate::display::thousands;
use crate::error::LoadError;
use crate::limits::Limits;

/// Bytes of code that a function counts as, besides its own: what the engine keeps of each.
const FUNCTION: u64 = 32;

/// The most of each of these in a module. The engine makes them anew for each instance, and a
/// program pays no gas for that. A compiler makes few of them, for a program of any length.
const MOST: [(&str, u32); 4] = [
    ("globals", 1_000),
    ("tables", 100),
    ("segments of tables", 1_000),
    ("segments of data", 1_000),
];

/// Rejects a module that makes too much work.
pub(super) fn check(module: &[u8], limits: &Limits) -> Result<(), LoadError> {
    let weight = Weight::of(module).map_err(invalid)?;
    for ((what, limit), count) in MOST.into_iter().zip(weight.counts) {
        if count > limit {
            return Err(invalid(format!(
                "it has {} {what}; the limit is {}",
                thousands(count),
                thousands(limit)
            )));
        }
    }
    if weight.code > limits.code.into() {
        return Err(LoadError::MemoryTooLarge {
            what: "code",
            size: weight.code,
            limit: limits.code,
        });
    }
    Ok(())
}

/// What is in a module.
#[derive(Default)]
struct Weight {
    /// Bytes of code, and all that counts as such.
    code: u64,
    /// The number of each row of [`MOST`].
    counts: [u32; 4],
    /// The number of parameters and results of each type of function.
    types: Vec<u64>,
    /// The type of each function, imported ones first.
    functions: Vec<u32>,
}

impl Weight {
    fn of(module: &[u8]) -> wasmparser::Result<Self> {
        let mut weight = Self::default();
        let mut defined = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    for type_ in types.into_iter_err_on_gc_types() {
                        let type_ = type_?;
                        let values = type_.params().len() + type_.results().len();
                        weight.types.push(values as u64);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports {
                        if let TypeRef::Func(type_) = import?.ty {
                            weight.functions.push(type_);
                            weight.code += FUNCTION;
                        }
                    }
                    defined = weight.functions.len();
                }
                Payload::FunctionSection(functions) => {
                    for type_ in functions {
                        weight.functions.push(type_?);
                    }
                }
                Payload::GlobalSection(globals) => weight.counts[0] += globals.count(),
                Payload::TableSection(tables) => weight.counts[1] += tables.count(),
                Payload::ElementSection(elements) => weight.counts[2] += elements.count(),
                Payload::DataSection(data) => weight.counts[3] += data.count(),
                Payload::CodeSectionEntry(body) => {
                    weight.function(defined, &body)?;
                    defined += 1;
                }
                _ => {}
            }
        }
        Ok(weight)
    }

    /// Counts a function, by its number.
    fn function(&mut self, number: usize, body: &FunctionBody<'_>) -> wasmparser::Result<()> {
        self.code += FUNCTION + body.range().len() as u64;
        for local in body.get_locals_reader()? {
            let (count, _) = local?;
            self.code += u64::from(count);
        }
        // The most values that a branch may carry: those of the function, or of a block so far.
        let mut widest = self.values_of_function(number);
        for operator in body.get_operators_reader()? {
            use Operator as Do;
            self.code += match operator? {
                Do::Block { blockty } | Do::Loop { blockty } | Do::If { blockty } => {
                    let values = self.values_of_block(blockty);
                    widest = widest.max(values);
                    values
                }
                Do::Call { function_index } => self.values_of_function(function_index as usize),
                Do::ReturnCall { function_index } => {
                    self.values_of_function(function_index as usize)
                }
                Do::CallIndirect { type_index, .. } | Do::ReturnCallIndirect { type_index, .. } => {
                    self.values_of_type(type_index)
                }
                Do::Br { .. } | Do::BrIf { .. } | Do::Return => widest,
                Do::BrTable { targets } => widest * (u64::from(targets.len()) + 1),
                _ => 0,
            };
        }
        Ok(())
    }

    /// Returns the number of values of a type, or 0 if there is no such type: the engine then
    /// rejects the module.
    fn values_of_type(&self, index: u32) -> u64 {
        self.types.get(index as usize).copied().unwrap_or(0)
    }

    fn values_of_function(&self, number: usize) -> u64 {
        let type_ = self.functions.get(number);
        type_.map_or(0, |type_| self.values_of_type(*type_))
    }

    fn values_of_block(&self, type_: BlockType) -> u64 {
        match type_ {
            BlockType::Empty => 0,
            BlockType::Type(_) => 1,
            BlockType::FuncType(index) => self.values_of_type(index),
        }
    }
}
