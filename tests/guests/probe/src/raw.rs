//! Operations that are impossible in safe code.

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod guest {
    use core::ptr::with_exposed_provenance_mut;

    #[polkavm_derive::polkavm_import]
    unsafe extern "C" {
        fn rlo_log_(message: u64, length: u64);
        fn rlo_set_return_data(data: u64, length: u64);
        fn rlo_abort(report: u64, magic: u64);
        fn rlo_memcpy_(destination: u64, source: u64, length: u64);
        fn rlo_memmove_(destination: u64, source: u64, length: u64);
        fn rlo_memset_(destination: u64, value: u32, length: u64);
        fn rlo_memcmp_(left: u64, right: u64, length: u64, result: u64);
    }

    pub fn peek(address: u64) -> u8 {
        // SAFETY: none is claimed; the test checks what the VM does.
        unsafe { with_exposed_provenance_mut::<u8>(address as usize).read_volatile() }
    }

    pub fn poke(address: u64, byte: u8) {
        // SAFETY: none is claimed; the test checks what the VM does.
        unsafe { with_exposed_provenance_mut::<u8>(address as usize).write_volatile(byte) }
    }

    pub fn log(address: u64, length: u64) {
        // SAFETY: `rlo_log_` requires a readable range. The loader checks it.
        unsafe { rlo_log_(address, length) }
    }

    pub fn set_return_data(address: u64, length: u64) {
        // SAFETY: `rlo_set_return_data` requires a readable range. The loader checks it.
        unsafe { rlo_set_return_data(address, length) }
    }

    pub fn abort(report: u64, magic: u64) {
        // SAFETY: `rlo_abort` requires a report at the address. The loader checks it.
        unsafe { rlo_abort(report, magic) }
    }

    pub fn memory(destination: u64, source: u64, length: u64) {
        // SAFETY: `rlo_memcpy_` requires two accessible ranges. The loader checks them.
        unsafe { rlo_memcpy_(destination, source, length) };
        // SAFETY: `rlo_memmove_` requires two accessible ranges. The loader checks them.
        unsafe { rlo_memmove_(destination, source, length) };
        // SAFETY: `rlo_memset_` requires a writable range. The loader checks it.
        unsafe { rlo_memset_(destination, 7, length) };
        let mut result = 0_i32;
        let address = core::ptr::from_mut(&mut result).expose_provenance() as u64;
        // SAFETY: `rlo_memcmp_` requires two readable ranges, which the loader checks, and four
        // writable bytes at `address`, which are those of `result`.
        unsafe { rlo_memcmp_(destination, source, length, address) };
        entrypoint::msg!("{}", core::hint::black_box(result));
    }
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
pub use guest::{abort, log, memory, peek, poke, set_return_data};

#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
mod host {
    pub fn peek(_address: u64) -> u8 {
        0
    }
    pub fn poke(_address: u64, _byte: u8) {}
    pub fn log(_address: u64, _length: u64) {}
    pub fn set_return_data(_address: u64, _length: u64) {}
    pub fn abort(_report: u64, _magic: u64) {}
    pub fn memory(_destination: u64, _source: u64, _length: u64) {}
}

#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
pub use host::{abort, log, memory, peek, poke, set_return_data};
