//! `rlo_create_program_address` and `rlo_try_find_program_address`.

use abi::imports::Import;
use abi::program_address::{
    const_create_program_address, const_find_program_address, create_program_address,
    create_with_seed, find_program_address,
};
use loader::{Access, Pubkey};
use sha2::{Digest, Sha256};

use crate::syscalls::guest::{Memory, Number, Script};

const PROGRAM: Pubkey = Pubkey::new([7; 32]);

fn create(seeds: &[&[u8]], program_id: &Pubkey) -> Script {
    let script = Script::new(Import::CreateProgramAddress).slices(seeds);
    script.bytes(program_id.as_bytes()).output(32)
}

fn find(seeds: &[&[u8]], program_id: &Pubkey) -> Script {
    let script = Script::new(Import::TryFindProgramAddress).slices(seeds);
    script.bytes(program_id.as_bytes()).output(32).output(1)
}

/// Pseudorandom seeds: up to 16, each of up to 32 bytes, and a program's id.
fn random(round: u64) -> (Vec<Vec<u8>>, Pubkey) {
    let bytes = |number: u64| -> [u8; 32] { Sha256::digest(number.to_le_bytes()).into() };
    let first = bytes(round * 32);
    let seeds = (0..u64::from(first[0] % 17)).map(|seed| {
        let bytes = bytes(round * 32 + 1 + seed);
        bytes[..usize::from(bytes[31] % 33)].to_vec()
    });
    (seeds.collect(), Pubkey::new(first))
}

/// The syscall, the host's function, the form for compile time and the runtime's own crate.
#[test]
fn all_forms_agree_on_random_seeds() {
    for round in 0..10_000 {
        let (seeds, program_id) = random(round);
        let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        let theirs = rialo_s_pubkey::Pubkey::from(program_id.to_bytes());
        let created = create_program_address(&seeds, &program_id);
        let found = find_program_address(&seeds, &program_id);
        assert_eq!(const_create_program_address(&seeds, &program_id), created);
        assert_eq!(const_find_program_address(&seeds, &program_id), found);
        assert_eq!(
            rialo_s_pubkey::Pubkey::create_program_address(&seeds, &theirs).ok(),
            created.ok().map(|address| address.to_bytes().into()),
        );
        assert_eq!(
            rialo_s_pubkey::Pubkey::try_find_program_address(&seeds, &theirs),
            found.map(|(address, bump)| (address.to_bytes().into(), bump)),
        );
        // Making instances takes most of the time of the other engines.
        let run = if round % 20 == 0 {
            Script::run
        } else {
            Script::run_interpreted
        };
        let done = run(&create(&seeds, &program_id));
        let address = created.map(Pubkey::to_bytes).unwrap_or_default();
        assert_eq!(done.result, u64::from(created.is_err()));
        assert_eq!(done.argument(3, 32), address);
        let done = run(&find(&seeds, &program_id));
        let (address, bump) = found.map_or_else(Default::default, |(key, bump)| (key, bump));
        assert_eq!(done.result, u64::from(found.is_none()));
        assert_eq!(done.argument(3, 32), address.as_bytes());
        assert_eq!(done.argument(4, 1), [bump]);
    }
}

#[test]
fn seeds_for_texts_are_those_of_the_runtime() {
    for round in 0..1_000 {
        let (seeds, base) = random(round);
        let text: String = seeds
            .iter()
            .flatten()
            .map(|byte| char::from(byte % 128))
            .collect();
        let text = &text[..text.len().min(40)];
        let ours = create_with_seed(&base, text, &PROGRAM);
        let theirs = rialo_s_pubkey::Pubkey::create_with_seed(
            &base.to_bytes().into(),
            text,
            &PROGRAM.to_bytes().into(),
        );
        assert_eq!(
            ours.ok().map(|address| address.to_bytes().into()),
            theirs.ok()
        );
    }
}

#[test]
fn too_many_seeds_and_too_long_ones_give_no_address() {
    let seeds = [&[1_u8][..]; 17];
    assert_eq!(create(&seeds, &PROGRAM).run().result, 1);
    assert_eq!(find(&seeds[..16], &PROGRAM).run().result, 1);
    assert_eq!(find(&seeds[..15], &PROGRAM).run().result, 0);
    assert_eq!(create(&[&[1; 33]], &PROGRAM).run().result, 1);
    assert_eq!(find(&[&[1; 33]], &PROGRAM).run().result, 1);
    assert_eq!(find(&[&[1; 32]], &PROGRAM).run().result, 0);
    for count in [17, 1 << 32, u64::MAX] {
        assert_eq!(create(&[], &PROGRAM).with(1, Number(count)).run().result, 1);
        assert_eq!(find(&[], &PROGRAM).with(1, Number(count)).run().result, 1);
    }
}

#[test]
fn wild_addresses_are_rejected() {
    let script = create(&[b"vault", b"x"], &PROGRAM);
    let addresses = [
        (0, 32, Access::Read),
        (2, 32, Access::Read),
        (3, 32, Access::Write),
    ];
    script.reject_wild(&addresses);
    let script = find(&[b"vault", b"x"], &PROGRAM);
    script.reject_wild(&addresses);
    script.reject_wild(&[(4, 1, Access::Write)]);
    // A seed that is in no memory.
    let mut wild = Script::new(Import::CreateProgramAddress);
    let list = wild.place(bytemuck::bytes_of(&[0xffff_ff00_u64, 32]));
    let wild = wild.argument(Memory(list)).number(1);
    let failure = wild.bytes(PROGRAM.as_bytes()).output(32).fail();
    assert_eq!(failure.kind(), "InvalidPointer");
}

/// The address may be written over the seeds and the program's id.
#[test]
fn the_address_may_overlap_the_input() {
    let expected = find(&[b"vault"], &PROGRAM).run().argument(3, 32).to_vec();
    let script = find(&[b"vault"], &PROGRAM);
    // The program's id is behind the seed and the list.
    let done = script.with(3, Memory(8 + 16)).run();
    assert_eq!(done.argument(3, 32), expected);
}

/// Each bump that was tried costs the base of the price.
#[test]
fn each_bump_costs_the_same() {
    let host: std::sync::Arc<dyn loader::Host> = std::sync::Arc::new(loader::Environment::new());
    let mut gas_of_bump = std::collections::HashMap::new();
    for number in 0..64_u8 {
        let script = find(&[&[number]], &PROGRAM);
        let (_, bump) = find_program_address(&[&[number]], &PROGRAM).expect("an address");
        let outcome = script.invoke(&crate::syscalls::guest::programs()[0], &host);
        let gas = gas_of_bump.entry(bump).or_insert(outcome.gas_used);
        assert_eq!(*gas, outcome.gas_used, "bump {bump}");
    }
    let first = gas_of_bump[&255];
    for (bump, gas) in gas_of_bump {
        assert_eq!(gas, first + 1_500 * u64::from(255 - bump), "bump {bump}");
    }
}
