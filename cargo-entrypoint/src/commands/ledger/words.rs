//! Keys with flags, data, amounts and times, as a command line or a file has them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use ledger::{AccountMeta, parse_key};
use loader::fixture::{parse_hex, read_at_most};

/// The most bytes of data of an account, and of an instruction: 10 MiB.
pub const MAX_DATA: usize = 10 << 20;

/// An account of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountWord(pub AccountMeta);

/// A part of the data of an instruction or of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataWord {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// A time to set the clock to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeWord {
    /// In milliseconds since 1970.
    At(i64),
    After(Duration),
}

impl DataWord {
    fn bytes(&self) -> Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path) => read_at_most(path, MAX_DATA)
                .with_context(|| format!("cannot read the data {}", path.display())),
        }
    }
}

/// The bytes of all parts, one after the other.
pub fn all_bytes(words: &[DataWord]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in words {
        bytes.extend(word.bytes()?);
        if bytes.len() > MAX_DATA {
            bail!(
                "the data has more than {MAX_DATA} bytes, the most that an account or an \
                 instruction can have; shorten it"
            );
        }
    }
    Ok(bytes)
}

/// Reads a key and flags, such as `alice:sw`.
pub fn parse_account(text: &str) -> Result<AccountWord, String> {
    let (key, flags) = text.split_once(':').unwrap_or((text, ""));
    let other = flags.chars().find(|flag| !matches!(flag, 's' | 'w'));
    if let Some(other) = other {
        return Err(format!(
            "{other:?} is not a flag; write `:s` if the account signs, `:w` if it is writable, or \
             `:sw`"
        ));
    }
    let key = parse_key(key).map_err(|error| error.to_string())?;
    Ok(AccountWord(AccountMeta::new(
        key,
        flags.contains('s'),
        flags.contains('w'),
    )))
}

/// Reads data: fields, hexadecimal, or `@FILE`.
pub fn parse_data(text: &str) -> Result<DataWord, String> {
    if let Some(file) = text.strip_prefix('@') {
        return Ok(DataWord::File(PathBuf::from(file)));
    }
    if !text.contains(':') {
        let bytes = parse_hex(text)
            .map_err(|error| format!("{error}, or fields such as u64:5,key:alice, or @FILE"))?;
        return Ok(DataWord::Bytes(bytes));
    }
    let fields = text.split(',').map(parse_field);
    Ok(DataWord::Bytes(
        fields.collect::<Result<Vec<_>, _>>()?.concat(),
    ))
}

/// Reads a field, such as `u64:5`.
fn parse_field(text: &str) -> Result<Vec<u8>, String> {
    let Some((kind, value)) = text.trim().split_once(':') else {
        return Err(format!("{text:?} is not a field; write for example u64:5"));
    };
    macro_rules! number {
        ($($type:ident)*) => {
            match kind {
                $(stringify!($type) => {
                    let number = value.replace('_', "");
                    let number = number.parse::<$type>();
                    let number = number.map_err(|error| format!("{text:?}: {error}"))?;
                    number.to_le_bytes().to_vec()
                })*
                "bool" => match value {
                    "true" => vec![1],
                    "false" => vec![0],
                    _ => return Err(format!("{text:?}: write bool:true or bool:false")),
                },
                "key" => {
                    let key = parse_key(value).map_err(|error| error.to_string())?;
                    key.to_bytes().to_vec()
                }
                "text" => value.as_bytes().to_vec(),
                "hex" => parse_hex(value)?,
                _ => return Err(format!(
                    "{kind:?} is not a kind of field; the kinds are {}, bool, key, text and hex",
                    [$(stringify!($type)),*].join(", ")
                )),
            }
        };
    }
    Ok(number!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128))
}

/// Reads kelvins or bytes. `_` may separate digits.
pub fn parse_amount(text: &str) -> Result<u64, String> {
    text.replace('_', "")
        .parse()
        .map_err(|_| format!("{text:?} is not an amount; write for example 5000000 or 5_000_000"))
}

/// Reads a time, or `+` and a duration.
pub fn parse_time(text: &str) -> Result<TimeWord, String> {
    if let Some(duration) = text.strip_prefix('+') {
        let duration = humantime::parse_duration(duration);
        return duration.map(TimeWord::After).map_err(|error| {
            format!("{text:?} is not a duration: {error}; write for example +90s or +15min")
        });
    }
    if let Ok(milliseconds) = text.replace('_', "").parse() {
        return Ok(TimeWord::At(milliseconds));
    }
    let time = humantime::parse_rfc3339_weak(text).ok();
    let passed = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let milliseconds = passed.and_then(|passed| i64::try_from(passed.as_millis()).ok());
    milliseconds.map(TimeWord::At).ok_or_else(|| {
        format!(
            "{text:?} is not a time since 1970; write for example 2030-01-31T12:00:00Z, \
             milliseconds since 1970, or +90s"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        match parse_data(text) {
            Ok(DataWord::Bytes(bytes)) => bytes,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn data_is_fields_or_hexadecimal() {
        assert_eq!(bytes("u8:1,u32:5"), [1, 5, 0, 0, 0]);
        assert_eq!(bytes("0x01ff"), [1, 0xff]);
        assert_eq!(bytes("01 ff"), [1, 0xff]);
        assert_eq!(
            bytes("i16:-2, bool:true,hex:0a0b,text:a b"),
            *b"\xfe\xff\x01\x0a\x0ba b"
        );
        assert_eq!(bytes("key:alice"), ledger::key("alice").to_bytes());
        assert_eq!(bytes("u64:1_000"), 1_000_u64.to_le_bytes());
        assert!(bytes("").is_empty());
        assert_eq!(parse_data("@a"), Ok(DataWord::File("a".into())));
    }

    #[test]
    fn rubbish_is_named() {
        for (text, part) in [
            ("u8:256", "\"u8:256\": number too large"),
            ("u8:-1", "\"u8:-1\": invalid digit"),
            ("u8:", "cannot parse integer from empty string"),
            ("u8:1,5", "\"5\" is not a field"),
            (
                "usize:1",
                "\"usize\" is not a kind of field; the kinds are u8, u16",
            ),
            ("bool:1", "write bool:true or bool:false"),
            ("key:a b", "\"a b\" is neither a key"),
            ("hex:0", "Odd number of digits"),
            ("012", "or fields such as u64:5"),
        ] {
            let error = parse_data(text).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
        for (text, part) in [
            ("alice:x", "'x' is not a flag"),
            ("alice:sw:", "':' is not a flag"),
            (":s", "\"\" is neither a key"),
        ] {
            let error = parse_account(text).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
        for text in [
            "",
            "+",
            "+5",
            "tomorrow",
            "1969-12-31T23:59:59Z",
            "+5 apples",
        ] {
            parse_time(text).expect_err(text);
        }
        for text in ["", "-1", "1.5", "18446744073709551616"] {
            parse_amount(text).expect_err(text);
        }
    }

    #[test]
    fn times_and_flags_are_read() {
        assert_eq!(
            parse_time("+90s"),
            Ok(TimeWord::After(Duration::from_secs(90)))
        );
        assert_eq!(parse_time("1_000"), Ok(TimeWord::At(1_000)));
        assert_eq!(parse_time("-5"), Ok(TimeWord::At(-5)));
        assert_eq!(parse_time("1970-01-01T00:00:01Z"), Ok(TimeWord::At(1_000)));
        let alice = ledger::key("alice");
        for (text, meta) in [
            ("alice", AccountMeta::readonly(alice)),
            ("alice:s", AccountMeta::readonly_signer(alice)),
            ("alice:w", AccountMeta::writable(alice)),
            ("alice:ws", AccountMeta::writable_signer(alice)),
        ] {
            assert_eq!(parse_account(text), Ok(AccountWord(meta)));
        }
    }
}
