//! The Rialo runtime's own crate reads our inputs, and we read the inputs that it has changed.

use entrypoint::ProgramError;
use entrypoint::input::read;
use proptest::prelude::*;
use rialo_s_program_entrypoint::deserialize;

use tests::input::{
    Expected, RialoAccount, inputs, read_all_lazily, read_checked, rialo_reads, two_and_a_repeat,
    words,
};

/// The error type of a result; the runtime's crate exports only the result.
trait HasError {
    type Error;
}

impl<E> HasError for Result<(), E> {
    type Error = E;
}

type RialoError = <rialo_s_program_entrypoint::ProgramResult as HasError>::Error;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Runs a program, built on the runtime's crate, on an input.
fn rialo_runs(input: &mut [u64], program: impl FnOnce(&[RialoAccount<'_>])) {
    // The runtime's crate checks no bounds, so the checked reader validates the input first.
    read(bytemuck::cast_slice_mut(input)).expect("a valid input");
    // SAFETY: the words are aligned to 8, and the checked reader has accepted them as an input.
    let (_, accounts, _) = unsafe { deserialize(input.as_mut_ptr().cast()) };
    program(&accounts);
}

/// Checks that our readers find the expected accounts.
fn we_read(input: &mut [u64], expected: &Expected) {
    let checked = read_checked(bytemuck::cast_slice_mut(input)).unwrap();
    checked.check(expected);
    let lazy = read_all_lazily(bytemuck::cast_slice_mut(input));
    assert_eq!(lazy, Ok(checked));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rialo_reads_our_input(expected in inputs()) {
        rialo_reads(&mut words(&expected.bytes()), &expected);
    }

    #[test]
    fn account_table_is_invisible_to_rialo(
        expected in inputs(), address in any::<u32>(),
    ) {
        let bytes = expected.bytes_with_table(u64::from(address) / 8 * 8);
        rialo_reads(&mut words(&bytes), &expected);
    }

    #[test]
    fn input_changed_by_rialo_is_read(
        mut expected in inputs(),
        kelvins in any::<[u64; 6]>(),
        owners in any::<[[u8; 32]; 6]>(),
        bits in any::<[u8; 6]>(),
    ) {
        let mut input = words(&expected.bytes());
        rialo_runs(&mut input, |accounts| {
            for (position, account) in accounts.iter().enumerate() {
                **account.kelvins.borrow_mut() = kelvins[position];
                account.assign(&owners[position].into());
                account.data.borrow_mut().iter_mut().for_each(|byte| *byte ^= bits[position]);
            }
        });
        for position in 0..expected.entries.len() {
            let account = expected.account_mut(position);
            account.kelvins = kelvins[position];
            account.owner = owners[position];
            account.data.iter_mut().for_each(|byte| *byte ^= bits[position]);
        }
        we_read(&mut input, &expected);
    }

    #[test]
    fn every_status_has_the_runtimes_meaning(
        status in prop_oneof![
            any::<u64>(),
            (0..40_u64).prop_map(|number| number << 32),
            (0..40_u64, 0..3_u64).prop_map(|(number, low)| (number << 32) | low),
            any::<u32>().prop_map(u64::from),
        ],
    ) {
        same_meaning(status);
    }
}

/// Checks that a status is the same error in both crates, and that the error's own status is too.
fn same_meaning(status: u64) {
    let Some(error) = ProgramError::from_status(status) else {
        assert_eq!(status, 0);
        return;
    };
    assert_ne!(error.status(), 0);
    assert_eq!(ProgramError::from_status(error.status()), Some(error));

    let theirs = RialoError::from(status);
    let same = match error {
        ProgramError::BorshIoError => format!("{:?}", RialoError::BorshIoError("Unknown".into())),
        _ => format!("{error:?}"),
    };
    assert_eq!(format!("{theirs:?}"), same, "{status:#x}");
    assert_eq!(u64::from(theirs), error.status(), "{status:#x}");
}

#[test]
fn every_error_has_the_runtimes_number() {
    assert_eq!(ProgramError::BUILTIN.len(), 25);
    for error in ProgramError::BUILTIN {
        assert_eq!(ProgramError::from_status(u64::from(*error)), Some(*error));
        same_meaning(error.status());
    }
    for code in [0, 1, 2, 26, u32::MAX] {
        let error = ProgramError::Custom(code);
        assert_eq!(ProgramError::from_status(u64::from(error)), Some(error));
        assert_eq!(u64::from(RialoError::Custom(code)), error.status());
        same_meaning(error.status());
    }
    for status in [0, 27 << 32, u64::MAX, u64::MAX << 32, (6 << 32) | 1] {
        same_meaning(status);
    }
}

#[test]
fn data_resized_by_rialo_is_read() {
    let mut expected = two_and_a_repeat();
    let mut input = words(&expected.bytes());
    // 5 bytes become 8, and 10 become 9. An entry of the new length takes as many bytes as before.
    rialo_runs(&mut input, |accounts| {
        accounts[2].realloc(8, true).unwrap();
        accounts[2].data.borrow_mut()[6] = 77;
        accounts[1].realloc(9, false).unwrap();
    });
    expected.account_mut(0).data = b"first\0\x4D\0".to_vec();
    expected.account_mut(1).data.pop();
    we_read(&mut input, &expected);
    rialo_reads(&mut input, &expected);
}

#[test]
fn data_resized_and_restored_by_rialo_is_read() {
    let mut expected = two_and_a_repeat();
    let mut input = words(&expected.bytes());
    rialo_runs(&mut input, |accounts| {
        accounts[0].realloc(5 + 10_240, true).unwrap();
        accounts[0].data.borrow_mut().fill(0xAB);
        accounts[0].realloc(5, true).unwrap();
    });
    expected.account_mut(0).data = vec![0xAB; 5];
    we_read(&mut input, &expected);
}

#[test]
fn resizing_has_the_bounds_of_the_runtime() {
    for length in [0, 5, 8] {
        let mut expected = two_and_a_repeat();
        expected.account_mut(0).data = vec![1; length];
        for (new_length, allowed) in [(length + 10_240, true), (length + 10_241, false)] {
            let mut input = words(&expected.bytes());
            rialo_runs(&mut input, |accounts| {
                assert_eq!(accounts[0].realloc(new_length, true).is_ok(), allowed);
            });
            let mut input = words(&expected.bytes());
            let input = read(bytemuck::cast_slice_mut(&mut input)).unwrap();
            assert_eq!(input.accounts[0].resize(new_length).is_ok(), allowed);
        }
    }
}
