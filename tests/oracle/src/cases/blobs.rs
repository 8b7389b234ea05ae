//! Blobs, most of them broken.

use super::Random;

pub const COUNT: usize = 2_000;

/// A blob of two instructions, which exports `entrypoint` and returns 0.
const SMALLEST: &[u8] =
    b"PVM\0\0\x25\0\0\0\0\0\0\0\x05\x0d\x01\0\x0aentrypoint\x06\x06\0\0\x04\x07\x03\0\0";

/// A changed blob: the smallest one, or `program`.
pub fn case(number: usize, program: &[u8]) -> Vec<u8> {
    let mut random = Random::new(8, number);
    let mut blob = match random.below(3) {
        0 => SMALLEST.to_vec(),
        _ => program.to_vec(),
    };
    if number < 2 {
        return [SMALLEST, program][number].to_vec();
    }
    for _ in 0..1 + random.below(2) {
        let end = match random.below(3) {
            0 => blob.len(),
            _ => blob.len().min(64),
        };
        let place = random.below(end);
        match random.below(8) {
            0..=3 => blob[place] = random.next() as u8,
            4 => blob[place] ^= 1 << random.below(8),
            5 => blob.truncate(place + 1),
            6 => blob.insert(place, random.next() as u8),
            // The version of the instruction set.
            _ => blob[4] = random.below(5) as u8,
        }
    }
    if random.one_in(2) {
        // The length in the header is right again.
        let length = blob.len() as u64;
        if let Some(field) = blob.get_mut(5..13) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }
    blob
}
