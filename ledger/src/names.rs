//! Names of accounts: the keys that stand for them, and the names in texts for people.

use std::collections::HashMap;

use abi::Pubkey;
use abi::ids::SYSTEM_PROGRAM;
use sha2::{Digest, Sha256};

/// The longest name that a key holds itself, in bytes.
const MAX_NAME_LENGTH: usize = 24;

/// The last bytes of a key that holds a name.
const MARK: [u8; 8] = *b"\0ledger\0";

/// The key that stands for a name, such as `alice`: the same in tests, in scenarios and on the
/// command line.
///
/// A name of at most 24 letters, digits, `_` and `-` can be read back from the key: see
/// [`name_of`]. For any other name the key is a hash. `system` is the system program, as in a
/// scenario.
///
/// No one has a private key for it, and no program can sign for it by seeds. A ledger does not
/// check signatures, so it can sign there.
///
/// ```
/// use ledger::{key, name_of};
///
/// let alice = key("alice");
/// assert_ne!(alice, key("bob"));
/// assert_eq!(name_of(&alice), Some("alice"));
/// ```
#[must_use]
pub fn key(name: &str) -> Pubkey {
    if name == "system" {
        return SYSTEM_PROGRAM;
    }
    let mut bytes = [0; 32];
    if is_plain(name) {
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[MAX_NAME_LENGTH..].copy_from_slice(&MARK);
    } else {
        let hash = Sha256::new().chain_update("name of a ledger's account: ");
        bytes = hash.chain_update(name).finalize().into();
    }
    Pubkey::new(bytes)
}

/// The name in a key that [`key`] made of a short name; `None` for any other key.
///
/// ```
/// use ledger::{Pubkey, key, name_of};
///
/// assert_eq!(name_of(&key("alice")), Some("alice"));
/// assert_eq!(name_of(&Pubkey::new([1; 32])), None);
/// ```
#[must_use]
pub fn name_of(key: &Pubkey) -> Option<&str> {
    let (name, mark) = key.as_bytes().split_at(MAX_NAME_LENGTH);
    let length = name.iter().position(|byte| *byte == 0);
    let (name, zeros) = name.split_at(length.unwrap_or(MAX_NAME_LENGTH));
    let name = str::from_utf8(name).ok()?;
    let is_name = mark == MARK && is_plain(name) && zeros.iter().all(|byte| *byte == 0);
    is_name.then_some(name)
}

/// Reads a key as people write it: 32 bytes in base58, or a name, as for [`key`]. A name may begin
/// with `$`, as in a scenario.
///
/// ```
/// use ledger::{Pubkey, key, parse_key};
///
/// assert_eq!(parse_key("alice"), Ok(key("alice")));
/// assert_eq!(parse_key("$alice"), Ok(key("alice")));
/// assert_eq!(parse_key("11111111111111111111111111111111"), Ok(Pubkey::default()));
/// assert!(parse_key("alice & bob").is_err());
/// ```
///
/// # Errors
///
/// [`ParseKeyError`] if the text is neither. A long text is never a name, so a key with a typing
/// mistake is an error.
pub fn parse_key(text: &str) -> Result<Pubkey, ParseKeyError> {
    let name = text.strip_prefix('$').unwrap_or(text);
    if is_plain(name) {
        return Ok(key(name));
    }
    text.parse().map_err(|_| ParseKeyError {
        text: text.to_owned(),
    })
}

/// A text that is neither a key nor a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is neither a key of 32 bytes in base58, nor a name of at most {MAX_NAME_LENGTH} \
     letters, digits, `_` and `-`"
)]
#[non_exhaustive]
pub struct ParseKeyError {
    /// The text.
    pub text: String,
}

/// Whether a key can hold this name.
fn is_plain(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// The names of keys in texts for people: those that [`key`] made, and any others that are added.
///
/// ```
/// use ledger::{Names, Pubkey, key};
///
/// let vault = Pubkey::new([7; 32]);
/// let mut names = Names::new();
/// names.add(vault, "vault");
///
/// let text = format!("{} pays {vault}", key("alice"));
/// assert_eq!(names.in_text(&text), "alice pays vault");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(HashMap<Pubkey, String>);

impl Names {
    /// Only the names that [`key`] gives.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Names a key.
    pub fn add(&mut self, key: Pubkey, name: impl Into<String>) {
        self.0.insert(key, name.into());
    }

    /// The name of a key, if it has one.
    #[must_use]
    pub fn find<'a>(&'a self, key: &'a Pubkey) -> Option<&'a str> {
        self.0.get(key).map(String::as_str).or_else(|| name_of(key))
    }

    /// The name of a key, or else the key in base58. The system program is `system program`.
    #[must_use]
    pub fn show(&self, key: &Pubkey) -> String {
        if *key == SYSTEM_PROGRAM {
            return "system program".to_owned();
        }
        self.find(key)
            .map_or_else(|| key.to_string(), str::to_owned)
    }

    /// A text with the names of keys instead of their base58, as [`show`](Self::show) has them.
    #[must_use]
    pub fn in_text(&self, text: &str) -> String {
        let mut named = String::with_capacity(text.len());
        for word in text.split_inclusive(is_between_words) {
            let end = word.find(is_between_words).unwrap_or(word.len());
            let (word, separator) = word.split_at(end);
            match word.parse() {
                Ok(key) if key == SYSTEM_PROGRAM => named.push_str(&self.show(&key)),
                Ok(key) => named.push_str(self.find(&key).unwrap_or(word)),
                Err(_) => named.push_str(word),
            }
            named.push_str(separator);
        }
        named
    }
}

fn is_between_words(character: char) -> bool {
    !character.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for name in ["a", "alice", "token_program-2", "abcdefghijklmnopqrstuvwx"] {
            assert_eq!(name_of(&key(name)), Some(name));
            assert_eq!(parse_key(name), Ok(key(name)));
        }
        assert_eq!(parse_key("$system"), Ok(SYSTEM_PROGRAM));
        assert_eq!(key("system"), SYSTEM_PROGRAM);
    }

    #[test]
    fn other_names_are_hashed_and_cannot_be_read_back() {
        for name in [
            "",
            "abcdefghijklmnopqrstuvwxy",
            "a b",
            "\u{1b}[2J",
            "é",
            "a\0",
        ] {
            assert_eq!(name_of(&key(name)), None, "{name:?}");
            assert!(parse_key(name).is_err(), "{name:?}");
        }
        assert_ne!(key("a b"), key("a c"));
    }

    #[test]
    fn keys_that_are_almost_names_are_not() {
        for index in 0..32 {
            let mut bytes = key("alice").to_bytes();
            bytes[index] = 0xff;
            assert_eq!(name_of(&Pubkey::new(bytes)), None, "{index}");
        }
        let mut bytes = key("alice").to_bytes();
        bytes[10] = b'x';
        assert_eq!(name_of(&Pubkey::new(bytes)), None);
    }

    #[test]
    fn key_with_a_typing_mistake_is_not_a_name() {
        let error = parse_key("Counter11111111111111111111111111111111111").unwrap_err();
        assert!(error.to_string().starts_with("\"Counter111"), "{error}");
    }

    #[test]
    fn names_replace_whole_keys_only() {
        let mut names = Names::new();
        let other = Pubkey::new([9; 32]);
        names.add(other, "the pool");
        let [alice, unnamed] = [key("alice"), Pubkey::new([8; 32])];
        let text = format!("Pubkey({alice}), {other}x, {other}: {unnamed}\né{alice}");
        assert_eq!(
            names.in_text(&text),
            format!("Pubkey(alice), {other}x, the pool: {unnamed}\néalice")
        );
        assert_eq!(names.in_text(""), "");
        let text = format!("instruction 0 of {SYSTEM_PROGRAM} failed");
        assert_eq!(
            names.in_text(&text),
            "instruction 0 of system program failed"
        );
    }
}
