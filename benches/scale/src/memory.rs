//! The memory of this process and of those that it started.

use std::fs;

/// The resident memory of this process and its children, in MiB; `None` where the system does not
/// tell. The processes of the compiling engine are children.
#[must_use]
pub fn resident() -> Option<f64> {
    of_process("self").map(|kib| kib as f64 / 1024.0)
}

/// The resident memory of a process and its children, in KiB.
fn of_process(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let own: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let mut all = own;
    for task in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let children = task.ok()?.path().join("children");
        // A kernel may be built without this file.
        for child in fs::read_to_string(children).unwrap_or_default().split(' ') {
            // A child may have ended by now.
            all += of_process(child.trim()).unwrap_or(0);
        }
    }
    Some(all)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_written_is_counted() {
        let before = resident().unwrap();
        let bytes = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = resident().unwrap();
        assert!(
            (32.0..128.0).contains(&(after - before)),
            "{before} MiB, and then {after} MiB with {} bytes more",
            bytes.len()
        );
    }
}
