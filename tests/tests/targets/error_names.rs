//! Every kind of program file carries the names of the program's errors, and loads with them.

use abi::contract::EntryKind;
use loader::{Engine, Invocation, Loader, Target};
use program_build::custom_errors::{CustomError, CustomErrors};
use program_build::guest::{DebugInfo, build_for};
use program_build::package::ProgramPackage;
use tests::{PROGRAM_ID, guest};

fn build(target: Target, debug_info: DebugInfo) -> Vec<u8> {
    let package = ProgramPackage::in_folder(&guest("checks")).expect("a program");
    build_for(&package, target, &[], debug_info).unwrap_or_else(|error| panic!("{error:?}"))
}

fn expected() -> Vec<CustomError> {
    let error = |code, name: &str, text: &str| CustomError {
        code,
        name: format!("CheckError::{name}"),
        text: text.to_owned(),
    };
    vec![
        error(0, "UnknownCommand", "The command is not a [`Command`]"),
        error(7, "CountEnded", "the \u{1f} \"count\" ended"),
        error(
            8,
            "Explained",
            "A long explanation that goes on in a second line",
        ),
        error(u32::MAX, "Silent", ""),
    ]
}

#[test]
fn blob_has_the_names_and_runs_on_both_versions_of_the_vm() {
    let blob = build(Target::Riscv64, DebugInfo::Keep);
    let errors = CustomErrors::of(&blob);
    assert_eq!(errors.all(), expected());
    assert_eq!(
        errors.describe(7).as_deref(),
        Some(r#"CheckError::CountEnded, "the \u{1f} "count" ended""#)
    );
    assert_eq!(
        errors.describe(u32::MAX).as_deref(),
        Some("CheckError::Silent")
    );
    assert_eq!(errors.describe(9), None);

    // The VM of the published runtime skips the section too.
    let old = polkavm_026::ProgramBlob::parse(blob.as_slice().into()).expect("a blob");
    assert!(
        old.exports()
            .any(|export| export.symbol().as_bytes() == b"entrypoint")
    );

    let stripped = build(Target::Riscv64, DebugInfo::Strip);
    assert_eq!(CustomErrors::of(&stripped), CustomErrors::default());
    assert!(!stripped.windows(10).any(|bytes| bytes == b"CountEnded"));
    let gas = [&blob, &stripped].map(|blob| {
        let loader = Loader::new(Engine::Interpreter).expect("an engine");
        let program = loader.load(blob).expect("a program");
        let outcome = program.invoke(&Invocation::new(PROGRAM_ID).data([0xFD]));
        let outcome = outcome.expect("a valid invocation");
        assert_eq!(outcome.status, Some(7));
        outcome.gas_used
    });
    assert_eq!(gas[0], gas[1]);
}

#[test]
fn module_has_the_names() {
    let module = build(Target::Wasm32, DebugInfo::Keep);
    assert_eq!(CustomErrors::of(&module).all(), expected());
    let stripped = build(Target::Wasm32, DebugInfo::Strip);
    assert_eq!(CustomErrors::of(&stripped), CustomErrors::default());
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn library_has_the_names() {
    let library = build(Target::Native, DebugInfo::Keep);
    assert_eq!(CustomErrors::of(&library).all(), expected());

    // The note with the program's contract is beside them. The library needs no process to be read.
    let loader = Loader::native(["true".into()]);
    let program = loader.load(&library).expect("a library");
    let contract = program.contract().expect("a contract");
    assert_eq!(contract.entry, EntryKind::Entrypoint);
    assert_eq!(contract.heap_size, 32 * 1024);
    // Damage to it gives an error or another contract, and never harm.
    let place = library.windows(4).position(|bytes| bytes == b"CTRT");
    let place = place.expect("a note");
    for byte in place - 8..place + 24 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut damaged = library.clone();
            damaged[byte] = value;
            let kind = loader.load(&damaged).err().map(|error| error.kind());
            assert!(matches!(kind, None | Some("InvalidContract")), "{kind:?}");
        }
    }
    for length in (0..library.len()).step_by(library.len() / 50) {
        let _ = loader.load(&library[..length]);
    }
}

#[test]
fn damaged_files_have_no_names_and_harm_nothing() {
    for file in [
        &b"PVM\0"[..],
        b"\0asm\x01\0\0\0\0\xff",
        b"\x7fELF\x02\x01\x01",
        b"",
    ] {
        assert_eq!(CustomErrors::of(file), CustomErrors::default());
    }
    let blob = build(Target::Riscv64, DebugInfo::Keep);
    for length in (0..blob.len()).step_by(97) {
        let _ = CustomErrors::of(&blob[..length]);
    }
}
