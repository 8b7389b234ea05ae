//! Has the crates of the published runtime judge the cases of `cases`, and writes their verdicts to
//! the folder of vectors: see `README.md`.

use std::fs;
use std::path::Path;

mod blobs;
#[allow(dead_code, reason = "each side uses a part")]
mod cases;
mod context;
mod inputs;
mod logs;
mod rules;
mod system;
mod values;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/runtime/vectors");
    let program = fs::read(folder.join("program.polkavm")).expect("the program's blob");
    for (name, lines) in [
        ("inputs.txt", inputs::lines()),
        ("rules.txt", rules::lines()),
        ("logs.txt", logs::lines()),
        ("long_logs.txt", logs::long_lines()),
        ("addresses.txt", values::addresses()),
        ("sysvars.txt", values::sysvars()),
        ("system.txt", system::lines()),
        ("blobs.txt", blobs::lines(&program)),
    ] {
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        fs::write(folder.join(name), &text).expect("a file of vectors");
        println!("{name}: {} lines, {} bytes", lines.len(), text.len());
    }
}
