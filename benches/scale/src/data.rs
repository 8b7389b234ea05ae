//! An invocation by the length of one account's data.

use anyhow::Result;
use ledger::{Account, AccountMeta, Instruction, Ledger, Pubkey};

use crate::{Blobs, Effort, PROGRAM_ID, Row, data_of, invocation, loaders, time};

/// The lengths in bytes: up to the longest data of an account.
const LENGTHS: [usize; 13] = [
    0,
    8,
    256,
    1 << 10,
    4 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    2 << 20,
    4 << 20,
    7 << 20,
    10 << 20,
];

/// Time in the loader, on each engine, and through a ledger; of a program that changes nothing, and
/// of one that changes 8 bytes. And the time of one copy of the data.
pub fn measure(effort: Effort, blobs: &Blobs) -> Result<Vec<Row>> {
    let lengths: &[usize] = match effort {
        Effort::Full => &LENGTHS,
        Effort::Quick => &[8, 1 << 20],
    };
    let invocations: Vec<_> = lengths
        .iter()
        .map(|length| invocation(1, *length))
        .collect();
    let mut subjects: Vec<Box<dyn FnMut()>> = Vec::new();
    let mut places = Vec::new();
    for (blob, what) in [
        (&blobs.no_op, "unchanged"),
        (&blobs.counter, "8 bytes change"),
    ] {
        // The counter needs 8 bytes.
        let shortest = if what == "unchanged" { 0 } else { 8 };
        for loader in loaders() {
            let program = loader.load(blob)?;
            for (length, invocation) in lengths.iter().zip(&invocations) {
                if *length < shortest {
                    continue;
                }
                let program = program.clone();
                places.push((format!("µs {} {what}", loader.engine()), *length));
                subjects.push(Box::new(move || {
                    let outcome = program.invoke(std::hint::black_box(invocation));
                    assert!(outcome.is_ok_and(|outcome| outcome.is_success()));
                }));
            }
        }
        for length in lengths.iter().filter(|length| **length >= shortest) {
            let mut ledger = Ledger::new();
            ledger.deploy(PROGRAM_ID, blob)?;
            let key = Pubkey::new([9; 32]);
            ledger.set_account(Account {
                key,
                owner: PROGRAM_ID,
                kelvins: 1_000_000_000_000,
                data: data_of(*length).into(),
                ..Account::default()
            })?;
            let call = Instruction::new(PROGRAM_ID).account(AccountMeta::writable(key));
            places.push((format!("µs ledger {what}"), *length));
            subjects.push(Box::new(move || {
                assert!(ledger.send([call.clone()]).is_success());
            }));
        }
    }
    for length in lengths {
        let data = data_of(*length);
        places.push(("µs one copy".to_owned(), *length));
        subjects.push(Box::new(move || {
            std::hint::black_box(std::hint::black_box(&data).clone());
        }));
    }
    let times = time::fastest(effort, &mut subjects);
    let rows = places.into_iter().zip(times);
    let rows = rows.map(|((series, x), time)| Row::new(series, x as u64, time));
    Ok(rows.collect())
}
