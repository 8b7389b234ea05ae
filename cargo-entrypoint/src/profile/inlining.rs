//! Inlined functions, from the ELF file that a blob is made of.
//!
//! Of a function that is inlined, PolkaVM's linker keeps only the last part of the name, and a blob
//! of another build may lack the function. The ELF file names all functions, but does not contain
//! the position of an instruction in the blob. So this module looks up an instruction by its
//! functions and source lines, with the columns. If several places match, it shows what they have
//! in common, with all possible lines: the stack may be shorter than it was, but is never wrong.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;

use addr2line::gimli::{self, EndianSlice, LittleEndian};
use anyhow::{Context as _, Result};
use loader::display::function_name;
use loader::profile::{Frame as BlobFrame, FrameKind};
use loader::{Pubkey, SourceLocation};
use object::{Object, ObjectSection, SectionKind};

use super::costs::Frame;
use program_build::guest;
use program_build::package::ProgramPackage;

/// Length of the shortest instruction in bytes.
const STEP: usize = 2;

/// The most possible lines that are shown for one place.
const MOST_LINES: usize = 4;

/// The inlined functions of each function at each source line.
#[derive(Debug, Default)]
pub struct Inlining {
    at: HashMap<(String, SourceLocation), Vec<Chain>>,
    /// The path of each compiled function by the last part of it; `None` if several end so.
    paths: HashMap<String, Option<String>>,
    /// The id of the program, and the programs that it calls.
    program_id: Option<Pubkey>,
    called: HashMap<Pubkey, Self>,
    /// The functions of stacks that were completed: many stacks share them.
    known: RefCell<HashMap<Chain, Chain>>,
}

/// The functions that an instruction is in, from the one that was compiled inwards.
type Chain = Vec<Frame>;

type Dwarf<'a> = addr2line::Context<EndianSlice<'a, LittleEndian>>;

impl Inlining {
    /// The inlined functions in the last build of a package with its default features; none if they
    /// cannot be read.
    #[must_use]
    pub fn of(package: &ProgramPackage) -> Self {
        fs::read(guest::elf_path(package, &[]))
            .ok()
            .and_then(|elf| Self::read(&elf).ok())
            .unwrap_or_default()
    }

    /// The inlined functions, from the debug information of an ELF file.
    ///
    /// # Errors
    ///
    /// If the bytes are not an ELF file, or the debug information cannot be read.
    pub fn read(elf: &[u8]) -> Result<Self> {
        let file = object::File::parse(elf).context("not an ELF file")?;
        let load = |id: gimli::SectionId| -> Result<EndianSlice<'_, LittleEndian>, gimli::Error> {
            let section = file.section_by_name(id.name());
            let data = section.and_then(|section| section.data().ok());
            Ok(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
        };
        let dwarf = gimli::Dwarf::load(load)?;
        let dwarf = Dwarf::from_dwarf(dwarf)?;
        let mut at: HashMap<_, Vec<Chain>> = HashMap::new();
        let mut paths = HashMap::new();
        let mut names = HashMap::new();
        for section in file.sections() {
            if section.kind() != SectionKind::Text {
                continue;
            }
            let end = section.address().saturating_add(section.size());
            for address in (section.address()..end).step_by(STEP) {
                let Some(chain) = chain(&dwarf, address, &mut names) else {
                    continue;
                };
                let path = &chain[0].function;
                let known = paths
                    .entry(identifier(path).to_owned())
                    .or_insert_with(|| Some(path.clone()));
                if known.as_ref() != Some(path) {
                    *known = None;
                }
                let Some(key) = chain_key(&chain) else {
                    continue;
                };
                let known = at.entry(key).or_default();
                if !known.contains(&chain) {
                    known.push(chain);
                }
            }
        }
        Ok(Self {
            at,
            paths,
            ..Self::default()
        })
    }

    /// Sets the id of the program, by which it may call itself.
    #[must_use]
    pub fn program(mut self, program_id: Pubkey) -> Self {
        self.program_id = Some(program_id);
        self
    }

    /// Adds the inlined functions of a program that this one calls.
    #[must_use]
    pub fn called(mut self, program_id: Pubkey, inlining: Self) -> Self {
        self.called.insert(program_id, inlining);
        self
    }

    /// A stack with all that is known to be inlined in it, in called programs too.
    #[must_use]
    pub fn complete(&self, stack: &[&BlobFrame]) -> Vec<Frame> {
        let mut completed = Vec::with_capacity(stack.len());
        let mut current = Some(self);
        // Each program's part ends with the call of the next one.
        for part in stack.chunk_by(|frame, _| frame.kind != FrameKind::Called) {
            match current {
                Some(inlining) => completed.extend(inlining.complete_own(part)),
                None => completed.extend(part.iter().map(|frame| own(frame))),
            }
            current = part.last().and_then(|frame| {
                let program_id = frame.program_id?;
                let is_itself = self.program_id == Some(program_id);
                is_itself.then_some(self).or(self.called.get(&program_id))
            });
        }
        completed
    }

    /// The part of a stack that is one program's.
    fn complete_own(&self, stack: &[&BlobFrame]) -> Vec<Frame> {
        let is_inlined = |frame: &&BlobFrame| frame.kind == FrameKind::Inlined;
        stack
            .chunk_by(|_, next| is_inlined(next))
            .flat_map(|function| {
                let function: Chain = function.iter().map(|frame| own(frame)).collect();
                if let Some(known) = self.known.borrow().get(&function) {
                    return known.clone();
                }
                let completed = self.completed(&function);
                let completed = completed.unwrap_or_else(|| self.renamed(function.clone()));
                let mut known = self.known.borrow_mut();
                known.insert(function, completed.clone());
                completed
            })
            .collect()
    }

    /// The same frames, with the one name of each function that the file has.
    fn renamed(&self, mut function: Chain) -> Chain {
        let outermost = function.first().map(|frame| identifier(&frame.function));
        let of_function = self
            .at
            .iter()
            .filter(|((name, _), _)| Some(&**name) == outermost);
        let chains = of_function.flat_map(|(_, chains)| chains);
        let chains: Vec<&Chain> = chains
            .filter(|chain| is_possible(chain, &function) && has_calls(chain, &function))
            .collect();
        for (index, frame) in function.iter_mut().enumerate() {
            let mut names = chains.iter().map(|chain| &chain[index].function);
            if let Some(name) = names.next()
                && names.all(|other| other == name)
            {
                frame.function.clone_from(name);
            }
        }
        if let Some(outermost) = function.first_mut()
            && outermost.kind == FrameKind::Function
            && let Some(Some(path)) = self.paths.get(identifier(&outermost.function))
        {
            outermost.function.clone_from(path);
        }
        function
    }

    /// The frames of a function, more than these.
    fn completed(&self, function: &[Frame]) -> Option<Chain> {
        let candidates = self.at.get(&chain_key(function)?)?.iter();
        let candidates = candidates.filter(|chain| is_possible(chain, function));
        let mut candidates: Vec<&Chain> = candidates.collect();
        if candidates.iter().any(|chain| has_calls(chain, function)) {
            candidates.retain(|chain| has_calls(chain, function));
        }
        let (first, others) = candidates.split_first()?;
        let common = others.iter().fold(Chain::clone(first), |common, chain| {
            in_common(&common, chain)
        });
        (common.len() >= function.len()).then_some(common)
    }
}

/// Whether a chain has the frames that the linker has kept of a function, which are right.
fn is_possible(chain: &[Frame], function: &[Frame]) -> bool {
    chain.len() >= function.len()
        && chain
            .iter()
            .zip(function)
            .all(|(left, right)| identifier(&left.function) == identifier(&right.function))
}

/// Whether a chain has the calls that lead from each of a function's frames to the next one.
fn has_calls(chain: &[Frame], function: &[Frame]) -> bool {
    let calls = function.split_last().map_or(&[][..], |(_, calls)| calls);
    let mut places = chain.iter().zip(calls);
    places.all(|(left, right)| {
        right.location.is_none() || place(&left.location) == place(&right.location)
    })
}

fn own(frame: &BlobFrame) -> Frame {
    Frame {
        function: frame.function.clone(),
        kind: frame.kind,
        location: frame.location.clone(),
        or_lines: Vec::new(),
    }
}

/// The common start and the common end of two chains.
fn in_common(left: &[Frame], right: &[Frame]) -> Chain {
    let shortest = left.len().min(right.len());
    let is_same = |(left, right): &(&Frame, &Frame)| left.function == right.function;
    let start = left.iter().zip(right).take_while(is_same).count();
    let end = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .take(shortest - start)
        .take_while(is_same)
        .count();
    let pairs = left.iter().zip(right).take(start);
    let inner = left[left.len() - end..]
        .iter()
        .zip(&right[right.len() - end..]);
    pairs
        .chain(inner)
        .map(|(left, right)| either(left, right))
        .collect()
}

/// One of two frames of the same function. A place in several files or on very many lines is left
/// out.
fn either(left: &Frame, right: &Frame) -> Frame {
    let mut frame = Frame {
        location: None,
        or_lines: Vec::new(),
        ..left.clone()
    };
    let (Some(first), Some(second)) = (&left.location, &right.location) else {
        return frame;
    };
    let mut lines = [&[first.line, second.line], &*left.or_lines, &right.or_lines].concat();
    lines.sort_unstable();
    lines.dedup();
    if first.file == second.file && lines.len() <= MOST_LINES {
        let is_same = first == second;
        frame.location = Some(SourceLocation {
            line: lines.remove(0),
            column: first.column.filter(|_| is_same),
            ..first.clone()
        });
        frame.or_lines = lines;
    }
    frame
}

/// A place, in the one spelling of its file.
fn place(location: &Option<SourceLocation>) -> Option<(&str, u32, Option<u32>)> {
    let location = location.as_ref()?;
    let file = location.file.trim_start_matches("./");
    Some((file, location.line, location.column))
}

/// The name of the outermost function and the place in the innermost.
fn chain_key(chain: &[Frame]) -> Option<(String, SourceLocation)> {
    let outermost = identifier(&chain.first()?.function).to_owned();
    let mut location = chain.last()?.location.clone()?;
    location.file = location.file.trim_start_matches("./").to_owned();
    Some((outermost, location))
}

/// The functions at an address. `names` has the name of each symbol that was read: the same few are
/// at many addresses.
fn chain(dwarf: &Dwarf<'_>, address: u64, names: &mut HashMap<String, String>) -> Option<Chain> {
    let mut frames = dwarf.find_frames(address).skip_all_loads().ok()?;
    let mut chain = Vec::new();
    while let Ok(Some(frame)) = frames.next() {
        let name = frame.function?;
        let name = name.raw_name().ok()?;
        let location = frame.location.and_then(|location| {
            Some(SourceLocation {
                file: location.file?.to_owned(),
                line: location.line?,
                // 0 is for none.
                column: location.column.filter(|column| *column > 0),
            })
        });
        chain.push(Frame {
            function: match names.get(&*name) {
                Some(known) => known.clone(),
                None => {
                    let function = function_name(&name);
                    names.insert(name.into_owned(), function.clone());
                    function
                }
            },
            kind: FrameKind::Inlined,
            location,
            or_lines: Vec::new(),
        });
    }
    chain.reverse();
    let outermost = chain.first_mut()?;
    outermost.kind = FrameKind::Function;
    // As the loader does: PolkaVM's function around an export is the export.
    let export = outermost.function.clone();
    if chain.get(1).is_some_and(|frame| frame.function == export) {
        let inner = chain.remove(1);
        chain[0].location = inner.location;
    }
    Some(chain)
}

/// The last part of a function's path, without generic arguments.
fn identifier(path: &str) -> &str {
    let mut end = path.len();
    // `path::name::<A, B>` and `name<A, B>`.
    if path.ends_with('>') {
        let mut depth = 0_usize;
        for (index, character) in path.char_indices().rev() {
            match character {
                // The arrow of a function's type.
                '>' if path[..index].ends_with('-') => {}
                '>' => depth += 1,
                '<' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                end = index;
                break;
            }
        }
    }
    let path = path[..end].trim_end_matches("::");
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifier_is_equal_in_both_notations() {
        for (linker, compiler) in [
            (
                "counter::process_instruction",
                "counter::process_instruction",
            ),
            (
                "entrypoint::text::{impl#1}::write_str<512>",
                "<entrypoint::text::TextBuffer<512> as core::fmt::Write>::write_str",
            ),
            (
                "core::slice::sort::quicksort<&str, fn(&&str, &&str) -> bool>",
                "core::slice::sort::quicksort::<&str, fn(&&str, &&str) -> bool>",
            ),
            ("next::{closure#0}", "<A as B<C>>::next::{closure#0}"),
            ("memcpy", "memcpy"),
        ] {
            assert_eq!(identifier(linker), identifier(compiler));
            assert!(!identifier(linker).is_empty());
        }
        for rubbish in ["", ">", "<", "a<", "->", "::", "é>", "a::<é>"] {
            let _ = identifier(rubbish);
        }
        assert_eq!(identifier("a::b::<é>"), "b");
    }

    fn frame(function: &str, line: u32) -> Frame {
        Frame {
            function: function.to_owned(),
            kind: FrameKind::Inlined,
            location: Some(SourceLocation {
                file: "file".to_owned(),
                line,
                column: None,
            }),
            or_lines: Vec::new(),
        }
    }

    #[test]
    fn ambiguous_lines_show_the_common_frames() {
        let chain = |names: &[&str]| -> Chain { names.iter().map(|name| frame(name, 1)).collect() };
        let known = vec![
            chain(&["f", "a", "x", "z"]),
            chain(&["f", "a", "y", "z"]),
            chain(&["f", "b"]),
        ];
        let key = chain_key(&known[0]).expect("a place");
        let inlining = Inlining {
            at: HashMap::from([(key, known)]),
            paths: HashMap::from([("f".to_owned(), Some("path::f".to_owned()))]),
            ..Inlining::default()
        };
        let names = |chain: Option<Chain>| -> Option<Vec<String>> {
            Some(chain?.into_iter().map(|frame| frame.function).collect())
        };
        let completed = |chain: &[Frame]| names(inlining.completed(chain));
        assert_eq!(completed(&chain(&["f"])), Some(vec!["f".to_owned()]));
        let certain = ["f", "a", "z"].map(str::to_owned).to_vec();
        assert_eq!(completed(&chain(&["f", "a"])), Some(certain));
        let only = ["f", "b"].map(str::to_owned).to_vec();
        assert_eq!(completed(&chain(&["f", "b"])), Some(only));
        assert_eq!(completed(&chain(&["f", "c"])), None);
        assert_eq!(completed(&[frame("f", 2)]), None);
        // Never less than the linker has kept.
        assert_eq!(completed(&chain(&["f", "a", "q"])), None);
        assert_eq!(
            completed(&chain(&["f", "a", "y"])).map(|chain| chain.len()),
            Some(4)
        );
    }

    #[test]
    fn chains_share_start_and_end() {
        let left = ["a", "b", "c", "z"].map(|name| frame(name, 1));
        let right = ["a", "b", "x", "y", "z"].map(|name| frame(name, 1));
        let names = |chain: &[Frame]| -> String {
            chain.iter().map(|frame| frame.function.as_str()).collect()
        };
        assert_eq!(names(&in_common(&left, &right)), "abz");
        assert_eq!(names(&in_common(&left, &left[..2])), "ab");
        assert_eq!(names(&in_common(&left[..1], &left)), "a");
        assert_eq!(in_common(&left, &left), left);
        let elsewhere = [frame("a", 2), frame("b", 1)];
        let common = in_common(&left, &elsewhere);
        assert_eq!(names(&common), "ab");
        let line = |frame: &Frame| frame.location.as_ref().map(|location| location.line);
        assert_eq!(
            (line(&common[0]), &*common[0].or_lines),
            (Some(1), &[2][..])
        );
        let third = in_common(&common, &[frame("a", 7), frame("b", 1)]);
        assert_eq!(
            (line(&third[0]), &*third[0].or_lines),
            (Some(1), &[2, 7][..])
        );
        assert_eq!((line(&third[1]), third[1].or_lines.len()), (Some(1), 0));
        let many = (10..20).fold(third, |common, line| {
            in_common(&common, &[frame("a", line), frame("b", 1)])
        });
        assert_eq!((line(&many[0]), many[0].or_lines.len()), (None, 0));
        let mut other_file = frame("a", 1);
        other_file.location.as_mut().expect("a place").file = "other".to_owned();
        assert_eq!(line(&in_common(&left, &[other_file])[0]), None);
        assert_eq!(common[1].location, left[1].location);
    }
}
