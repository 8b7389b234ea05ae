//! Compares the blob sizes, and the functions in each blob (found in its debug information), with
//! the tables of `docs/blob-size.md`.

use std::collections::BTreeMap;

use loader::display::function_name;
use polkavm::ProgramBlob;
use program_build::guest::DebugInfo;
use program_build::package::ProgramPackage;
use program_build::toolchain;
use tests::{is_reference_compiler, project};
use xtask::bench::{deployment, marked, size};

/// The source folder of `core`'s formatting code.
const FORMATTING: &str = "library/core/src/fmt/";

fn guest() -> ProgramPackage {
    ProgramPackage::in_folder(&project().join("benches/size"))
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// A function in a blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Function {
    /// Length of its code in bytes.
    length: u32,
    /// The source files of its instructions, with those of inlined functions.
    files: Vec<String>,
}

/// The functions of one of the programs, by their names.
fn functions(program: &str, panic: &str) -> BTreeMap<String, Function> {
    let blob = size::build(&guest(), program, panic, DebugInfo::Keep)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let blob = ProgramBlob::parse(blob.into()).unwrap_or_else(|error| panic!("{error}"));
    let mut functions = BTreeMap::<String, Function>::new();
    for instruction in blob.instructions() {
        let at = instruction.offset;
        let mut lines = blob
            .get_debug_line_program_at(at)
            .unwrap_or_else(|error| panic!("{error}"));
        // Code that the linker adds belongs to no function.
        let mut name = "added by the linker".to_owned();
        let mut files = Vec::new();
        while let Some(lines) = &mut lines
            && let Ok(Some(region)) = lines.run()
        {
            if !region.instruction_range().contains(&at) {
                continue;
            }
            // The outermost frame is the first one.
            if let Some(frame) = region.frames().next()
                && let Ok(full_name) = frame.full_name()
            {
                let symbol = frame.function_name_without_namespace().ok().flatten();
                let symbol = symbol.filter(|symbol| symbol.starts_with("_R"));
                name = symbol.map_or_else(|| full_name.to_string(), function_name);
            }
            let paths = region.frames().filter_map(|frame| {
                let path = frame.path().ok().flatten();
                path.map(str::to_owned)
            });
            files.extend(paths);
        }
        let function = functions.entry(name).or_default();
        function.length += instruction.next_offset.0 - at.0;
        for file in files {
            if !function.files.contains(&file) {
                function.files.push(file);
            }
        }
    }
    assert!(functions.len() > 2, "no debug information");
    functions
}

/// The names of the functions that contain code of `core::fmt`.
fn formatting(program: &str, panic: &str) -> Vec<String> {
    let with_code_of =
        |function: &Function| function.files.iter().any(|file| file.contains(FORMATTING));
    functions(program, panic)
        .into_iter()
        .filter(|(_, function)| with_code_of(function))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn without_a_message_a_panic_links_no_formatting() {
    for program in ["empty", "log", "index"] {
        for panic in ["location", "abort"] {
            let formatting = formatting(program, panic);
            assert!(formatting.is_empty(), "{program}, {panic}: {formatting:?}");
        }
    }
    // The check does find formatting: the panic of this program has a message,
    assert!(!formatting("index", "message").is_empty());
    // and this program formats a log line.
    let of_the_log = formatting("counter", "abort");
    assert!(!of_the_log.is_empty());
    // The panic adds no formatting function.
    assert_eq!(formatting("counter", "location"), of_the_log);
}

#[test]
fn panic_free_program_links_no_formatting() {
    for program in ["empty", "log"] {
        let formatting = formatting(program, "message");
        assert!(formatting.is_empty(), "{program}: {formatting:?}");
    }
}

#[test]
fn the_page_shows_the_measured_sizes() {
    if !is_reference_compiler() {
        return;
    }
    let (_, rustc, _) = toolchain::find_compiler(project()).expect("a compiler");
    let compiler = toolchain::version(&rustc).expect("a version");
    let rows = size::measure(&guest()).unwrap_or_else(|error| panic!("{error:?}"));
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.program.as_str(), row.panic.as_str()))
        .collect();
    let wanted: Vec<_> = ["empty", "log", "index", "counter"]
        .into_iter()
        .flat_map(|program| ["message", "location", "abort"].map(|panic| (program, panic)))
        .collect();
    assert_eq!(found, wanted);

    let text = std::fs::read_to_string(project().join("docs/blob-size.md")).expect("the page");
    let written = marked::find(&text, size::START).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        written,
        size::section(&rows, &compiler),
        "type `cargo xtask bench size --update`"
    );
}

#[test]
fn readme_has_the_rent_of_the_baseline() {
    let results = deployment::baseline().expect("the baseline");
    let text = std::fs::read_to_string(project().join("README.md")).expect("the page");
    let written = marked::find(&text, deployment::START).unwrap_or_else(|error| panic!("{error}"));
    for program in deployment::PROGRAMS {
        let line = format!("| the example `{program}` | ");
        assert!(written.contains(&line), "{written}");
    }
    assert_eq!(
        written,
        deployment::section(&results),
        "type `cargo xtask bench size --update`"
    );
}

/// A table of `docs/blob-size.md`: the program and the level from its heading, and the bytes and
/// functions of each row.
type Part = (Vec<u32>, Vec<String>);

/// The texts between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The tables of the page.
fn tables(page: &str) -> Vec<([String; 2], Vec<Part>)> {
    let mut tables = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap_or("");
        let Ok(heading) = <[String; 2]>::try_from(quoted(heading)) else {
            panic!("the heading {heading:?} names no program and level");
        };
        let rows = section.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let bytes = cells.next()?.split(", ").map(|bytes| bytes.parse().ok());
            Some((bytes.collect::<Option<_>>()?, quoted(cells.next()?)))
        });
        tables.push((heading, rows.collect()));
    }
    tables
}

#[test]
fn page_matches_the_blobs() {
    if !is_reference_compiler() {
        return;
    }
    let page = std::fs::read_to_string(project().join("docs/blob-size.md")).expect("the page");
    let tables = tables(&page);
    assert_eq!(tables.len(), 5);
    for ([program, panic], rows) in tables {
        let found = functions(&program, &panic);
        let mut expected: Vec<u32> = Vec::new();
        for (bytes, names) in &rows {
            for (bytes, name) in bytes.iter().zip(names) {
                let of_name = |(function, _): &(&String, &Function)| {
                    *function == name || function.ends_with(&format!("::{name}"))
                };
                let length: u32 = found.iter().filter(of_name).map(|(_, f)| f.length).sum();
                assert_eq!(length, *bytes, "`{name}` in {program}, {panic}: {found:#?}");
            }
            assert_eq!(bytes.len(), names.len(), "{program}, {panic}: {names:?}");
            expected.extend(bytes);
        }
        let all: u32 = found.values().map(|function| function.length).sum();
        assert_eq!(
            expected.iter().sum::<u32>(),
            all,
            "{program}, {panic}: {found:#?}"
        );
    }
}
