//! `rlo_log_data`.

use abi::imports::Import;
use loader::Access;

use crate::syscalls::guest::{Number, Script};

#[test]
fn an_event_is_a_line_of_base64() {
    let done = Script::new(Import::LogData)
        .slices(&[b"hello", b"", b"\xff\xfe"])
        .run();
    assert_eq!(done.logs, ["Program data: aGVsbG8=  //4="]);
    let done = Script::new(Import::LogData).slices(&[]).run();
    assert_eq!(done.logs, ["Program data: "]);
}

/// The limit of the tests is 65,536 bytes.
#[test]
fn an_event_counts_against_the_limit_of_logs() {
    let longest = vec![0; (65_536 - 15) / 4 * 3];
    let done = Script::new(Import::LogData).slices(&[&longest]).run();
    assert_eq!(done.logs[0].len(), 14 + longest.len() / 3 * 4);
    let failure = Script::new(Import::LogData)
        .slices(&[&longest, &[1]])
        .fail();
    assert_eq!(failure.kind(), "LogsTooLong");
}

#[test]
fn wild_addresses_are_rejected() {
    let script = Script::new(Import::LogData).slices(&[b"hello"]);
    script.reject_wild(&[(0, 16, Access::Read)]);
    for count in [1 << 32, u64::MAX] {
        let failure = script.clone().with(1, Number(count)).fail();
        assert!(
            matches!(failure.kind(), "InvalidPointer" | "OutOfGas"),
            "{failure}"
        );
    }
}
