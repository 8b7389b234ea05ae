//! The exports through which a host passes bytes to a program. The host here uses only the VM, and
//! the program reports what it reads.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;
use std::sync::OnceLock;

use entrypoint::host_return::{PackedSlice, Unpacked};
use host_return::{Answer, CAPACITY, GREETING};
use loader::{Invocation, Loader};
use polkavm::{
    BackendKind, Config, InterruptKind, Module, ModuleConfig, ProgramBlob, RawInstance, Reg,
};
use proptest::prelude::*;

fn blob() -> &'static [u8] {
    static BLOB: OnceLock<Vec<u8>> = OnceLock::new();
    BLOB.get_or_init(|| program_test::build(tests::guest("host_return")))
}

/// The VM with the program, as any embedder could use it.
struct Host {
    module: Module,
    instance: RawInstance,
}

impl Host {
    fn new(backend: BackendKind) -> Self {
        let mut config = Config::new();
        config.set_backend(Some(backend));
        let engine = polkavm::Engine::new(&config).expect("an engine");
        let blob = ProgramBlob::parse(blob().into()).expect("a blob");
        let module = Module::from_blob(&engine, &ModuleConfig::new(), blob).expect("a module");
        let instance = module.instantiate().expect("an instance");
        Self { module, instance }
    }

    /// Runs the check on both engines.
    fn each(check: impl Fn(&mut Self)) {
        for backend in [BackendKind::Interpreter, BackendKind::Compiler] {
            check(&mut Self::new(backend));
        }
    }

    fn call(&mut self, export: &str, arguments: &[u64]) -> u64 {
        let entry = self
            .module
            .exports()
            .find(|candidate| candidate == export)
            .unwrap_or_else(|| panic!("no export `{export}`"))
            .program_counter();
        self.instance.prepare_call_untyped(entry, arguments);
        let interrupt = self.instance.run().expect("the VM runs");
        assert!(
            matches!(interrupt, InterruptKind::Finished),
            "{interrupt:?}"
        );
        self.instance.reg(Reg::A0)
    }

    fn answer(&mut self, export: &str, packed: PackedSlice) -> (Answer, u32) {
        let value = self.call(export, &[packed.to_u64()]);
        Answer::from_u64(value).unwrap_or_else(|| panic!("no answer: {value:#x}"))
    }

    fn used(&mut self) -> u32 {
        let (_, used) = Answer::from_u64(self.call("used", &[])).expect("an answer");
        used
    }

    fn reset(&mut self) {
        self.call("reset_arena", &[]);
    }

    /// Allocates scratch memory; `None` if there is not enough.
    fn alloc(&mut self, length: u64) -> Option<NonZeroU32> {
        let address = self.call("guest_alloc", &[length]);
        NonZeroU32::new(address.try_into().expect("a guest address"))
    }

    /// Passes bytes to the program as `docs/abi.md` describes.
    fn write(&mut self, bytes: &[u8]) -> PackedSlice {
        let Some(address) = self.alloc(bytes.len() as u64) else {
            return PackedSlice::NO_ROOM;
        };
        if !bytes.is_empty() {
            let address = address.get();
            self.instance.write_memory(address, bytes).expect("memory");
        }
        PackedSlice::new(address, bytes.len() as u32)
    }

    /// Reads the bytes that the program returned.
    fn read(&mut self, packed: u64) -> Option<Vec<u8>> {
        match PackedSlice::from_u64(packed).unpack().expect("well formed") {
            Unpacked::Nothing => None,
            Unpacked::NoRoom => panic!("the program had no room for its bytes"),
            Unpacked::Slice { length: 0, .. } => Some(Vec::new()),
            Unpacked::Slice { address, length } => {
                let bytes = self.instance.read_memory(address.get(), length);
                Some(bytes.expect("memory"))
            }
        }
    }
}

fn packed(address: u32, length: u32) -> PackedSlice {
    PackedSlice::from_u64(u64::from(address) << 32 | u64::from(length))
}

#[test]
fn nothing_empty_and_no_room_differ() {
    Host::each(|host| {
        host.reset();
        for export in ["see", "see_text"] {
            assert_eq!(
                host.answer(export, PackedSlice::NOTHING),
                (Answer::Nothing, 0)
            );
            assert_eq!(host.answer(export, PackedSlice::EMPTY), (Answer::Bytes, 0));
            assert_eq!(
                host.answer(export, PackedSlice::NO_ROOM),
                (Answer::NoRoom, 0)
            );
        }

        let empty = host.write(b"");
        assert_ne!(empty, PackedSlice::NOTHING);
        assert_eq!(host.answer("see", empty), (Answer::Bytes, 0));
        let too_long = host.write(&[1; CAPACITY + 1]);
        assert_eq!(too_long, PackedSlice::NO_ROOM);
        assert_eq!(host.answer("see", too_long), (Answer::NoRoom, 0));
        let whole = host.write(&[1; CAPACITY]);
        assert_eq!(host.answer("see", whole), (Answer::Bytes, CAPACITY as u32));
        // The arena is full, and its three blocks are still readable.
        assert_eq!(host.write(b"x"), PackedSlice::NO_ROOM);
        let empty = host.write(b"");
        assert_eq!(host.answer("see", empty), (Answer::Bytes, 0));
    });
}

#[test]
fn scratch_is_aligned_and_never_wraps() {
    Host::each(|host| {
        host.reset();
        for length in [
            CAPACITY as u64 + 1,
            1 << 31,
            (1 << 32) - 1,
            1 << 32,
            (1 << 32) + 8,
            u64::MAX - 7,
            u64::MAX,
        ] {
            assert_eq!(host.alloc(length), None, "{length:#x}");
        }
        let mut end = 0;
        for length in [1, 0, 3, 8, 7, 9, 100] {
            let address = host.alloc(length).expect("room").get();
            assert_eq!(address % 8, 0);
            if length > 0 {
                assert!(
                    address >= end,
                    "{address:#x} overlaps what ends at {end:#x}"
                );
                end = address + length as u32;
            }
        }
    });
}

#[test]
fn slice_outside_the_arena_is_rejected() {
    Host::each(|host| {
        host.reset();
        for length in [1, 2, 8, 1 << 31, u32::MAX - 1] {
            for export in ["see", "see_text", "see_hex"] {
                let answer = host.answer(export, packed(0, length));
                assert_eq!(answer, (Answer::Malformed, length));
            }
        }

        let Ok(Unpacked::Slice { address, .. }) = host.write(b"0123456789").unpack() else {
            panic!("no room");
        };
        let first = address.get();
        let greeting = host.call("greet", &[5]);
        for (address, length) in [
            (first - 1, 1),
            (first - 8, 8),
            (first - 8, 18),
            (first, 11),
            (first + 1, 10),
            (first + 10, 1),
            (first, u32::MAX),
            (first, u32::MAX - first + 1),
            (1, 1),
            (0x1_0000, 16),
            ((greeting >> 32) as u32, 5),
            (0xFFFD_FF00, 16),
            (u32::MAX, 1),
            (u32::MAX, u32::MAX),
        ] {
            for export in ["see", "see_text", "see_hex"] {
                let answer = host.answer(export, packed(address, length));
                assert_eq!(answer, (Answer::OutsideArena, length), "{address:#x}");
            }
        }
        let answer = host.answer("see", packed(first + 3, 7));
        assert_eq!(answer, (Answer::Bytes, 7));

        host.reset();
        let answer = host.answer("see", packed(first, 1));
        assert_eq!(answer, (Answer::OutsideArena, 1), "taken back");
    });
}

#[test]
fn invalid_text_is_still_bytes() {
    Host::each(|host| {
        host.reset();
        for (bytes, valid_up_to) in [
            (b"\xff".as_slice(), Some(0)),
            (b"ab\xc3", Some(2)),
            (b"ab\xc3\x28", Some(2)),
            (b"\xed\xa0\x80", Some(0)),
            ("zwölf".as_bytes(), None),
            (b"", None),
        ] {
            let given = host.write(bytes);
            let length = bytes.len() as u32;
            assert_eq!(host.answer("see", given), (Answer::Bytes, length));
            let expected = match valid_up_to {
                Some(valid_up_to) => (Answer::NotUtf8, valid_up_to),
                None => (Answer::Bytes, length),
            };
            assert_eq!(host.answer("see_text", given), expected);
        }
    });
}

#[test]
fn program_returns_a_range_of_its_memory() {
    Host::each(|host| {
        host.reset();
        for length in 0..=GREETING.len() {
            let returned = host.call("greet", &[length as u64]);
            assert_eq!(host.read(returned).as_deref(), Some(&GREETING[..length]));
        }
        let echoed = host.call("echo", &[PackedSlice::NOTHING.to_u64()]);
        assert_eq!(host.read(echoed), None);
        for text in ["", "a", "something longer"] {
            let given = host.write(text.as_bytes());
            let echoed = host.call("echo", &[given.to_u64()]);
            assert_eq!(host.read(echoed).as_deref(), Some(text.as_bytes()));
        }
    });
}

#[test]
fn each_invocation_has_the_whole_arena() {
    Host::each(|host| {
        for invocation in 0..5_u8 {
            host.reset();
            assert_eq!(host.used(), 0);
            let whole = host.write(&[invocation; CAPACITY]);
            assert_eq!(host.used(), CAPACITY as u32);
            let echoed = host.call("echo", &[whole.to_u64()]);
            assert_eq!(host.read(echoed), Some(vec![invocation; CAPACITY]));
        }
    });
}

#[test]
fn hex_is_decoded_up_to_the_first_invalid_digit() {
    Host::each(|host| {
        host.reset();
        for (digits, expected) in [
            ("", (Answer::Decoded, 0)),
            ("01fF", (Answer::Decoded, 256)),
            ("0102030405060708", (Answer::Decoded, 36)),
            ("010203040506070809", (Answer::TooLong, 9)),
            ("01020304050607080g", (Answer::BadDigit, 17)),
            ("012", (Answer::OddLength, 3)),
            ("g12", (Answer::BadDigit, 0)),
            ("01gg", (Answer::BadDigit, 2)),
        ] {
            let given = host.write(digits.as_bytes());
            assert_eq!(host.answer("see_hex", given), expected, "{digits}");
        }
    });
}

#[test]
fn the_loader_runs_a_program_with_these_exports() {
    for engine in tests::polkavm() {
        let loader = Loader::new(engine).expect("an engine");
        let program = loader.load(blob()).expect("a program");
        for (length, line) in [(0, "1 0"), (CAPACITY, "1 0"), (CAPACITY + 1, "0 0")] {
            let invocation = Invocation::new(tests::PROGRAM_ID).data(vec![0; length]);
            let outcome = program.invoke(&invocation).expect("an outcome");
            assert_eq!(outcome.failure, None);
            assert_eq!(outcome.logs, [line]);
        }
    }
}

#[test]
fn arena_takes_no_space_in_the_blob() {
    let blob = ProgramBlob::parse(blob().into()).expect("a blob");
    assert!(blob.rw_data_size() as usize >= CAPACITY);
    assert!(blob.rw_data().len() < CAPACITY);
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<u8>),
    Reset,
    /// Reads a range that starts at this offset from the arena's start.
    Read(i32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Step::Write),
        1 => Just(Step::Reset),
        6 => (-100..1_100_i32, 1..1_100_u32)
            .prop_map(|(offset, length)| Step::Read(offset, length)),
    ]
}

/// Compares the program with a model. The model has all bytes of the arena, which are zero at first
/// and change only where the host writes.
fn check_against_model(host: &mut Host, steps: &[Step]) {
    host.reset();
    let first = host.alloc(0).expect("empty").get();
    let mut written = vec![0_u8; CAPACITY];
    let mut used = 0_usize;
    for step in steps {
        match step {
            Step::Write(bytes) => {
                let start = used.next_multiple_of(8);
                let given = host.write(bytes);
                if bytes.is_empty() {
                    assert_eq!(given, packed(first, 0));
                } else if start + bytes.len() > CAPACITY {
                    assert_eq!(given, PackedSlice::NO_ROOM);
                } else {
                    assert_eq!(given, packed(first + start as u32, bytes.len() as u32));
                    used = start + bytes.len();
                    written[start..used].copy_from_slice(bytes);
                }
            }
            Step::Reset => {
                host.reset();
                used = 0;
            }
            Step::Read(offset, length) => {
                let asked = packed(first.wrapping_add_signed(*offset), *length);
                let inside = usize::try_from(*offset)
                    .ok()
                    .and_then(|offset| written[..used].get(offset..offset + *length as usize));
                match inside {
                    Some(bytes) => {
                        assert_eq!(host.answer("see", asked), (Answer::Bytes, *length));
                        let echoed = host.call("echo", &[asked.to_u64()]);
                        assert_eq!(echoed, asked.to_u64());
                        assert_eq!(host.read(echoed).as_deref(), Some(bytes));
                    }
                    None => {
                        let refused = (Answer::OutsideArena, *length);
                        assert_eq!(host.answer("see", asked), refused);
                    }
                }
            }
        }
        assert_eq!(host.used(), used as u32);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn any_sequence_of_steps_reads_what_was_written(steps in prop::collection::vec(step(), 0..40)) {
        check_against_model(&mut Host::new(BackendKind::Interpreter), &steps);
    }
}
