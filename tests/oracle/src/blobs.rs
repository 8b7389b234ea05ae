//! The verdicts of the runtime's check before a program is deployed.

use rialo_s_program_runtime::loaded_programs::ProgramCacheEntry;

use crate::cases::blobs::{COUNT, case};

pub fn lines(program: &[u8]) -> Vec<String> {
    let loader = rialo_risc_v_loader_interface::id();
    let line = |number| {
        let blob = case(number, program);
        match ProgramCacheEntry::new_risc_v(&loader, 0, 0, &blob, blob.len()) {
            Ok(_) => "ok".to_owned(),
            Err(error) => {
                // What the parser found is not the runtime's own verdict.
                let error = error.to_string();
                let verdict = error.split(':').next().unwrap_or_default();
                verdict.replace(" into program blob", "")
            }
        }
    };
    (0..COUNT).map(line).collect()
}
