//! A program that runs the command in the first eight bytes of its input. It does not use the
//! framework, so that it tests the runner alone.
//!
//! `tests/runner` compiles it, with `--cfg` options for variants.
#![allow(dead_code, unexpected_cfgs, reason = "the test selects the code with `--cfg`")]

use std::sync::atomic::{AtomicPtr, Ordering};

#[repr(C)]
struct Host {
    heap_base: u64,
    heap_size: u64,
    input_length: u64,
    call: unsafe extern "C" fn(u32, *const [u64; 5]) -> u64,
}

static HOST: AtomicPtr<Host> = AtomicPtr::new(std::ptr::null_mut());

/// Read-only memory.
static FIXED: [u8; 16] = *b"cannot be writte";

#[cfg(not(without_host))]
#[unsafe(no_mangle)]
extern "C" fn entrypoint_native_host(host: *const Host) {
    HOST.store(host.cast_mut(), Ordering::Relaxed);
}

#[cfg(header)]
#[unsafe(no_mangle)]
extern "C" fn entrypoint_heap_bump() {}

#[cfg(not(without_entry))]
#[unsafe(no_mangle)]
unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    // SAFETY: the runner has set `HOST` to a live structure before it calls the entry.
    let host = unsafe { &*HOST.load(Ordering::Relaxed) };
    // SAFETY: the tests place inputs of at least eight bytes.
    match unsafe { input.cast::<u64>().read_unaligned() } {
        // Reports the host structure.
        0 => {
            let values = [
                host.heap_base,
                host.heap_size,
                host.input_length,
                input.addr() as u64,
                FIXED.as_ptr().addr() as u64,
            ];
            // SAFETY: `call` requires readable arguments. They are a borrowed array.
            unsafe { (host.call)(11, &values) }
        }
        1 => {
            // SAFETY: none is claimed; the test checks how the runner reports the crash.
            unsafe { std::ptr::without_provenance_mut::<u64>(64).write_volatile(1) };
            0
        }
        2 => {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: none is claimed; the test checks how the runner reports the crash.
            unsafe {
                std::arch::asm!("ud2")
            };
            #[cfg(target_arch = "aarch64")]
            // SAFETY: none is claimed; the test checks how the runner reports the crash.
            unsafe {
                std::arch::asm!("udf #0")
            };
            0
        }
        3 => loop {
            std::hint::spin_loop();
        },
        4 => overflow(0),
        // Adds the bytes of the heap, and overwrites each.
        5 => {
            let base = std::ptr::with_exposed_provenance_mut::<u8>(host.heap_base as usize);
            let mut sum = 0;
            for offset in 0..host.heap_size as usize {
                let byte = base.wrapping_add(offset);
                // SAFETY: `read` requires a mapped address. The heap is mapped in its whole length.
                sum += u64::from(unsafe { byte.read() });
                // SAFETY: `write` requires a mapped, writable address. The heap is both.
                unsafe { byte.write(offset as u8) };
            }
            sum
        }
        // Calls twice, and returns both results.
        6 => {
            // SAFETY: `call` requires readable arguments. They are a borrowed array.
            let first = unsafe { (host.call)(0, &[1; 5]) };
            // SAFETY: `call` requires readable arguments. They are a borrowed array.
            let second = unsafe { (host.call)(u32::MAX, &[first; 5]) };
            first << 32 | second
        }
        // Logs the text whose address and length are in the next words of the input.
        7 => {
            // SAFETY: `read_unaligned` requires readable memory. The tests place an input of three
            // words.
            let [text, length] = unsafe { input.cast::<[u64; 2]>().byte_add(8).read_unaligned() };
            // SAFETY: `call` requires readable arguments. They are a borrowed array.
            unsafe { (host.call)(0, &[text, length, 0, 0, 0]) }
        }
        // Calls, and writes to the heap if the process ends with its handlers.
        8 => {
            // SAFETY: `atexit` requires a function that can run when the process ends. `at_exit`
            // needs only the heap, which stays mapped.
            unsafe { atexit(at_exit) };
            // SAFETY: `call` requires readable arguments. They are a borrowed array.
            unsafe { (host.call)(11, &[0; 5]) }
        }
        other => other,
    }
}

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

extern "C" fn at_exit() {
    // SAFETY: the runner has set `HOST` to a structure that stays in place.
    let host = unsafe { &*HOST.load(Ordering::Relaxed) };
    let base = std::ptr::with_exposed_provenance_mut::<u8>(host.heap_base as usize);
    // SAFETY: `write` requires a mapped, writable address. The heap is both.
    unsafe { base.write(9) };
}

fn overflow(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let frame = std::hint::black_box([depth; 1024]);
    overflow(depth + 1) + frame[0]
}

/// Maps a page at the heap's address when the library is opened.
#[cfg(occupied)]
mod occupied {
    unsafe extern "C" {
        fn mmap(
            address: *mut u8,
            length: usize,
            protection: i32,
            flags: i32,
            file: i32,
            offset: i64,
        ) -> *mut u8;
    }

    #[used]
    #[unsafe(link_section = ".init_array")]
    static OCCUPY: extern "C" fn() = occupy;

    extern "C" fn occupy() {
        let heap = std::ptr::without_provenance_mut(0x3_0000_0000);
        let (readable, private_anonymous_here) = (1, 0x2 | 0x20 | 0x10);
        // SAFETY: the address is free, because the library is opened before the heap is mapped.
        let page = unsafe { mmap(heap, 4096, readable, private_anonymous_here, -1, 0) };
        assert_eq!(page, heap);
    }
}

/// Leaves what `LEAVE` in the environment names when the library is opened.
#[cfg(leaving)]
mod leaving {
    unsafe extern "C" {
        fn mmap(
            address: *mut u8,
            length: usize,
            protection: i32,
            flags: i32,
            file: i32,
            offset: i64,
        ) -> *mut u8;
    }

    #[used]
    #[unsafe(link_section = ".init_array")]
    static LEAVE: extern "C" fn() = leave;

    extern "C" fn leave() {
        match std::env::var("LEAVE").as_deref() {
            Ok("thread") => {
                std::thread::spawn(|| loop {
                    std::thread::park();
                });
            }
            Ok("descriptor") => {
                std::mem::forget(std::fs::File::open("/dev/null").expect("a file"));
            }
            Ok("process") => {
                let null = std::process::Stdio::null;
                let mut sleep = std::process::Command::new("sleep");
                let spawned = sleep.arg("3").stdout(null()).stderr(null()).spawn();
                std::mem::forget(spawned.expect("a process"));
            }
            // The heap's address.
            Ok("heap") => {
                let heap = std::ptr::without_provenance_mut(0x3_0000_1000);
                let (readable, private_anonymous_here) = (1, 0x2 | 0x20 | 0x10);
                // SAFETY: the address is free, because the library is opened before the heap is
                // mapped.
                unsafe { mmap(heap, 4096, readable, private_anonymous_here, -1, 0) };
            }
            Ok("mapping") => {
                let (writable, shared_anonymous) = (2, 0x1 | 0x20);
                // SAFETY: without an address, the mapping replaces no memory.
                unsafe { mmap(std::ptr::null_mut(), 4096, writable, shared_anonymous, -1, 0) };
            }
            _ => {}
        }
    }
}
