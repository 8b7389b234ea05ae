//! Blobs, most of them broken.

use super::Random;

pub const COUNT: usize = 2_000;

/// A blob that is valid with another instruction set, and not with this one.
const SMALLEST: &[u8] =
    b"PVM\0\0\x25\0\0\0\0\0\0\0\x05\x0d\x01\0\x0aentrypoint\x06\x06\0\0\x04\x07\x03\0\0";

/// Changes the name of the exported entry.
fn rename_entry(blob: &mut [u8]) {
    let name = b"entrypoint";
    if let Some(place) = blob.windows(name.len()).position(|window| window == name) {
        blob[place] = b'E';
    }
}

/// Sets the length of the stack in the first section, if it is that of the memory: its tag is 1.
fn set_stack(random: &mut Random, blob: &mut Vec<u8>) {
    const SECTION: usize = 13;
    // Lengths of up to 127 bytes have one byte.
    let [Some(1), Some(length @ ..0x80)] = [SECTION, SECTION + 1].map(|at| blob.get(at).copied())
    else {
        return;
    };
    let start = SECTION + 2;
    // The lengths of read-only and read-write data come first: each has as many further bytes as
    // its first byte begins with ones.
    let mut at = start;
    for _ in 0..2 {
        let Some(first) = blob.get(at) else {
            return;
        };
        at += 1 + first.leading_ones() as usize;
    }
    let end = start + usize::from(length);
    if at > end || end > blob.len() {
        return;
    }
    let stack: u32 = match random.below(4) {
        0 => 0x40000,
        1 => 0x40001,
        2 => random.next() as u32 >> 5,
        _ => 0x40000 + random.below(0x2000) as u32 - 0x1000,
    };
    let [low, middle, high, _] = stack.to_le_bytes();
    let written = match stack {
        0..0x80 => vec![low],
        0x80..0x4000 => vec![0x80 | middle, low],
        0x4000..0x20_0000 => vec![0xc0 | high, low, middle],
        _ => vec![0xe0 | (stack >> 24) as u8, low, middle, high],
    };
    blob[SECTION + 1] = (at + written.len() - start) as u8;
    blob.splice(at..end, written);
    let length = (blob.len() as u64).to_le_bytes();
    blob[5..13].copy_from_slice(&length);
}

/// A changed blob: `program`, or a short one.
pub fn case(number: usize, program: &[u8]) -> Vec<u8> {
    let mut random = Random::new(8, number);
    let mut blob = match random.below(10) {
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
        match random.below(12) {
            8 => rename_entry(&mut blob),
            9..=11 => set_stack(&mut random, &mut blob),
            0..=3 => blob[place] = random.next() as u8,
            4 => blob[place] ^= 1 << random.below(8),
            5 => blob.truncate(place + 1),
            6 => blob.insert(place, random.next() as u8),
            // The version of the instruction set.
            _ => {
                let version = random.below(5) as u8;
                if let Some(byte) = blob.get_mut(4) {
                    *byte = version;
                }
            }
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
