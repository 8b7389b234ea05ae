//! The forms of a scenario's file, before names are looked up.

use std::fmt;
use std::path::PathBuf;

use loader::fixture::{Entries, ExpectedStatus, Size, WrittenFields, WrittenKey, WrittenValue};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(default)]
    pub title: String,
    pub clock: Option<WrittenValue>,
    pub random_seed: Option<WrittenValue>,
    #[serde(default)]
    pub fee: FileFee,
    #[serde(default)]
    pub programs: Entries<FileProgram>,
    #[serde(default)]
    pub keys: Entries<WrittenKey>,
    #[serde(default)]
    pub layouts: Entries<Entries<WrittenValue>>,
    #[serde(default)]
    pub accounts: Entries<FileAccount>,
    #[serde(default)]
    pub steps: Vec<Spanned<FileStep>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileFee {
    pub base: Option<WrittenValue>,
    pub per_signer: Option<WrittenValue>,
}

/// A path, or a table with an id.
pub struct FileProgram {
    pub path: PathBuf,
    pub id: Option<WrittenKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAccount {
    pub owner: Option<WrittenKey>,
    pub kelvins: Option<WrittenValue>,
    pub data: Option<Spanned<WrittenFields>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileStep {
    #[serde(default)]
    pub title: String,
    pub program: Option<Spanned<String>>,
    pub accounts: Option<Vec<Spanned<String>>>,
    pub data: Option<Spanned<WrittenFields>>,
    pub instructions: Option<Vec<FileInstruction>>,
    pub payer: Option<WrittenKey>,
    pub gas: Option<WrittenValue>,
    pub heap: Option<Size>,
    pub warp: Option<Spanned<String>>,
    pub warp_to: Option<WrittenValue>,
    pub airdrop: Option<Entries<WrittenValue>>,
    pub set: Option<Entries<FileAccount>>,
    pub deploy: Option<Entries<PathBuf>>,
    pub expect: Option<Spanned<FileExpect>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileInstruction {
    pub program: Spanned<String>,
    #[serde(default)]
    pub accounts: Vec<Spanned<String>>,
    pub data: Option<Spanned<WrittenFields>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileExpect {
    pub success: Option<bool>,
    pub error: Option<ExpectedStatus>,
    pub logs: Option<Vec<String>>,
    pub logs_contain: Vec<String>,
    pub return_data: Option<Spanned<WrittenFields>>,
    pub gas_used: Option<WrittenValue>,
    pub accounts: Entries<FileState>,
}

/// `"gone"`, or a table.
#[expect(clippy::large_enum_variant, reason = "it is read and taken apart")]
pub enum FileState {
    Gone,
    Table(FileAccount),
}

impl<'de> Deserialize<'de> for FileProgram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            path: PathBuf,
            id: Option<WrittenKey>,
        }

        struct ProgramVisitor;

        impl<'de> Visitor<'de> for ProgramVisitor {
            type Value = FileProgram;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the path of a program, or { path = \"…\", id = \"…\" }")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<Self::Value, E> {
                Ok(FileProgram {
                    path: path.into(),
                    id: None,
                })
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                let Table { path, id } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(FileProgram { path, id })
            }
        }

        deserializer.deserialize_any(ProgramVisitor)
    }
}

impl<'de> Deserialize<'de> for FileState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StateVisitor;

        impl<'de> Visitor<'de> for StateVisitor {
            type Value = FileState;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("\"gone\", or a table such as { kelvins = 5 }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match text {
                    "gone" => Ok(FileState::Gone),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                FileAccount::deserialize(MapAccessDeserializer::new(map)).map(FileState::Table)
            }
        }

        deserializer.deserialize_any(StateVisitor)
    }
}
