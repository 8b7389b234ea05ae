//! The heap.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BinaryHeap, VecDeque};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;

use entrypoint::msg;

/// More bytes than any heap has, but not too many for a vector on any target.
const TOO_MANY: usize = 1 << 30;

/// Lengths are less than this.
const LONG: u64 = 16_384;

pub fn allocate(length: u64) {
    black_box(Vec::<u8>::with_capacity((length % LONG) as usize)).leak();
}

pub fn out_of_memory() {
    black_box(Vec::<u8>::with_capacity(TOO_MANY)).leak();
}

pub fn try_reserve(little: u64, length: u64) {
    let mut bytes = Vec::<u8>::new();
    let length = (length % LONG) as usize;
    let asked = if little % 2 == 1 {
        length
    } else {
        TOO_MANY - length
    };
    match bytes.try_reserve_exact(asked) {
        Ok(()) => msg!("{} reserved", bytes.capacity()),
        Err(error) => msg!("{error}"),
    }
    if let Err(error) = bytes.try_reserve(usize::MAX) {
        msg!("{error}");
    }
    black_box(bytes);
}

pub fn regrow(times: u64, by: u64) {
    let mut bytes = Vec::<u8>::new();
    let mut numbers = Vec::<u64>::new();
    for time in 0..times % 64 {
        let more = (by % 61) as usize;
        bytes.extend((0..more).map(|index| (index as u64 ^ time) as u8));
        numbers.push(time.wrapping_mul(by));
        match time % 5 {
            3 => bytes.truncate(bytes.len() / 2),
            4 => {
                bytes.shrink_to_fit();
                numbers.reserve_exact(3);
            }
            _ => {}
        }
        bytes = black_box(bytes);
        numbers = black_box(numbers);
    }
    let sum = bytes
        .iter()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(33) ^ u32::from(*byte));
    let total = numbers
        .iter()
        .fold(0_u64, |sum, number| sum.wrapping_add(*number));
    msg!("{} {sum:x} {} {total:x}", bytes.len(), numbers.len());
}

pub fn boxes(count: u64, order: u64) {
    let mut boxes: Vec<Box<[u64; 3]>> = (0..count % 256)
        .map(|number| Box::new(black_box([number, !number, number ^ order])))
        .collect();
    let mut sum = 0_u64;
    while !boxes.is_empty() {
        let place = (order % boxes.len() as u64) as usize;
        let [one, two, three] = *boxes.swap_remove(place);
        sum = sum
            .wrapping_mul(31)
            .wrapping_add(one ^ two.wrapping_add(three));
        if sum.is_multiple_of(7) {
            // Allocate a block of the size of a freed one.
            black_box(Rc::new([sum; 5]));
        }
    }
    msg!("{sum:x}");
}

/// The allocator may return zeroed memory of the target without writing to it. This logs whether
/// that memory is zero.
pub fn zeroed(length: u64) {
    let mut bytes = black_box(vec![0_u8; (length % LONG) as usize]);
    let dirty = bytes.iter().filter(|byte| **byte != 0).count();
    bytes.fill(0xa5);
    msg!("{dirty} of {} bytes are not 0", black_box(bytes).len());
}

pub fn collections(count: u64, seed: u64) {
    let mut state = seed;
    let mut words = Vec::new();
    for _ in 0..count % 256 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        words.push(format!("w{}", state >> 59));
    }
    let mut counts = BTreeMap::<&str, u32>::new();
    let mut line = VecDeque::new();
    let mut heap = BinaryHeap::new();
    for word in &words {
        *counts.entry(word).or_default() += 1;
        line.push_front(word.len());
        if line.len() > 5 {
            line.pop_back();
        }
        heap.push(word.as_str());
    }
    msg!("{counts:?}");
    counts.retain(|_, count| *count % 2 == 1);
    msg!(
        "{} {line:?} {:?}",
        counts.len(),
        heap.into_sorted_vec().first()
    );
    words.sort();
    words.dedup();
    let joined: String = words.join(",");
    msg!(
        "{} {}",
        joined.len(),
        joined.chars().take(60).collect::<String>()
    );
}
