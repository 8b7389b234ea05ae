//! What syscalls cost: the table of prices decides, and nothing else.

use std::sync::Arc;

use abi::imports::Import;
use loader::{Engine, Host, Loader, Price, Prices};
use program_build::guest::Target;

use crate::syscalls::guest::{Script, file, limits};
use crate::syscalls::siblings;

/// Prices at which every syscall is free, but not the work of cryptography.
fn free() -> Prices {
    let mut prices = Prices::rialo();
    for import in Import::ALL {
        prices.set(*import, Price::default());
    }
    prices.lists = Price::default();
    prices
}

/// The gas of a script on the interpreter.
fn gas(script: &Script, prices: Prices) -> u64 {
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter");
    let loader = loader.limits(limits()).prices(prices);
    let program = loader
        .load(file(Target::Riscv64, false))
        .expect("a program");
    let host: Arc<dyn Host> = Arc::new(siblings::host());
    let outcome = script.invoke(&program, &host);
    assert_eq!(outcome.failure, None);
    outcome.gas_used
}

/// A valid call of each syscall, and its price in the runtime's table.
fn scripts() -> Vec<(Import, Script, u64)> {
    let script = Script::new;
    let key = [1; 32];
    let point = {
        let mut point = [0x66; 32];
        point[0] = 0x58;
        point
    };
    let bytes = |import: Import, length: usize| {
        script(import)
            .bytes(&vec![65; length])
            .number(length as u64)
    };
    let hash = |import: Import| script(import).slices(&[&[1; 4], &[2; 101]]).output(32);
    let sysvar = |import: Import, length: usize| script(import).output(length);
    let copy = |import: Import| {
        script(import)
            .output(1_001)
            .bytes(&[1; 1_001])
            .number(1_001)
    };
    vec![
        (Import::Log, bytes(Import::Log, 101), 101),
        (Import::Log64, script(Import::Log64), 100),
        (
            Import::LogPubkey,
            script(Import::LogPubkey).bytes(&key),
            100,
        ),
        (
            Import::LogComputeUnits,
            script(Import::LogComputeUnits),
            100,
        ),
        (
            Import::RemainingComputeUnits,
            script(Import::RemainingComputeUnits),
            100,
        ),
        // There are no return data yet.
        (
            Import::GetReturnData,
            script(Import::GetReturnData).output(8).number(8).output(32),
            100,
        ),
        (Import::Memcpy, copy(Import::Memcpy), 10),
        (Import::Memmove, copy(Import::Memmove), 10),
        (
            Import::Memset,
            script(Import::Memset).output(5_001).number(1).number(5_001),
            21,
        ),
        (
            Import::Memcmp,
            script(Import::Memcmp)
                .bytes(&key)
                .bytes(&key)
                .number(32)
                .output(4),
            10,
        ),
        (Import::GetStackHeight, script(Import::GetStackHeight), 100),
        (
            Import::GetProcessedSiblingInstruction,
            siblings::script(1, siblings::oldest()),
            100,
        ),
        (
            Import::CreateProgramAddress,
            script(Import::CreateProgramAddress)
                .slices(&[b"a"])
                .bytes(&key)
                .output(32),
            1_500,
        ),
        (
            Import::GetClockSysvar,
            sysvar(Import::GetClockSysvar, 24),
            124,
        ),
        (
            Import::GetRentSysvar,
            sysvar(Import::GetRentSysvar, 24),
            124,
        ),
        (
            Import::GetEpochScheduleSysvar,
            sysvar(Import::GetEpochScheduleSysvar, 40),
            140,
        ),
        (Import::GetFeesSysvar, sysvar(Import::GetFeesSysvar, 8), 108),
        (
            Import::GetEpochRewardsSysvar,
            sysvar(Import::GetEpochRewardsSysvar, 96),
            196,
        ),
        (
            Import::GetLastRestartSlot,
            sysvar(Import::GetLastRestartSlot, 8),
            108,
        ),
        (Import::GetRandomSeed, sysvar(Import::GetRandomSeed, 8), 108),
        (
            Import::GetSysvar,
            script(Import::GetSysvar)
                .bytes(abi::ids::RENT.as_bytes())
                .output(17)
                .number(0)
                .number(17),
            110,
        ),
        // 100, and for each slice 100 and its bytes.
        (
            Import::LogData,
            script(Import::LogData).slices(&[&[1; 4], &[2; 101]]),
            405,
        ),
        // 85, and for each slice half its bytes, 10 at least.
        (Import::Sha256, hash(Import::Sha256), 85 + 10 + 51),
        (Import::Keccak256, hash(Import::Keccak256), 85 + 10 + 51),
        (Import::Blake3, hash(Import::Blake3), 85 + 10 + 51),
        (
            Import::Secp256k1Recover,
            script(Import::Secp256k1Recover)
                .bytes(&key)
                .number(0)
                .bytes(&[1; 64])
                .output(64),
            25_000,
        ),
        (
            Import::CurveValidatePoint,
            script(Import::CurveValidatePoint).number(0).bytes(&point),
            0,
        ),
        (
            Import::CurveGroupOp,
            script(Import::CurveGroupOp)
                .number(0)
                .number(0)
                .bytes(&point)
                .bytes(&point)
                .output(32),
            0,
        ),
        (
            Import::CurveMultiscalarMul,
            script(Import::CurveMultiscalarMul)
                .number(0)
                .bytes(&[0; 32])
                .bytes(&point)
                .number(1)
                .output(32),
            0,
        ),
        (
            Import::AltBn128GroupOp,
            script(Import::AltBn128GroupOp)
                .number(0)
                .bytes(&[0; 128])
                .number(128)
                .output(64),
            0,
        ),
        (
            Import::AltBn128Compression,
            script(Import::AltBn128Compression)
                .number(0)
                .bytes(&[0; 64])
                .number(64)
                .output(32),
            100,
        ),
        (
            Import::Poseidon,
            script(Import::Poseidon)
                .number(0)
                .number(0)
                .slices(&[&[0; 32]])
                .output(32),
            0,
        ),
        (
            Import::BigModExp,
            script(Import::BigModExp)
                .addressed(&[&[2], &[3], &[5]])
                .output(1),
            100,
        ),
    ]
}

#[test]
fn every_syscall_has_a_price() {
    let scripts = scripts();
    // Calls have tests of their own; the guest's own return data are in every price; each bump has
    // a test in `program_address`.
    let others = [
        Import::InvokeSigned,
        Import::InvokeSignedC,
        Import::LoadAccount,
        Import::SetReturnData,
        Import::Abort,
        Import::TryFindProgramAddress,
    ];
    for import in Import::ALL {
        let is_tested = scripts.iter().any(|(tested, ..)| tested == import);
        assert!(
            is_tested || others.contains(import),
            "{import:?} has no script"
        );
    }
    for (import, script, expected) in scripts {
        let at_free = gas(&script, free());
        let mut dearer = free();
        dearer.set(import, Price::fixed(12_345));
        assert_eq!(gas(&script, dearer), at_free + 12_345, "{import:?}");
        let mut runtime = free();
        runtime.set(import, *Prices::rialo().of(import));
        assert_eq!(gas(&script, runtime), at_free + expected, "{import:?}");
    }
}

/// Names one number of the table.
type PriceOf = fn(&mut Prices) -> &mut u64;

/// The work of cryptography has prices of its own.
#[test]
fn work_has_its_price() {
    let scripts = scripts();
    let of = |import: Import| {
        let mut scripts = scripts.iter();
        let found = scripts.find(|(tested, ..)| *tested == import);
        &found.expect("a script").1
    };
    let cases: [(Import, PriceOf); 8] = [
        (Import::CurveValidatePoint, |prices| {
            &mut prices.edwards.validate
        }),
        (Import::CurveGroupOp, |prices| &mut prices.edwards.add),
        (Import::CurveMultiscalarMul, |prices| {
            &mut prices.edwards.multiscalar_first
        }),
        (Import::AltBn128GroupOp, |prices| &mut prices.alt_bn128.add),
        (Import::AltBn128Compression, |prices| {
            &mut prices.alt_bn128.compress_g1
        }),
        (Import::Poseidon, |prices| &mut prices.poseidon.base),
        (Import::Poseidon, |prices| &mut prices.poseidon.per),
        (Import::BigModExp, |prices| {
            &mut prices.big_mod_exp.longest.base
        }),
    ];
    for (import, price) in cases {
        let script = of(import);
        let before = gas(script, free());
        let mut dearer = free();
        *price(&mut dearer) += 777;
        assert_eq!(gas(script, dearer), before + 777, "{import:?}");
    }
}

/// The prices by default did not change for what programs could do before there was a table.
#[test]
fn the_old_syscalls_cost_what_they_did() {
    let scripts = scripts();
    let expected = [
        (Import::Log, 13),
        (Import::Log64, 0),
        (Import::LogPubkey, 4),
        (Import::LogComputeUnits, 0),
        (Import::RemainingComputeUnits, 0),
        (Import::Memcpy, 126),
        (Import::Memmove, 126),
        (Import::Memset, 626),
        (Import::Memcmp, 4 + 4 + 1),
    ];
    for (import, price) in expected {
        let mut found = scripts.iter();
        let (_, script, _) = found
            .find(|(tested, ..)| *tested == import)
            .expect("a script");
        let mut ours = free();
        ours.set(import, *Prices::default().of(import));
        assert_eq!(gas(script, ours), gas(script, free()) + price, "{import:?}");
    }
}
