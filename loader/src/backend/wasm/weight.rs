//! How much work a module makes before the program pays for any: compiling and instantiating it.
//!
//! The engine compiles most code in a time that its length bounds. Some code of a few bytes takes
//! longer: a function with thousands of locals, or a call with hundreds of arguments. So the loader
//! counts what the engine copies for it as bytes of code. The loader switches off the extensions of
//! WebAssembly that make blocks with parameters and long constant expressions, which the engine
//! compiles in quadratic time, or with recursion on the host's stack.

use wasmparser::{ElementItems, FunctionBody, Operator, Parser, Payload, TypeRef};

use super::memory::MAX_TABLE_ELEMENTS;
use super::module::invalid;
use crate::display::thousands;
use crate::error::LoadError;
use crate::limits::Limits;

/// Bytes of code that a function counts as, besides its own: what the engine keeps of each.
const FUNCTION: u64 = 32;

/// What a module may have a limited number of, whatever its length.
#[derive(Clone, Copy)]
enum Item {
    Type,
    Global,
    Table,
    TableElement,
    TableSegment,
    TableSegmentElement,
    DataSegment,
    /// Of one function. The engine clears them in each call, for the gas of one instruction.
    Local,
}

/// The name and the most of each [`Item`], in its order. The engine makes most of them anew for
/// each instance, and a program pays no gas for that. A compiler makes few of them, for a program
/// of any length.
const MOST: [(&str, u64); 8] = [
    ("types of functions", 10_000),
    ("globals", 1_000),
    ("tables", 100),
    ("elements in tables", MAX_TABLE_ELEMENTS as u64),
    ("segments of tables", 1_000),
    ("elements in segments of tables", MAX_TABLE_ELEMENTS as u64),
    ("segments of data", 1_000),
    ("locals in a function", 4_000),
];

/// Rejects a module that makes too much work. Returns whether an instance of it can be set back: no
/// instruction changes a table, or drops a segment.
pub(super) fn check(module: &[u8], limits: &Limits) -> Result<bool, LoadError> {
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
    Ok(!weight.has_lasting_changes)
}

/// What is in a module.
#[derive(Default)]
struct Weight {
    /// Bytes of code, and all that counts as such.
    code: u64,
    /// The number of each row of [`MOST`].
    counts: [u64; MOST.len()],
    /// The number of parameters and results of each type of function.
    types: Vec<u64>,
    /// The type of each function, imported ones first.
    functions: Vec<u32>,
    /// Whether an instruction changes what the loader cannot set back.
    has_lasting_changes: bool,
}

impl Weight {
    fn of(module: &[u8]) -> wasmparser::Result<Self> {
        let mut weight = Self::default();
        let mut defined = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    weight.add(Item::Type, types.count());
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
                Payload::GlobalSection(globals) => weight.add(Item::Global, globals.count()),
                Payload::TableSection(tables) => {
                    weight.add(Item::Table, tables.count());
                    for table in tables {
                        weight.add(Item::TableElement, table?.ty.initial);
                    }
                }
                Payload::ElementSection(segments) => {
                    weight.add(Item::TableSegment, segments.count());
                    for segment in segments {
                        let elements = match segment?.items {
                            ElementItems::Functions(elements) => elements.count(),
                            ElementItems::Expressions(_, elements) => elements.count(),
                        };
                        weight.add(Item::TableSegmentElement, elements);
                    }
                }
                Payload::DataSection(data) => weight.add(Item::DataSegment, data.count()),
                Payload::CodeSectionEntry(body) => {
                    weight.function(defined, &body)?;
                    defined += 1;
                }
                _ => {}
            }
        }
        Ok(weight)
    }

    /// Counts items. The module may claim any number of them.
    fn add(&mut self, item: Item, number: impl Into<u64>) {
        let count = &mut self.counts[item as usize];
        *count = count.saturating_add(number.into());
    }

    /// Counts a function, by its number.
    fn function(&mut self, number: usize, body: &FunctionBody<'_>) -> wasmparser::Result<()> {
        let mut locals = 0_u64;
        for local in body.get_locals_reader()? {
            let (count, _) = local?;
            locals += u64::from(count);
        }
        let most = &mut self.counts[Item::Local as usize];
        *most = locals.max(*most);
        self.code += FUNCTION + body.range().len() as u64 + locals;
        self.code += self.values_of_function(number);
        for operator in body.get_operators_reader()? {
            use Operator as Do;
            self.code += match operator? {
                Do::Call { function_index } | Do::ReturnCall { function_index } => {
                    self.values_of_function(function_index as usize)
                }
                Do::CallIndirect { type_index, .. } | Do::ReturnCallIndirect { type_index, .. } => {
                    self.values_of_type(type_index)
                }
                Do::TableSet { .. }
                | Do::TableGrow { .. }
                | Do::TableFill { .. }
                | Do::TableCopy { .. }
                | Do::TableInit { .. }
                | Do::ElemDrop { .. }
                | Do::DataDrop { .. } => {
                    self.has_lasting_changes = true;
                    0
                }
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
}
