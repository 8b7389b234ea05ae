//! A Fenwick tree, and sorting.

use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::vec;
use alloc::vec::Vec;

use crate::Random;

/// Sums of prefixes, and the position of a sum.
struct Fenwick(Vec<i64>);

impl Fenwick {
    fn add(&mut self, position: usize, value: i64) {
        let mut node = position + 1;
        while node < self.0.len() {
            self.0[node] = self.0[node].wrapping_add(value);
            node += node & node.wrapping_neg();
        }
    }

    fn sum(&self, end: usize) -> i64 {
        let (mut node, mut sum) = (end, 0_i64);
        while node > 0 {
            sum = sum.wrapping_add(self.0[node]);
            node &= node - 1;
        }
        sum
    }

    /// The first position at which the sum of the values up to it reaches `target`.
    fn position(&self, target: i64) -> usize {
        let (mut node, mut rest) = (0, target);
        let mut step = self.0.len().next_power_of_two();
        while step > 0 {
            if let Some(value) = self.0.get(node + step)
                && *value < rest
            {
                node += step;
                rest -= value;
            }
            step /= 2;
        }
        node
    }
}

/// Sums and positions in a tree that changes.
pub fn fenwick(seed: u64, result: &mut dyn FnMut(u64)) {
    const LENGTH: usize = 100;
    let mut random = Random::new(seed);
    let mut tree = Fenwick(vec![0; LENGTH + 1]);
    for _ in 0..150 {
        let position = random.next() as usize % LENGTH;
        tree.add(position, (random.next() % 1_000) as i64);
        result(tree.sum(random.next() as usize % (LENGTH + 1)) as u64);
        let target = random.next() as i64 % (tree.sum(LENGTH) + 1);
        result(tree.position(target) as u64);
    }
}

/// The numbers of several kinds of order.
pub fn sorting(seed: u64, result: &mut dyn FnMut(u64)) {
    let mut random = Random::new(seed);
    for length in [0, 1, 2, 3, 20, 33, 150] {
        let numbers: Vec<u64> = (0..length).map(|_| random.any_length()).collect();
        let mut stable = numbers.clone();
        stable.sort_by_key(|number| number % 10);
        let mut unstable = numbers.clone();
        unstable.sort_unstable();
        let mut floats: Vec<f64> = numbers.iter().map(|number| *number as f64 - 1e6).collect();
        floats.sort_by(f64::total_cmp);
        let mut tree: BTreeMap<u64, u64> = BTreeMap::new();
        for number in &numbers {
            *tree.entry(number % 17).or_default() ^= number;
        }
        let heap: BinaryHeap<i32> = numbers.iter().map(|number| *number as i32).collect();
        stable.into_iter().chain(unstable).for_each(&mut *result);
        floats.iter().for_each(|float| result(float.to_bits()));
        tree.iter().for_each(|(key, value)| result(key ^ value));
        heap.into_sorted_vec()
            .iter()
            .for_each(|number| result(*number as u64));
        result(numbers.partition_point(|number| *number < 500) as u64);
    }
}
