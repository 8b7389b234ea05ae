//! Texts.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use entrypoint::msg;

/// Letters of one to four bytes.
const LETTERS: [char; 8] = ['a', 'ß', '漢', '🦀', ' ', '\n', '\u{1b}', 'Z'];

/// A text with this number of letters, which `order` selects.
pub fn letters(count: u64, order: u64) -> String {
    let step = order % 7 + 1;
    (0..count)
        .map(|index| LETTERS[((index * step + order % 8) % 8) as usize])
        .collect()
}

pub fn log(count: u64, order: u64) {
    entrypoint::log(&letters(count % 1_024, order));
}

pub fn log_formatted(a: u64, b: u64, c: u64) {
    msg!("no arguments");
    msg!("{a} {b:#x} {c:>24}|{a:<24}|{b:^24}|{c:024}|{:+}", a as i64);
    msg!("{:?} {:?}", letters(a % 20, b), Some((a, [b, c])));
    msg!("{:#?} {:e}", (a as u8, b as i16), c);
    // Longer than the buffer for a formatted line.
    msg!("{}{a}", letters(b % 400, c).as_str());
}

pub fn take_apart(count: u64, order: u64) {
    let text = letters(count % 200, order);
    let reversed: String = text.chars().rev().collect();
    let different: BTreeSet<char> = text.chars().collect();
    msg!("{} {different:?}", reversed.to_uppercase().len());
    let words: Vec<&str> = text.split_whitespace().collect();
    msg!(
        "{} {:?}",
        words.len(),
        words.iter().max_by_key(|word| word.len())
    );
    msg!("{:?} {:?}", text.find('漢'), text.rfind("🦀 "));
    let bytes: Vec<u8> = text.bytes().rev().collect();
    match String::from_utf8(bytes) {
        Ok(text) => msg!("{}", text.len()),
        Err(error) => msg!("{error}"),
    }
    let parsed: Result<i32, _> = text.trim().parse();
    msg!("{parsed:?} {:?}", alloc::format!("{order}").parse::<u32>());
}
