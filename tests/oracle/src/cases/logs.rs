//! Programs that log, call each other and end.

use super::{Key, Random};

pub const COUNT: usize = 600;

/// The texts whose lines may exceed the limit.
pub const LONG_COUNT: usize = 300;

/// The programs.
pub const PROGRAMS: [Key; 3] = [[0xA; 32], [0xB; 32], [0xC; 32]];

/// What a program does, one after the other.
#[derive(Clone, Debug)]
pub enum Step {
    Log(Vec<u8>),
    LogData(Vec<Vec<u8>>),
    SetReturnData(Vec<u8>),
    /// Calls a program, which does these steps.
    Call(usize, Vec<Step>),
    /// Ends with a status.
    End(u64),
}

/// The steps of the first program.
pub fn case(number: usize) -> Vec<Step> {
    let mut random = Random::new(3, number);
    steps(&mut random, 1)
}

fn steps(random: &mut Random, depth: usize) -> Vec<Step> {
    let mut list = Vec::new();
    for _ in 0..random.below(5) {
        list.push(match random.below(8) {
            0..=2 => Step::Log(text(random, 20)),
            3 => {
                let count = random.below(4);
                Step::LogData((0..count).map(|_| bytes(random, 12)).collect())
            }
            4 => Step::SetReturnData(bytes(random, 20)),
            // Calls are as deep as they may be, and one deeper.
            _ if depth < 6 => {
                // A program that calls itself is allowed, and one that waits is not.
                let program = match random.below(4) {
                    0 => random.below(3),
                    _ => depth % 3,
                };
                Step::Call(program, steps(random, depth + 1))
            }
            _ => Step::Log(text(random, 5)),
        });
    }
    if random.one_in(6) {
        let status = match random.below(5) {
            0 => random.below(30) as u64,
            1 => (random.below(28) as u64) << 32,
            2 => random.next(),
            3 => random.next() >> 32,
            _ => 0,
        };
        list.push(Step::End(status));
    }
    list
}

fn bytes(random: &mut Random, most: usize) -> Vec<u8> {
    let length = random.below(most);
    random.bytes(length)
}

fn text(random: &mut Random, most: usize) -> Vec<u8> {
    let length = random.below(most);
    (0..length).map(|_| b' ' + random.below(95) as u8).collect()
}

/// The lengths of texts that one program logs.
pub fn long_case(number: usize) -> Vec<usize> {
    let mut random = Random::new(4, number);
    let most = random.pick(&[100, 600, 3_000]);
    let mut sum = 0;
    let mut lengths = Vec::new();
    while sum < 10_500 {
        let length = random.below(most);
        sum += length + 13;
        lengths.push(length);
    }
    lengths
}

/// The bytes of steps, as instruction data.
pub fn encode(steps: &[Step]) -> Vec<u8> {
    fn block(bytes: &[u8], into: &mut Vec<u8>) {
        into.extend((bytes.len() as u32).to_le_bytes());
        into.extend(bytes);
    }
    let mut bytes = Vec::new();
    for step in steps {
        match step {
            Step::Log(text) => {
                bytes.push(0);
                block(text, &mut bytes);
            }
            Step::LogData(slices) => {
                bytes.extend([1, slices.len() as u8]);
                slices.iter().for_each(|slice| block(slice, &mut bytes));
            }
            Step::SetReturnData(data) => {
                bytes.push(2);
                block(data, &mut bytes);
            }
            Step::Call(program, steps) => {
                bytes.extend([3, *program as u8]);
                block(&encode(steps), &mut bytes);
            }
            Step::End(status) => {
                bytes.push(4);
                bytes.extend(status.to_le_bytes());
            }
        }
    }
    bytes
}

/// The steps of instruction data that [`encode`] has made.
pub fn decode(mut bytes: &[u8]) -> Vec<Step> {
    fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(length);
        *bytes = rest;
        taken
    }
    fn block<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
        let length: [u8; 4] = take(bytes, 4).try_into().expect("four bytes");
        take(bytes, u32::from_le_bytes(length) as usize)
    }
    let mut steps = Vec::new();
    while !bytes.is_empty() {
        steps.push(match take(&mut bytes, 1)[0] {
            0 => Step::Log(block(&mut bytes).to_vec()),
            1 => {
                let count = take(&mut bytes, 1)[0];
                Step::LogData((0..count).map(|_| block(&mut bytes).to_vec()).collect())
            }
            2 => Step::SetReturnData(block(&mut bytes).to_vec()),
            3 => {
                let program = take(&mut bytes, 1)[0];
                Step::Call(program.into(), decode(block(&mut bytes)))
            }
            _ => {
                let status = take(&mut bytes, 8).try_into().expect("eight bytes");
                Step::End(u64::from_le_bytes(status))
            }
        });
    }
    steps
}
