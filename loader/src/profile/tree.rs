//! The gas of a profile, by stack, while it is put together.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Frame, GasProfile};

/// Values, each once, by number.
pub(super) struct Numbered<T> {
    all: Vec<T>,
    number_of: HashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            number_of: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// The number of a value.
    pub fn number(&mut self, value: T) -> u32 {
        if let Some(known) = self.number_of.get(&value) {
            return *known;
        }
        let number = self.all.len() as u32;
        self.all.push(value.clone());
        self.number_of.insert(value, number);
        number
    }

    /// The value with a number.
    pub fn get(&self, number: u32) -> &T {
        &self.all[number as usize]
    }

    /// All values by their numbers.
    pub fn into_all(self) -> Vec<T> {
        self.all
    }
}

/// Frames inside of a node.
type Path = (u32, Vec<u32>);

/// Stacks and their gas. A frame is a number, which the caller gives.
pub(super) struct Tree {
    /// The first is the root.
    nodes: Numbered<Path>,
    costs: Numbered<Path>,
    gas: Vec<u64>,
}

impl Tree {
    /// The node of the entry, which no frames lead to.
    pub const ROOT: u32 = 0;

    pub fn new() -> Self {
        let mut nodes = Numbered::default();
        nodes.number((Self::ROOT, Vec::new()));
        Self {
            nodes,
            costs: Numbered::default(),
            gas: Vec::new(),
        }
    }

    /// The number of the node to which these frames lead from another node.
    pub fn node(&mut self, parent: u32, frames: Vec<u32>) -> u32 {
        if frames.is_empty() {
            return parent;
        }
        self.nodes.number((parent, frames))
    }

    /// Adds gas that was used in these frames.
    pub fn add(&mut self, node: u32, frames: Vec<u32>, gas: u64) {
        let number = self.costs.number((node, frames)) as usize;
        if number == self.gas.len() {
            self.gas.push(0);
        }
        self.gas[number] += gas;
    }

    /// Adds all stacks of another profile below a node. `number` returns the number of a frame.
    pub fn graft(&mut self, at: u32, other: &GasProfile, mut number: impl FnMut(&Frame) -> u32) {
        let frames: Vec<u32> = other.frames.iter().map(&mut number).collect();
        let renumbered = |path: &[u32]| path.iter().map(|frame| frames[*frame as usize]).collect();
        let mut numbers = vec![at];
        for (parent, path) in &other.nodes[1..] {
            let parent = numbers[*parent as usize];
            numbers.push(self.node(parent, renumbered(path)));
        }
        for ((node, path), gas) in &other.costs {
            self.add(numbers[*node as usize], renumbered(path), *gas);
        }
    }

    /// The number of different stacks.
    pub fn len(&self) -> usize {
        self.gas.len()
    }

    pub fn finish(self, frames: Vec<Frame>, has_debug_info: bool) -> GasProfile {
        GasProfile {
            frames,
            nodes: self.nodes.into_all(),
            costs: self.costs.into_all().into_iter().zip(self.gas).collect(),
            has_debug_info,
        }
    }
}

/// The profiles of several calls, added up.
pub(super) struct Sum {
    frames: Numbered<Frame>,
    tree: Tree,
}

impl Sum {
    pub fn new() -> Self {
        Self {
            frames: Numbered::default(),
            tree: Tree::new(),
        }
    }

    /// Adds a profile. Returns how many stacks are new.
    pub fn add(&mut self, profile: &GasProfile) -> usize {
        let before = self.tree.len();
        let frames = &mut self.frames;
        self.tree
            .graft(Tree::ROOT, profile, |frame| frames.number(frame.clone()));
        self.tree.len() - before
    }

    pub fn finish(self) -> GasProfile {
        self.tree.finish(self.frames.into_all(), false)
    }
}
