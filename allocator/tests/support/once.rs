//! Memory that exists once in a process: an announced heap, and a heap at a fixed address.

use core::ops::Range;
use std::env;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use allocator::{FixedHeap, LoaderHeap, set_heap_base, set_heap_limit};

use super::{Buffer, HEADER, Memory};

/// A buffer that is announced like a loader's heap. It has at least the length of a header.
pub struct Announced(Buffer);

impl Announced {
    /// A buffer of `length` bytes, but at least a header, at an address that is `remainder` modulo
    /// [`MODULUS`](super::MODULUS).
    pub fn new(remainder: usize, length: usize) -> Self {
        Self(Buffer::new(remainder, length.max(HEADER)))
    }
}

// SAFETY: the source borrows the zeroed buffer. There is one announcement in the process, and so
// only one source over it.
unsafe impl Memory for Announced {
    type Source<'memory> = LoaderHeap;
    type Ground<'memory> = Range<usize>;

    fn open(&mut self) -> (Self::Source<'_>, Self::Ground<'_>) {
        static DONE: AtomicBool = AtomicBool::new(false);
        assert!(!DONE.swap(true, Ordering::Relaxed), "announced before");

        let region = self.0.region();
        let lent = self.0.lend();
        lent.fill(core::mem::MaybeUninit::new(0));
        let base = lent.as_mut_ptr().expose_provenance();
        // SAFETY: this is the only call in the process, as just asserted, in one thread. The region
        // is a zeroed, exposed buffer that is borrowed for as long as the heap over it lives.
        unsafe { set_heap_base(base) };
        // SAFETY: this is the only call, after the base is set. All bytes up to the limit are the
        // buffer's.
        unsafe { set_heap_limit(region.len()) };
        // SAFETY: this is the only source, because `open` runs once in the process.
        (unsafe { LoaderHeap::new() }, region)
    }

    fn check_rest(&self) {
        self.0.check_sentinels();
    }
}

/// Pages from the system at an address that is known at compile time, with a heap inside.
pub struct Mapped<const BASE: usize, const LENGTH: usize>;

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(miri)
))]
// SAFETY: the pages are mapped here, zeroed and only for this heap. Mapping succeeds once in the
// process, because it requires free addresses.
unsafe impl<const BASE: usize, const LENGTH: usize> Memory for Mapped<BASE, LENGTH> {
    type Source<'memory> = FixedHeap<BASE, LENGTH>;
    type Ground<'memory> = Range<usize>;

    fn open(&mut self) -> (Self::Source<'_>, Self::Ground<'_>) {
        map::pages(Self::pages());
        // SAFETY: the region is mapped, zeroed and exposed, and no other code uses it.
        let source = unsafe { FixedHeap::new() };
        (source, BASE..BASE + LENGTH)
    }

    fn check_rest(&self) {
        let pages = Self::pages();
        for range in [pages.start..BASE, BASE + LENGTH..pages.end] {
            let start = core::ptr::with_exposed_provenance::<u8>(range.start);
            // SAFETY: `open` has mapped and exposed the pages, and no code writes to them now.
            let bytes = unsafe { core::slice::from_raw_parts(start, range.len()) };
            assert!(
                bytes.iter().all(|byte| *byte == 0),
                "written outside the heap"
            );
        }
    }
}

impl<const BASE: usize, const LENGTH: usize> Mapped<BASE, LENGTH> {
    /// The pages of the heap, and one more on each side.
    fn pages() -> Range<usize> {
        const PAGE: usize = 4096;
        let start = BASE / PAGE * PAGE - PAGE;
        start..(BASE + LENGTH).next_multiple_of(PAGE) + PAGE
    }
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(miri)
))]
pub mod map {
    use core::ffi::{c_int, c_void};
    use core::ops::Range;

    const PROT_READ_WRITE: c_int = 1 | 2;
    const MAP_PRIVATE_ANONYMOUS: c_int = 0x02 | 0x20;
    const MAP_FIXED_NOREPLACE: c_int = 0x10_0000;

    // `std` links the C library anyway.
    unsafe extern "C" {
        fn mmap(
            address: *mut c_void,
            length: usize,
            protection: c_int,
            flags: c_int,
            file: c_int,
            offset: i64,
        ) -> *mut c_void;
    }

    /// Maps zeroed pages at these free addresses, and exposes them.
    pub fn pages(addresses: Range<usize>) {
        let flags = MAP_PRIVATE_ANONYMOUS | MAP_FIXED_NOREPLACE;
        let wanted = core::ptr::without_provenance_mut(addresses.start);
        // SAFETY: anonymous memory at free addresses: the call fails if they are not free.
        let pages = unsafe { mmap(wanted, addresses.len(), PROT_READ_WRITE, flags, -1, 0) };
        let found = pages.expose_provenance();
        assert_eq!(found, addresses.start, "the pages cannot be mapped");
    }
}

/// Runs `action` on each input in a process of its own, which runs only the test `test`. That test
/// must call this function, in its own thread.
pub fn in_its_own_process(
    test: &str,
    inputs: impl IntoIterator<Item = Vec<u8>>,
    action: impl Fn(&[u8]),
) {
    const VARIABLE: &str = "ALLOCATOR_TEST_INPUT";
    if let Ok(input) = env::var(VARIABLE) {
        return action(&hex::decode(input).expect("hexadecimal"));
    }
    let program = env::current_exe().expect("the path of this program");
    for input in inputs {
        let input = hex::encode(&input);
        let run = Command::new(&program)
            .args(["--exact", test])
            .env(VARIABLE, &input)
            .output()
            .expect("a process of this program");
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(
            run.status.success() && text.contains("1 passed"),
            "failed with {VARIABLE}={input}\n{text}"
        );
    }
}
