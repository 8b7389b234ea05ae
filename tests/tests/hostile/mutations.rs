//! Damaged blobs, random bytes and random code, loaded and called: the loader rejects each, or runs
//! it with the same outcome on both engines.

use std::sync::OnceLock;

use loader::Engine;
use polkavm_common::program::Reg::A0;
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::varint::write_varint;
use proptest::prelude::*;
use proptest::sample::Index;
use tests::hostile::blob::{Loaders, set_length};
use tests::inspection::{Blob, programs, vm_blob};

/// Corrects the length in the header, then loads and runs the blob. Compiling a blob takes far
/// longer than interpreting it, so most blobs are only interpreted.
fn check(mut bytes: Vec<u8>, on_both: bool) -> bool {
    static BOTH: OnceLock<Loaders> = OnceLock::new();
    static INTERPRETER: OnceLock<Loaders> = OnceLock::new();
    set_length(&mut bytes);
    let loaders = if on_both {
        BOTH.get_or_init(|| Loaders::new(&tests::polkavm()))
    } else {
        INTERPRETER.get_or_init(|| Loaders::new(&[Engine::Interpreter]))
    };
    loaders.check(&bytes).is_some()
}

/// True in one case of thirty.
fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(1.0 / 30.0)
}

/// The examples and the probe, with and without debug information.
fn real() -> &'static [Vec<u8>] {
    static REAL: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    REAL.get_or_init(|| {
        let built = programs().iter();
        built
            .flat_map(|built| [built.kept.clone(), built.stripped.clone()])
            .collect()
    })
}

/// A blob with exactly these bytes of code. `starts` marks where instructions start, in the
/// instruction sets that need it.
fn blob_of_code(set: u8, code: &[u8], starts: &[u8]) -> Vec<u8> {
    // An empty jump table: zero entries, of zero bytes each.
    let mut content = vec![0, 0];
    let push_length = |content: &mut Vec<u8>, length: usize| {
        let mut bytes = [0; 5];
        let width = write_varint(length as u32, &mut bytes);
        content.extend(&bytes[..width]);
    };
    if set != LATEST64 {
        push_length(&mut content, code.len());
    }
    content.extend(code);
    if set != LATEST64 {
        let mut starts = starts.to_vec();
        starts.resize(code.len().div_ceil(8), 0xFF);
        // Bits after the end of the code are zero.
        if !code.len().is_multiple_of(8)
            && let Some(last) = starts.last_mut()
        {
            *last &= (1 << (code.len() % 8)) - 1;
        }
        content.extend(starts);
    }
    let mut bytes = b"PVM\0".to_vec();
    bytes.push(set);
    bytes.extend([0; 8]);
    // In this order: sizes of data and stack, read-only data, one import, the export, the code.
    bytes.extend(b"\x01\x04\x05\x10\x90\x00\x02\x05hello\x04\x0d\x01\0\0\0\0rlo_log_");
    bytes.extend(b"\x05\x0d\x01\0\x0aentrypoint\x06");
    push_length(&mut bytes, content.len());
    bytes.extend(content);
    bytes.push(0);
    set_length(&mut bytes);
    bytes
}

/// The number, in a header, of the instruction set that marks no instruction starts.
const LATEST64: u8 = 2;

/// The number of each instruction set in a header.
const SETS: [(InstructionSetKind, u8); 4] = [
    (InstructionSetKind::ReviveV1, 0),
    (InstructionSetKind::Latest32, 1),
    (InstructionSetKind::Latest64, LATEST64),
    (InstructionSetKind::JamV1, 3),
];

#[test]
fn handwritten_blob_matches_the_blob_writer() {
    let code = [asm::load_imm(A0, 0), asm::ret()];
    for (set, number) in SETS {
        let mut blob = Blob::new(set, &code).entrypoint();
        blob.builder.add_import(b"rlo_log_");
        blob.builder.set_ro_data(b"hello".to_vec());
        blob.builder.set_ro_data_size(5);
        blob.builder.set_rw_data_size(16);
        let written = blob.bytes();
        let parsed = vm_blob(&written);
        let by_hand = blob_of_code(number, parsed.code(), parsed.bitmask());
        assert_eq!(by_hand, written, "{}", set.name());
        // The loader rejects a 32-bit program.
        assert_eq!(check(by_hand, true), number != 1);
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn damaged_programs_do_no_harm(
        which: Index,
        cut: Option<Index>,
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        on_both in rarely(),
    ) {
        let mut bytes = which.get(real()).clone();
        if let Some(cut) = cut.filter(|_| damage.len() > 6) {
            bytes.truncate(1 + cut.index(bytes.len()));
        }
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        check(bytes, on_both);
    }

    #[test]
    fn damaged_code_does_no_harm(
        which: Index,
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..40),
        on_both in rarely(),
    ) {
        let bytes = which.get(real());
        let parsed = vm_blob(bytes);
        // Find the code in the file; its bytes occur only once.
        let code = parsed.code();
        let mut places = bytes.windows(code.len());
        let start = places.position(|window| window == code).expect("the code");
        let mut bytes = bytes.clone();
        for (place, byte) in damage {
            bytes[start + place.index(code.len())] = byte;
        }
        check(bytes, on_both);
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn random_code_does_no_harm(
        set in 0..4_usize,
        code in prop::collection::vec(any::<u8>(), 1..80),
        starts in prop::collection::vec(any::<u8>(), 0..10),
        all_start: bool,
        on_both in rarely(),
    ) {
        let mut starts = if all_start { Vec::new() } else { starts };
        starts.truncate(code.len().div_ceil(8));
        check(blob_of_code(SETS[set].1, &code, &starts), on_both);
    }

    #[test]
    fn random_bytes_are_not_a_blob(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        set in 0..4_u8,
        on_both in rarely(),
    ) {
        check(bytes.clone(), on_both);
        let mut with_header = b"PVM\0".to_vec();
        with_header.push(set);
        with_header.extend([0; 8]);
        with_header.extend(bytes);
        check(with_header, on_both);
    }
}
