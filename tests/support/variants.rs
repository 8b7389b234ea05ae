//! The kinds of errors, read from the source, so that a test which covers all of them
//! notices a new one.

use std::collections::BTreeSet;
use std::path::Path;

use crate::project;
use syn::{Attribute, Item, ItemEnum, Meta};

/// The variants of the error enums of the loader and the ledger, as `Enum::Variant`.
pub fn variants() -> BTreeSet<String> {
    let mut variants = BTreeSet::new();
    for folder in ["loader/src", "ledger/src"] {
        add_variants(&project().join(folder), &mut variants);
    }
    variants
}

/// Adds the variants of the error enums in a folder and its subfolders.
fn add_variants(folder: &Path, variants: &mut BTreeSet<String>) {
    for file in std::fs::read_dir(folder).expect("the source") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            add_variants(&path, variants);
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        let file = syn::parse_file(&text).expect("the source compiles");
        for item in file.items {
            if let Item::Enum(item) = item
                && item.attrs.iter().any(derives_error)
            {
                variants.extend(names(&item));
            }
        }
    }
}

/// The variants of one error enum, without the enum's name.
#[allow(dead_code, reason = "each test binary uses a part of this module")]
pub fn variants_of(name: &str) -> BTreeSet<String> {
    let prefix = format!("{name}::");
    let own = |variant: String| variant.strip_prefix(&prefix).map(str::to_owned);
    let found: BTreeSet<String> = variants().into_iter().filter_map(own).collect();
    assert!(!found.is_empty(), "no enum {name}");
    found
}

fn derives_error(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    list.path.is_ident("derive")
        && list
            .tokens
            .to_string()
            .replace(' ', "")
            .contains("thiserror::Error")
}

fn names(item: &ItemEnum) -> impl Iterator<Item = String> {
    item.variants
        .iter()
        .map(|variant| format!("{}::{}", item.ident, variant.ident))
}
