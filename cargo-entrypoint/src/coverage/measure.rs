//! The lines and branches of a program's own files, with how often they ran.
//!
//! # Lines
//!
//! An instruction counts for its own line, and for each line around it that calls inlined code. A
//! line ran as often as its most frequent instruction. If a function was compiled several times,
//! as an instance of a generic function or inlined at several places, its copies add up.
//!
//! # Branches
//!
//! A conditional branch of the blob belongs to the innermost place of the program's own source that
//! it is in. Branches of one place are one decision: those that lead to the same place again, as in
//! a comparison of keys word by word, are its inside. What is left are the ways to other places of
//! the same function, or out of it. A way that comes to no place of the program's own, such as a
//! panic, is not counted.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use loader::coverage::Then;

use super::code::{Frame, Place, Placed};
use crate::profile::sources::Sources;

/// How many instructions are looked at to find the place that a branch leads to.
const MOST_STEPS: usize = 256;

/// What was counted of one source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCoverage {
    /// Its name in the debug information.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub text: Vec<String>,
    /// The lines that have code, with how often each ran.
    pub lines: BTreeMap<u32, u64>,
    /// The decisions, by line and column.
    pub decisions: BTreeMap<(u32, u32), Decision>,
}

/// The ways that a decision can go, with how often it did.
pub type Decision = BTreeMap<Way, u64>;

/// A way that a decision can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// To this line and column of the same function.
    To(u32, u32),
    /// Out of the function: it returns.
    Leaves,
}

/// A number of things, of which some ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// All of them.
    pub all: usize,
    /// Those that ran.
    pub reached: usize,
}

impl Share {
    /// How many of 100 ran. Of nothing, all did.
    #[must_use]
    pub fn percent(self) -> f64 {
        match self.all {
            0 => 100.0,
            all => self.reached as f64 * 100.0 / all as f64,
        }
    }

    fn of(counts: impl Iterator<Item = u64>) -> Self {
        counts.fold(Self::default(), |share, count| Self {
            all: share.all + 1,
            reached: share.reached + usize::from(count > 0),
        })
    }
}

impl std::iter::Sum for Share {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::default(), |sum, share| Self {
            all: sum.all + share.all,
            reached: sum.reached + share.reached,
        })
    }
}

impl FileCoverage {
    /// The lines that have code.
    #[must_use]
    pub fn line_share(&self) -> Share {
        Share::of(self.lines.values().copied())
    }

    /// The branches of all decisions.
    #[must_use]
    pub fn branch_share(&self) -> Share {
        Share::of(self.decisions.values().flat_map(BTreeMap::values).copied())
    }

    /// The unreached lines, as ranges with both ends. Lines without code do not interrupt a range.
    #[must_use]
    pub fn unreached(&self) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut is_open = false;
        for (line, count) in &self.lines {
            match ranges.last_mut() {
                Some((_, end)) if is_open && *count == 0 => *end = *line,
                _ if *count == 0 => ranges.push((*line, *line)),
                _ => {}
            }
            is_open = *count == 0;
        }
        ranges
    }

    /// The decisions that ran, and never went one of their ways.
    #[must_use]
    pub fn partial(&self) -> BTreeMap<(u32, u32), &Decision> {
        let decisions = self.decisions.iter();
        decisions
            .filter(|(_, ways)| {
                let taken = ways.values().filter(|count| **count > 0).count();
                taken > 0 && taken < ways.len()
            })
            .map(|(place, ways)| (*place, ways))
            .collect()
    }
}

/// The counts of one copy of a line.
#[derive(Default)]
struct Copy {
    /// The most frequent instruction of the line itself.
    own: u64,
    /// The most frequent instruction of inlined code.
    inlined: u64,
}

/// The copies of a line, by the calls that lead to them and the function that they are in.
type Copies<'a> = HashMap<(&'a [Frame], &'a str), Copy>;

/// What was counted of the program's own files, by their names.
#[must_use]
pub fn measure(placed: &BTreeMap<u32, Placed>, sources: &mut Sources) -> Vec<FileCoverage> {
    let mut own = OwnFiles {
        sources,
        known: HashMap::new(),
    };
    let mut files: BTreeMap<String, FileCoverage> = BTreeMap::new();
    for (place, count) in lines(placed, &mut own) {
        if let Some(file) = own.coverage(&mut files, &place.0) {
            file.lines.insert(place.1, count);
        }
    }
    for (place, decision) in decisions(placed, &mut own) {
        if let Some(file) = own.coverage(&mut files, &place.file) {
            file.decisions.insert((place.line, place.column), decision);
        }
    }
    files.into_values().collect()
}

/// Which files are the program's own.
struct OwnFiles<'a> {
    sources: &'a mut Sources,
    known: HashMap<String, bool>,
}

impl OwnFiles<'_> {
    fn contains(&mut self, file: &str) -> bool {
        if let Some(known) = self.known.get(file) {
            return *known;
        }
        let is_own = self.sources.is_own(file);
        self.known.insert(file.to_owned(), is_own);
        is_own
    }

    /// The innermost own function of an instruction, and the place in it. None if the line of the
    /// instruction is unknown.
    fn innermost<'a>(&mut self, chain: &'a [Frame]) -> Option<(&'a str, &'a Place)> {
        chain.last()?.place.as_ref()?;
        let places = chain.iter().rev();
        let mut places = places.filter_map(|frame| Some((&*frame.symbol, frame.place.as_ref()?)));
        places.find(|(_, place)| self.contains(&place.file))
    }

    fn coverage<'a>(
        &mut self,
        files: &'a mut BTreeMap<String, FileCoverage>,
        name: &str,
    ) -> Option<&'a mut FileCoverage> {
        if !files.contains_key(name) {
            let (path, text) = self.sources.text(name)?;
            let file = FileCoverage {
                name: name.to_owned(),
                path: path.to_owned(),
                text: text.to_vec(),
                lines: BTreeMap::new(),
                decisions: BTreeMap::new(),
            };
            files.insert(name.to_owned(), file);
        }
        files.get_mut(name)
    }
}

/// How often each own line ran.
fn lines(placed: &BTreeMap<u32, Placed>, own: &mut OwnFiles<'_>) -> BTreeMap<(String, u32), u64> {
    let by_address = by_address(placed);
    // A copy of a line is known by the calls that lead to it.
    let mut copies: HashMap<(&str, u32), Copies<'_>> = HashMap::new();
    for (times, chain) in by_address.into_values() {
        let mut seen: Vec<(&str, u32)> = Vec::new();
        for (index, frame) in chain.iter().enumerate() {
            let Some(place) = &frame.place else { continue };
            // The expansion of a macro has functions inside of each other on one line.
            let line = (&*place.file, place.line);
            if seen.contains(&line) || !own.contains(&place.file) {
                continue;
            }
            seen.push(line);
            let copies = copies.entry(line).or_default();
            let copy = copies.entry((&chain[..index], &frame.symbol)).or_default();
            let most = if index + 1 == chain.len() {
                &mut copy.own
            } else {
                &mut copy.inlined
            };
            *most = times.max(*most);
        }
    }
    copies
        .into_iter()
        .map(|((file, line), copies)| {
            let counts = copies.into_values().map(|copy| match copy.own {
                0 => copy.inlined,
                own => own,
            });
            let count = counts.fold(0, u64::saturating_add);
            ((file.to_owned(), line), count)
        })
        .collect()
}

/// How often each instruction of the ELF file ran, with its functions.
///
/// PolkaVM's linker makes several instructions of some, and may put one at several places.
fn by_address(placed: &BTreeMap<u32, Placed>) -> BTreeMap<u64, (u64, &[Frame])> {
    let mut by_address: BTreeMap<u64, (u64, &[Frame])> = BTreeMap::new();
    let placed: Vec<(u64, &Placed)> = placed
        .values()
        .filter_map(|placed| Some((placed.address?, placed)))
        .collect();
    for one in placed.chunk_by(|(left, _), (right, _)| left == right) {
        let (address, first) = one[0];
        let times = one.iter().map(|(_, placed)| placed.times).max();
        let (sum, _) = by_address.entry(address).or_insert((0, &first.chain));
        *sum = sum.saturating_add(times.unwrap_or(0));
    }
    by_address
}

/// The decisions of the program's own code.
fn decisions(placed: &BTreeMap<u32, Placed>, own: &mut OwnFiles<'_>) -> BTreeMap<Place, Decision> {
    let mut decisions: BTreeMap<Place, Decision> = BTreeMap::new();
    for branch in placed.values() {
        let Then::Branch(target) = branch.code.then else {
            continue;
        };
        let Some((function, place)) = own.innermost(&branch.chain) else {
            continue;
        };
        let code = Code {
            placed,
            function,
            place,
            // An instruction with a place has a function.
            compiled: &branch.chain[0].symbol,
        };
        let decision = decisions.entry(place.clone()).or_default();
        let ways = [
            (target, branch.taken),
            (branch.code.next, branch.times - branch.taken),
        ];
        for (offset, times) in ways {
            if let Some(way) = code.way(own, offset) {
                let count = decision.entry(way).or_default();
                *count = count.saturating_add(times);
            }
        }
    }
    // One way only is not a decision.
    decisions.retain(|_, ways| ways.len() > 1);
    decisions
}

/// The code around a decision.
struct Code<'a> {
    placed: &'a BTreeMap<u32, Placed>,
    /// The function of the decision.
    function: &'a str,
    /// The place of the decision.
    place: &'a Place,
    /// The compiled function that the function of the decision is a part of.
    compiled: &'a str,
}

impl Code<'_> {
    /// The way that leads to the code at an offset. `None` if that is another branch of the
    /// decision, or code that comes to no place of the program's own.
    fn way(&self, own: &mut OwnFiles<'_>, mut offset: u32) -> Option<Way> {
        for _ in 0..MOST_STEPS {
            let instruction = self.placed.get(&offset)?;
            let chain = &instruction.chain;
            if let Some(compiled) = chain.first()
                && compiled.symbol != self.compiled
            {
                // A call that never returns has the next function behind it.
                return None;
            }
            if own.innermost(chain).is_some() {
                let mut frames = chain.iter().rev();
                let same = frames.find(|frame| frame.symbol == self.function);
                match same.map(|frame| frame.place.as_ref()) {
                    Some(Some(place)) if place != self.place => {
                        return Some(Way::To(place.line, place.column));
                    }
                    Some(_) if matches!(instruction.code.then, Then::Branch(_)) => return None,
                    Some(_) => {}
                    None => return Some(Way::Leaves),
                }
            }
            offset = match instruction.code.then {
                Then::Next | Then::Branch(_) => instruction.code.next,
                Then::Jump(target) | Then::Call(target) => target,
                Then::Elsewhere => return None,
            };
        }
        None
    }
}
