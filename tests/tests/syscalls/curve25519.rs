//! `rlo_curve_validate_point`, `rlo_curve_group_op` and `rlo_curve_multiscalar_mul`.

use abi::imports::Import;
use loader::Access;

use crate::syscalls::guest::{Number, Script, hex};

const EDWARDS: u64 = 0;
const RISTRETTO: u64 = 1;

/// The generator of ed25519 times 1 to 5, from a calculation in integers.
const EDWARDS_MULTIPLES: [&str; 5] = [
    "5866666666666666666666666666666666666666666666666666666666666666",
    "c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022",
    "d4b4f5784868c3020403246717ec169ff79e26608ea126a1ab69ee77d1b16712",
    "2f1132ca61ab38dff00f2fea3228f24c6c71d58085b80e47e19515cb27e8d047",
    "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df",
];

/// The generator of Ristretto times 1 to 5: RFC 9496, A.1.
const RISTRETTO_MULTIPLES: [&str; 5] = [
    "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
    "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
    "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
    "da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
    "e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
];

const BOTH: [(u64, [&str; 5]); 2] = [
    (EDWARDS, EDWARDS_MULTIPLES),
    (RISTRETTO, RISTRETTO_MULTIPLES),
];

/// Bytes that are not an element: RFC 9496, A.2. Most are points of ed25519.
const NOT_RISTRETTO: [&str; 4] = [
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
];

fn scalar(number: u8) -> [u8; 32] {
    let mut scalar = [0; 32];
    scalar[0] = number;
    scalar
}

fn validate(curve: u64, point: &[u8]) -> Script {
    let script = Script::new(Import::CurveValidatePoint).number(curve);
    script.bytes(point).number(0)
}

fn group(curve: u64, operation: u64, left: &[u8], right: &[u8]) -> Script {
    let script = Script::new(Import::CurveGroupOp)
        .number(curve)
        .number(operation);
    script.bytes(left).bytes(right).output(32)
}

fn multiscalar(curve: u64, scalars: &[u8], points: &[u8]) -> Script {
    let script = Script::new(Import::CurveMultiscalarMul).number(curve);
    let script = script.bytes(scalars).bytes(points);
    script.number(points.len() as u64 / 32).output(32)
}

#[test]
fn points_are_valid_or_not() {
    for (curve, multiples) in BOTH {
        for point in multiples {
            assert_eq!(
                validate(curve, &hex(point)).run().result,
                0,
                "{curve} {point}"
            );
        }
    }
    for point in NOT_RISTRETTO {
        assert_eq!(validate(RISTRETTO, &hex(point)).run().result, 1, "{point}");
    }
    // y = 2 is not on the curve. There are two curves.
    assert_eq!(validate(EDWARDS, &scalar(2)).run().result, 1);
    for curve in [2, u64::MAX] {
        assert_eq!(validate(curve, &scalar(1)).run().result, 1);
    }
}

#[test]
fn sums_differences_and_products_are_multiples() {
    for (curve, multiples) in BOTH {
        let multiple = |number: usize| hex(multiples[number - 1]);
        let point = |script: Script| {
            let done = script.run();
            assert_eq!(done.result, 0);
            done.argument(4, 32).to_vec()
        };
        assert_eq!(
            point(group(curve, 0, &multiple(2), &multiple(3))),
            multiple(5)
        );
        assert_eq!(
            point(group(curve, 1, &multiple(5), &multiple(1))),
            multiple(4)
        );
        assert_eq!(
            point(group(curve, 2, &scalar(5), &multiple(1))),
            multiple(5)
        );
        assert_eq!(
            point(group(curve, 2, &scalar(2), &multiple(2))),
            multiple(4)
        );
        // 2 * 1 + 1 * 3 = 5.
        let scalars = [scalar(2), scalar(1)].concat();
        let points = [multiple(1), multiple(3)].concat();
        assert_eq!(point(multiscalar(curve, &scalars, &points)), multiple(5));
        // No point at all gives the neutral element.
        let neutral = scalar(u8::from(curve == EDWARDS));
        assert_eq!(point(multiscalar(curve, &[], &[])), neutral);
    }
}

#[test]
fn invalid_inputs_give_no_point() {
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    for (curve, multiples) in BOTH {
        let (point, bad) = (hex(multiples[0]), hex(NOT_RISTRETTO[0]));
        let bad = if curve == EDWARDS {
            scalar(2).to_vec()
        } else {
            bad
        };
        for script in [
            group(curve, 0, &bad, &point),
            group(curve, 1, &point, &bad),
            group(curve, 2, &scalar(1), &bad),
            // A scalar is less than the order.
            group(curve, 2, &order, &point),
            group(curve, 3, &point, &point),
            group(2, 0, &point, &point),
            multiscalar(curve, &order, &point),
            multiscalar(curve, &scalar(1), &bad),
            multiscalar(2, &scalar(1), &point),
            // At most 512 points.
            multiscalar(curve, &scalar(1), &point).with(3, Number(513)),
            multiscalar(curve, &scalar(1), &point).with(3, Number(u64::MAX)),
        ] {
            let done = script.run();
            assert_eq!(done.result, 1);
            assert_eq!(done.argument(4, 32), [0; 32]);
        }
    }
}

#[test]
fn wild_addresses_are_rejected() {
    for (curve, multiples) in BOTH {
        let point = hex(multiples[0]);
        validate(curve, &point).reject_wild(&[(1, 32, Access::Read)]);
        group(curve, 0, &point, &point).reject_wild(&[
            (2, 32, Access::Read),
            (3, 32, Access::Read),
            (4, 32, Access::Write),
        ]);
        multiscalar(curve, &scalar(1), &point).reject_wild(&[
            (1, 32, Access::Read),
            (2, 32, Access::Read),
            (4, 32, Access::Write),
        ]);
    }
}
