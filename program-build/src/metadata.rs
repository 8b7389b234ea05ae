//! What a program's manifest says about the program: the table `package.metadata.entrypoint`.

use anyhow::{Result, bail};
use loader::Limits;
use serde_json::Value;

/// Stack of a program in bytes, unless its manifest says otherwise. PolkaVM's own default, 8 KiB,
/// is two frames of a formatter deep.
const DEFAULT_STACK: u32 = 64 * 1024;

/// The least stack of a program in bytes.
const MIN_STACK: u64 = 4 * 1024;

/// The settings of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProgramMetadata {
    /// The stack in bytes.
    pub stack: u32,
}

impl ProgramMetadata {
    /// Reads the settings of the package with this name from its `package.metadata`.
    ///
    /// # Errors
    ///
    /// If there is a setting that this version does not know, or a value that no loader accepts.
    pub(crate) fn read(package: &str, metadata: &Value) -> Result<Self> {
        let mut read = Self {
            stack: DEFAULT_STACK,
        };
        let table = match metadata.get("entrypoint") {
            None => return Ok(read),
            Some(Value::Object(table)) => table,
            Some(other) => bail!(
                "`package.metadata.entrypoint` of `{package}` is {other}, and must be a table, such as \
                 `stack = \"256 KiB\"`"
            ),
        };
        for (key, value) in table {
            match key.as_str() {
                "stack" => read.stack = stack(package, value)?,
                _ => bail!(
                    "`package.metadata.entrypoint` of `{package}` has no setting `{key}`; the settings \
                     are: `stack`"
                ),
            }
        }
        Ok(read)
    }
}

fn stack(package: &str, value: &Value) -> Result<u32> {
    let Some(bytes) = bytes(value) else {
        bail!(
            "the stack of `{package}` is {value}, and must be a number of bytes or a text such as \
             \"256 KiB\""
        );
    };
    // The interpreter of PolkaVM 0.37 gives a program whose stack is not a power of two the next
    // one. Its calls would go deeper there than on the other engine and on the runtime.
    let limit = Limits::default().stack;
    match u32::try_from(bytes) {
        Ok(stack) if bytes >= MIN_STACK && stack <= limit => Ok(stack.next_power_of_two()),
        _ => bail!(
            "`{package}` has a stack of {bytes} bytes in `package.metadata.entrypoint`, and a loader \
             accepts {MIN_STACK} to {limit} bytes; change `stack` in its Cargo.toml"
        ),
    }
}

/// A number of bytes: a number, or a text with `KiB` or `MiB`.
fn bytes(value: &Value) -> Option<u64> {
    let Value::String(text) = value else {
        return value.as_u64();
    };
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entrypoint: Value) -> Result<u32, String> {
        ProgramMetadata::read("deep", &json!({ "entrypoint": entrypoint }))
            .map(|read| read.stack)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn stack_is_read_in_bytes_and_units() {
        assert_eq!(
            ProgramMetadata::read("deep", &Value::Null).unwrap().stack,
            65_536
        );
        assert_eq!(read(json!({})), Ok(65_536));
        assert_eq!(read(json!({"stack": 262_144})), Ok(262_144));
        assert_eq!(read(json!({"stack": "256 KiB"})), Ok(262_144));
        assert_eq!(read(json!({"stack": 65_537})), Ok(131_072));
        assert_eq!(read(json!({"stack": "1MiB"})), Ok(1 << 20));
    }

    #[test]
    fn wrong_setting_is_named() {
        for (entrypoint, message) in [
            (json!("deep"), "is \"deep\", and must be a table"),
            (
                json!({"heap": 1}),
                "has no setting `heap`; the settings are: `stack`",
            ),
            (
                json!({"stack": "256 kB"}),
                "is \"256 kB\", and must be a number of bytes",
            ),
            (json!({"stack": -1}), "is -1, and must be a number of bytes"),
            (
                json!({"stack": "2 MiB"}),
                "a stack of 2097152 bytes in `package.metadata.entrypoint`, and a loader accepts \
                 4096 to 1048576 bytes",
            ),
            (json!({"stack": 100}), "a stack of 100 bytes"),
            (
                json!({"stack": "18446744073709551615 MiB"}),
                "must be a number of bytes",
            ),
        ] {
            let error = read(entrypoint).expect_err(message);
            assert!(error.contains(message), "{error}");
            assert!(error.contains("`deep`"), "{error}");
        }
    }
}
