//! `rlo_secp256k1_recover`.

use abi::imports::Import;
use loader::Access;

use crate::syscalls::guest::{Number, Script, hex};

fn recover(hash: &str, recovery_id: u64, signature: &str) -> Script {
    let script = Script::new(Import::Secp256k1Recover).bytes(&hex(hash));
    script.number(recovery_id).bytes(&hex(signature)).output(64)
}

/// The address of a public key, as Ethereum calculates it.
fn address(public_key: &[u8]) -> Vec<u8> {
    let done = Script::new(Import::Keccak256)
        .slices(&[public_key])
        .output(32)
        .run();
    done.argument(2, 32)[12..].to_vec()
}

/// Ethereum's v is 27 more than the recovery id.
const HASH: &str = "456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3";
const SIGNATURE: &str = "
    9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608
    4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada";

/// The vectors of Ethereum's precompile `ecrecover`. The second has an s in the upper half there,
/// and the other recovery id.
#[test]
fn keys_are_those_of_ethereum() {
    let done = recover(HASH, 1, SIGNATURE).run();
    assert_eq!(done.result, 0);
    let expected = "7156526fbd7a3c72969b54f64e42c10fbb768c8a";
    assert_eq!(address(done.argument(3, 64)), hex(expected));

    let hash = "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c";
    let signature = "
        73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f
        1146bf4e2fc4de1c94f1b81868960f68bc842490f1b6bc98387ba6b57599fbf8";
    let done = recover(hash, 0, signature).run();
    assert_eq!(done.result, 0);
    let expected = "a94f5374fce5edbc8e2a8697c15331677e6ebf0b";
    assert_eq!(address(done.argument(3, 64)), hex(expected));
}

#[test]
fn invalid_inputs_have_their_numbers() {
    for recovery_id in [4, 27, 28, 255, 256, u64::MAX] {
        assert_eq!(recover(HASH, recovery_id, SIGNATURE).run().result, 2);
    }
    // An s in the upper half, r and s of zero, and r beyond the order.
    let upper = "
        73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f
        eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549";
    for signature in [upper, &"00".repeat(64), &"ff".repeat(64)] {
        let done = recover(HASH, 1, signature).run();
        assert_eq!(done.result, 3, "{signature}");
        assert_eq!(done.argument(3, 64), [0; 64]);
    }
}

#[test]
fn wild_addresses_are_rejected() {
    recover(HASH, 1, SIGNATURE).reject_wild(&[
        (0, 32, Access::Read),
        (2, 64, Access::Read),
        (3, 64, Access::Write),
    ]);
    // The address is checked before the recovery id.
    let failure = recover(HASH, 9, SIGNATURE)
        .with(3, Number(0xffff_0000))
        .fail();
    assert_eq!(failure.kind(), "InvalidPointer");
}
