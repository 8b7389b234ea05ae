//! The standard collections as clients of an allocator: one workload, which runs on the host and in
//! a guest and must have the same result.
//!
//! It uses only `alloc`, so that a guest can include this file. Its result depends on the contents
//! of the collections, and not on memory. So every correct allocator gives the same result,
//! independently of its addresses.

extern crate alloc;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use alloc::format;
use alloc::rc::{Rc, Weak};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt::Write;

/// Runs all parts this many times, and returns their results as text. One round takes less than 32
/// KiB of a heap that reuses only its most recent block, and each further round about as much.
pub fn work(rounds: u32) -> String {
    let mut report = String::new();
    for round in 0..rounds {
        let mut random = Random(u64::from(round) + 1);
        for (name, part) in PARTS {
            let result = part(&mut random);
            writeln!(report, "{round} {name}: {result}").expect("writing to a string");
        }
    }
    report
}

/// Uses some collections, and returns a text that depends on their contents.
type Part = fn(&mut Random) -> String;

const PARTS: [(&str, Part); 7] = [
    ("vectors", vectors),
    ("strings", strings),
    ("deque", deque),
    ("tree", tree),
    ("counted", counted),
    ("aligned", aligned),
    ("boxes", boxes),
];

/// The generator of Knuth's MMIX, whose high bits are the random ones.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(bound)) as u32
    }
}

/// A checksum of the bytes, which depends on their order.
fn checksum(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes.into_iter().fold(2_166_136_261, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(16_777_619)
    })
}

/// Two vectors that grow in turns, so that neither is always the most recent block; a vector that
/// shrinks; zeroed vectors.
fn vectors(random: &mut Random) -> String {
    let mut bytes: Vec<u8> = Vec::new();
    let mut words: Vec<u64> = Vec::with_capacity(3);
    for _ in 0..40 {
        bytes.push(random.below(256) as u8);
        words.extend([u64::from(random.below(1000)); 2]);
    }
    bytes.truncate(21);
    bytes.shrink_to_fit();
    words.retain(|word| word % 3 != 0);
    words.sort_unstable();
    words.dedup();
    words.shrink_to(5);

    let mut zeroed = vec![0_u8; 300];
    let clean = zeroed.iter().all(|byte| *byte == 0);
    zeroed[17] = 1;
    drop(zeroed);
    let again = vec![0_u32; 75];
    let clean = clean && again.iter().all(|word| *word == 0);

    let words = checksum(words.iter().flat_map(|word| word.to_le_bytes()));
    format!("{bytes:?} {words:08x} {clean}")
}

fn strings(random: &mut Random) -> String {
    let mut text = String::new();
    let mut lines: Vec<String> = Vec::new();
    for number in 0..24 {
        text.push(char::from(b'a' + random.below(26) as u8));
        text.insert(text.floor_char_boundary(text.len() / 2), 'é');
        if number % 5 == 4 {
            lines.push(format!("{number:>4}|{text:<20}|{:#x}", random.below(9999)));
            text.remove(0);
            text.replace_range(text.floor_char_boundary(9).., "-");
        }
    }
    lines.sort_by_key(|line| core::cmp::Reverse(line.to_owned()));
    lines.join("/").to_uppercase()
}

fn deque(random: &mut Random) -> String {
    let mut queue: VecDeque<(u16, String)> = VecDeque::new();
    let mut taken = Vec::new();
    for number in 0..60 {
        if random.below(3) > 0 {
            queue.push_back((number, number.to_string()));
        } else {
            queue.push_front((number, "x".repeat(usize::from(number % 9))));
        }
        if random.below(2) == 0 {
            taken.extend(queue.pop_front());
        }
    }
    queue.make_contiguous();
    queue.rotate_left(queue.len() / 2);
    queue.shrink_to_fit();
    let all = taken.iter().chain(&queue);
    let sum = checksum(
        all.flat_map(|(number, text)| number.to_le_bytes().into_iter().chain(text.bytes())),
    );
    format!("{} {} {sum:08x}", taken.len(), queue.len())
}

/// Nodes of two lengths that split and merge. They are freed in another order than allocated.
fn tree(random: &mut Random) -> String {
    let mut map: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for _ in 0..70 {
        let key = random.below(50);
        map.entry(key).or_default().push(key as u8);
        if random.below(4) == 0 {
            map.pop_first();
        }
        if random.below(4) == 0 {
            map.remove(&random.below(50));
        }
    }
    let high = map.split_off(&25);
    let keys: BTreeSet<u32> = map.keys().chain(high.keys()).copied().collect();
    let heap: BinaryHeap<u32> = keys.iter().map(|key| key * 7 % 50).collect();
    map.extend(high);
    let lengths: usize = map.values().map(Vec::len).sum();
    format!("{keys:?} {lengths} {:?}", heap.into_sorted_vec())
}

/// A parent that owns its children, and children with a weak reference to their parent.
struct Node {
    name: String,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
}

fn counted(random: &mut Random) -> String {
    let node = |name: String| {
        Rc::new(Node {
            name,
            parent: RefCell::default(),
            children: RefCell::default(),
        })
    };
    let root = node("root".to_owned());
    for number in 0..10 {
        let child = node(format!("{number}-{}", random.below(100)));
        *child.parent.borrow_mut() = Rc::downgrade(&root);
        root.children.borrow_mut().push(child);
    }
    let kept = Rc::clone(&root.children.borrow()[3]);
    let (strong, weak) = (Rc::strong_count(&root), Rc::weak_count(&root));
    let named = kept
        .parent
        .borrow()
        .upgrade()
        .map(|parent| parent.name.clone());
    drop(root);
    let orphan = kept.parent.borrow().upgrade().is_none();
    let shared: Rc<[u16]> = (0..20).collect();
    let text: Rc<str> = kept.name.as_str().into();
    format!("{strong} {weak} {named:?} {orphan} {text} {}", shared.len())
}

/// A type with more than the alignment of a word.
#[repr(align(64))]
struct Line([u8; 64]);

#[repr(align(16))]
struct Wide(u128);

fn aligned(random: &mut Random) -> String {
    let mut lines = Vec::new();
    let mut sum = 0;
    for _ in 0..6 {
        let wide = Box::new(Wide(u128::from(random.below(1 << 30)) << 40));
        lines.push(Line([random.below(256) as u8; 64]));
        sum ^= wide.0;
        let misaligned = core::ptr::from_ref(&*wide).addr() % 16;
        sum += misaligned as u128;
    }
    let misaligned = lines.as_ptr().addr() % 64;
    let bytes = checksum(lines.iter().flat_map(|line| line.0));
    format!("{misaligned} {bytes:08x} {sum:x}")
}

/// Blocks of many sizes, freed in another order while new ones are allocated.
fn boxes(random: &mut Random) -> String {
    let mut live: Vec<Box<[u8]>> = Vec::new();
    let mut sum = 0_u32;
    for number in 0..60 {
        let length = [1, 15, 16, 17, 32, 33, 64, 65, 128, 129, 200][random.below(11) as usize];
        live.push(vec![number; length].into_boxed_slice());
        if live.len() > 8 {
            let gone = live.swap_remove(random.below(8) as usize);
            sum = sum.rotate_left(5) ^ checksum(gone.iter().copied());
        }
    }
    let rest: usize = live.iter().map(|bytes| bytes.len()).sum();
    format!("{sum:08x} {rest}")
}
