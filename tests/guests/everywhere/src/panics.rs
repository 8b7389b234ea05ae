//! Panics of the language, such as an index out of bounds.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::hint::black_box;

/// Panics in a way that `how` selects; returns if `with` is a valid operand.
pub fn panic(how: u64, with: u64) {
    let with = black_box(with);
    let place = (with % 4_096) as usize;
    let numbers = black_box([1, 2, 3]);
    let text = black_box("日本");
    let list: Vec<u8> = numbers.to_vec();
    match how % 20 {
        0 => drop(black_box(numbers[place])),
        1 => drop(black_box(&numbers[place..])),
        2 => drop(black_box(&numbers[2..place % 3])),
        3 => drop(black_box(&text[place % 7..])),
        4 => drop(black_box(black_box(None::<u8>).unwrap())),
        5 => drop(black_box(
            Some(with)
                .filter(|with| with % 2 == 0)
                .expect("an even number"),
        )),
        6 => drop(black_box(black_box(Err::<u8, _>(with)).unwrap())),
        7 => drop(black_box(black_box(Ok::<_, u8>(with)).unwrap_err())),
        8 => drop(black_box(numbers[0] / (with % 2) as u8)),
        9 => drop(black_box(
            i64::MIN % (with % 2).cast_signed().wrapping_neg(),
        )),
        10 => drop(black_box(
            with.checked_add(u64::MAX).expect("the sum is too large"),
        )),
        11 => {
            let cell = RefCell::new(with);
            let _first = cell.borrow_mut();
            let _second = cell.borrow();
        }
        12 => black_box(&mut [0_u8; 2]).copy_from_slice(&list[..place % 4]),
        13 => drop(black_box(
            String::from_utf8([0xff, with as u8].to_vec()).unwrap(),
        )),
        14 => drop(black_box(Vec::<u64>::with_capacity(usize::MAX))),
        15 => drop(black_box(list.repeat(usize::MAX))),
        16 => drop(black_box(BTreeMap::from([(with, 1)])[&7])),
        17 => drop(black_box(VecDeque::from(list)[place])),
        18 => {
            let mut list = list;
            list.insert(place, 1);
            list.remove(place);
            list.swap_remove(place);
        }
        _ => drop(black_box(u32::from_str_radix("7", with as u32))),
    }
}
