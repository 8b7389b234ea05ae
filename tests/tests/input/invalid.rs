//! The loader rejects an invalid value before a program runs, with an error that names the value.

use loader::fixture::Fixture;
use loader::{AccountInput, Engine, Invocation, InvocationError, LoadError, Loader, Pubkey};
use probe::Command;
use tests::{example, probe};

fn key(number: u16) -> Pubkey {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&number.to_le_bytes());
    Pubkey::new(bytes)
}

fn call() -> Invocation {
    tests::call(Command::Succeed, &[])
}

fn refused(invocation: &Invocation) -> InvocationError {
    let [interpreter, compiler] = tests::polkavm().map(|engine| {
        probe(engine)
            .invoke(invocation)
            .expect_err("an invalid invocation")
    });
    assert_eq!(interpreter, compiler);
    interpreter
}

#[test]
fn heap_size_has_bounds() {
    for size in [0_u32, 1, 32_767] {
        let error = refused(&call().heap_size(size));
        assert_eq!(
            error.to_string(),
            format!(
                "a heap of {} bytes is too small: the minimum is 32,768 bytes (32 KiB)",
                cargo_entrypoint::text::grouped(size.into())
            )
        );
    }
    let limit = 64 << 20;
    assert_eq!(
        refused(&call().heap_size(limit + 1)),
        InvocationError::HeapTooLarge {
            size: limit + 1,
            limit
        }
    );
    assert!(
        probe(Engine::Interpreter)
            .invoke(&call().heap_size(limit))
            .unwrap()
            .is_success()
    );
    // Neither a power of two nor a multiple of anything.
    assert!(
        probe(tests::polkavm()[1])
            .invoke(&call().heap_size(32_769))
            .unwrap()
            .is_success()
    );
}

#[test]
fn gas_fits_in_the_vms_counter() {
    assert!(
        probe(Engine::Interpreter)
            .invoke(&call().gas(i64::MAX as u64))
            .unwrap()
            .is_success()
    );
    assert_eq!(
        refused(&call().gas(1 << 63)),
        InvocationError::GasTooLarge {
            gas: 1 << 63,
            limit: i64::MAX as u64
        }
    );
}

#[test]
fn accounts_are_distinct() {
    let with = |accounts: &[u16]| {
        accounts.iter().fold(call(), |call, number| {
            call.account(AccountInput::new(key(*number)))
        })
    };
    assert_eq!(
        refused(&with(&[1, 2, 1])).to_string(),
        format!(
            "account 2 has the key of account 0, {}; pass it as a repeat of account 0",
            key(1)
        )
    );
    // The check works for a list of any length.
    for count in [2, 15, 16, 17, 200] {
        let twice: Vec<u16> = (0..count).chain([1]).collect();
        let (first, index) = (1, usize::from(count));
        assert_eq!(
            refused(&with(&twice)),
            InvocationError::DuplicateKey {
                index,
                first,
                key: key(1)
            }
        );
    }
    for refers_to in [1, 2, 3, 255, usize::MAX] {
        assert_eq!(
            refused(&with(&[1]).repeat(refers_to)),
            InvocationError::InvalidRepeat {
                index: 1,
                refers_to
            }
        );
    }
    // A repeat cannot refer to another repeat.
    assert_eq!(
        refused(&with(&[1]).repeat(0).repeat(1)),
        InvocationError::InvalidRepeat {
            index: 2,
            refers_to: 1
        }
    );
    let all: Vec<u16> = (0..256).collect();
    assert_eq!(
        refused(&with(&all)),
        InvocationError::TooManyAccounts { count: 256 }
    );
    let many = (0..1_024).fold(with(&[1]), |call, _| call.repeat(0));
    assert_eq!(
        refused(&many),
        InvocationError::TooManyEntries {
            count: 1_025,
            limit: 1_024
        }
    );
    let most = with(&all[..255]).repeat(254);
    assert!(
        probe(Engine::Interpreter)
            .invoke(&most)
            .unwrap()
            .is_success()
    );
}

#[test]
fn data_and_input_have_a_maximum_length() {
    let most = 10 * 1024 * 1024;
    let with = |length| call().account(AccountInput::new(key(1)).data(vec![0; length]));
    assert_eq!(
        refused(&with(most + 1)),
        InvocationError::DataTooLong {
            index: 0,
            length: most + 1
        }
    );
    assert!(
        probe(Engine::Interpreter)
            .invoke(&with(most))
            .unwrap()
            .is_success()
    );
    let error = refused(&call().data(vec![0; 128 << 20]));
    assert!(
        error
            .to_string()
            .starts_with("the serialized input takes 134,21"),
        "{error}"
    );
}

#[test]
fn invalid_blob_is_rejected() {
    for engine in tests::polkavm() {
        let loader = Loader::new(engine).unwrap();
        let kind = |bytes: &[u8]| loader.load(bytes).expect_err("no blob").kind();
        assert_eq!(kind(b""), "InvalidBlob");
        assert_eq!(kind(b"not a blob"), "InvalidBlob");
        assert_eq!(kind(b"PVM\0"), "InvalidBlob");
        let blob = program_test::build(example("hello"));
        assert!(loader.load(&blob).is_ok());
        for length in (0..blob.len()).step_by(7) {
            assert!(
                loader.load(&blob[..length]).is_err(),
                "{length} bytes of a blob"
            );
        }
    }
}

#[test]
fn load_errors_describe_the_cause() {
    let error = LoadError::MissingEntrypoint {
        exports: "nothing".to_owned(),
    };
    assert_eq!(
        error.to_string(),
        "the program does not export `entrypoint`; it exports nothing"
    );
}

#[test]
fn invalid_fixture_names_the_place() {
    let error = |text: &str| {
        Fixture::parse(text)
            .expect_err("an invalid fixture")
            .to_string()
    };
    let contains_all = |text: &str, parts: &[&str]| {
        let error = error(text);
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in:\n{error}");
        }
    };
    contains_all("gass = 5", &["line 1", "unknown field `gass`", "`gas`"]);
    contains_all("gas = -5", &["line 1"]);
    contains_all(
        "gas = 5\nheap = \"64 apples\"",
        &["line 2", "\"64 apples\" is not a size", "64KiB"],
    );
    contains_all("heap = 99999999999", &["line 1", "99999999999"]);
    contains_all("data = \"0\"", &["line 1", "\"0\" is not hexadecimal"]);
    contains_all("data = \"zz\"", &["line 1", "not hexadecimal"]);
    contains_all("data = \"0x0\"", &["line 1", "\"0x0\" is not hexadecimal"]);
    contains_all(
        "[[accounts]]\nkey = \"0OIl\"",
        &["line 2", "\"0OIl\" is not a key", "'0'"],
    );
    contains_all("[[accounts]]\nkey = \"abc\"", &["line 2", "a key has 32"]);
    contains_all(
        "[[accounts]]\nkelvins = 1",
        &["line 1, column 1", "account 0", "needs `key` or `repeat`"],
    );
    contains_all(
        "[[accounts]]\nrepeat = 0\nkelvins = 1",
        &["account 0", "remove all except `repeat`"],
    );
    // The loader would reject this too, but without a line number.
    contains_all(
        "gas = 1\n\n[[accounts]]\nrepeat = 4",
        &["line 3, column 1", "account 0 repeats index 4"],
    );
    let twice = "[[accounts]]\nkey = \"Counter111111111111111111111111111111111111\"\n";
    contains_all(
        &twice.repeat(2),
        &["line 3, column 1", "account 1 has the key of account 0"],
    );
    contains_all(
        "[[accounts]]\nwriteable = true",
        &["line 2", "unknown field `writeable`"],
    );
    contains_all(
        "[expect]\nstatsu = 0",
        &["line 2", "unknown field `statsu`"],
    );
    contains_all("[[expect.accounts]]\nkelvins = 1", &["missing field `key`"]);
    contains_all("][", &["line 1"]);
}
