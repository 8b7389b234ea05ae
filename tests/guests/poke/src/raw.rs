//! Operations that are impossible in safe code.

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod guest {
    use abi::report::{ABORT_REPORT_MAGIC, AbortReport};
    use core::ptr::with_exposed_provenance_mut;

    #[polkavm_derive::polkavm_import]
    unsafe extern "C" {
        fn rlo_log_(message: u64, length: u64);
        fn rlo_set_return_data(data: u64, length: u64);
        fn rlo_abort(report: u64, magic: u64);
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

    pub fn abort(report: &AbortReport) {
        let address = core::ptr::from_ref(core::hint::black_box(report)).expose_provenance();
        // SAFETY: `rlo_abort` requires a report at the address. The loader checks it.
        unsafe { rlo_abort(address as u64, ABORT_REPORT_MAGIC) }
    }

    pub fn abort_without_report() {
        // SAFETY: `rlo_abort` requires a report at the address, or another magic number. This is
        // not the magic number.
        unsafe { rlo_abort(0, 0) }
    }
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
pub use guest::{abort, abort_without_report, log, peek, poke, set_return_data};

#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
mod host {
    pub fn peek(_address: u64) -> u8 {
        0
    }
    pub fn poke(_address: u64, _byte: u8) {}
    pub fn log(_address: u64, _length: u64) {}
    pub fn set_return_data(_address: u64, _length: u64) {}
    pub fn abort(_report: &abi::report::AbortReport) {}
    pub fn abort_without_report() {}
}

#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
pub use host::{abort, abort_without_report, log, peek, poke, set_return_data};
