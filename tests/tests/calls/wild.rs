//! Any value in any field of any structure of a call, in both forms, and in its arguments.

use std::collections::BTreeMap;

use super::machine::{DATA_LENGTH, call, invocation, machines_and_forms, run, wild};

#[test]
fn the_good_call_succeeds() {
    for (machine, form) in machines_and_forms() {
        let outcome = run(&machine, form, &call(&machine, form));
        assert_eq!(outcome.failure, None, "{}, {form:?}", machine.name);
        assert_eq!(outcome.calls.len(), 1);
    }
}

#[test]
fn every_field_may_have_any_value() {
    for (machine, form) in machines_and_forms() {
        let good = call(&machine, form);
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, place) in &good.fields {
            let value = good.get(*place);
            for wild in wild(&machine, value) {
                let mut memory = call(&machine, form);
                memory.set(*place, wild);
                let outcome = run(&machine, form, &memory);
                let kind = outcome
                    .failure
                    .as_ref()
                    .map_or("none", |failure| failure.kind());
                *kinds.entry(kind).or_default() += 1;
                let context = format!(
                    "{}, {form:?}: {name} is {wild:#x}: {outcome:?}",
                    machine.name
                );
                let before = invocation();
                assert!(
                    outcome
                        .accounts
                        .iter()
                        .eq(before.accounts.iter().filter_map(|entry| {
                            match entry {
                                loader::AccountEntry::First(input) => Some(&input.account),
                                loader::AccountEntry::Repeat(_) => None,
                            }
                        })),
                    "{context}"
                );
                if name.contains("address of the data length") {
                    // It may be any place that has the length.
                    let kinds = ["MovedAccount", "InvalidPointer", "none"];
                    assert!(kinds.contains(&kind), "{context}");
                } else if name.contains(": key") {
                    let kinds = ["UnknownAccount", "MissingAccount", "InvalidPointer"];
                    assert!(kinds.contains(&kind), "{context}");
                } else if name.starts_with("account ") {
                    assert_eq!(kind, "MovedAccount", "{context}");
                }
                if wild > 1 << 32 && wild != value | 1 << 32 {
                    assert_ne!(kind, "none", "{context}");
                }
                assert!(outcome.gas_used < 20_000, "{context}");
            }
        }
        let expected = [
            "CallDataTooLong",
            "InvalidPointer",
            "InvalidSignerSeeds",
            "MissingAccount",
            "MovedAccount",
            "SeedTooLong",
            "TooManyCallAccounts",
            "TooManyPassedAccounts",
            "TooManySeeds",
            "TooManySigners",
        ];
        for kind in expected {
            assert!(
                kinds.contains_key(kind),
                "{}: no {kind}: {kinds:?}",
                machine.name
            );
        }
        assert!(kinds["InvalidPointer"] > 200, "{kinds:?}");
    }
}

#[test]
fn any_bytes_may_be_the_structures() {
    // The same bytes on every run.
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 32
    };
    for (machine, form) in machines_and_forms() {
        for _ in 0..500 {
            let mut memory = call(&machine, form);
            for _ in 0..1 + random() % 8 {
                let place = random() as usize % DATA_LENGTH;
                memory.bytes[place] = random() as u8;
            }
            let outcome = run(&machine, form, &memory);
            assert!(outcome.gas_used <= invocation().gas);
        }
    }
}
