//! Every message of the macros has a code, and `docs/errors.md` has a section for every code. The
//! wrong code of a section is part of a case in `fail`, which has exactly this error there. The
//! right code is part of the guest `explained`, which compiles.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Sections whose error no case has, and where it is tested instead.
const ELSEWHERE: [(&str, &str); 5] = [
    (
        "EP0028",
        "`cargo-entrypoint/tests/command_line/run.rs` builds a handler as a blob",
    ),
    (
        "EP0047",
        "comes with the code of a function; the manual of `try_borrow_as` has the example",
    ),
    (
        "EP0048",
        "needs a compiler for WebAssembly with another `core`",
    ),
    ("EP0049", "needs a compiler for 32 bits"),
    (
        "EP0050",
        "comes with the code of a function; the manual of `declare_syscalls!` has the example",
    ),
];

/// How a message starts in the sources. The text up to the closing bracket must have a code.
const MESSAGES: [&str; 8] = [
    "syn::Error::new(",
    "syn::Error::new_spanned(",
    "input.error(",
    "next.error(",
    "compile_error!(",
    "diagnostic::on_unimplemented(",
    "Usage {",
    "::core::assert!(",
];

/// Messages of assertions that no author sees: they hold, or this project does not compile.
const INTERNAL: [&str; 1] = ["names the number"];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
}

/// The codes in a text.
fn codes(text: &str) -> BTreeSet<String> {
    let codes = text.match_indices("EP").filter_map(|(start, _)| {
        let code = text.get(start..start + 6)?;
        let is_code = code[2..].bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| code.to_owned())
    });
    codes.collect()
}

/// The text up to the bracket that closes the first one, without regard to brackets in strings that
/// do not match.
fn bracketed(text: &str) -> &str {
    let mut depth = 0;
    for (end, character) in text.char_indices() {
        match character {
            '(' | '{' => depth += 1,
            ')' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return &text[..end];
                }
            }
            _ => {}
        }
    }
    text
}

/// A section of the page.
struct Section {
    code: String,
    wrong: Vec<String>,
    right: Vec<String>,
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The lines of the block of code after a heading.
fn block(section: &str, heading: &str) -> Vec<String> {
    let after = section.split_once(&format!("\n{heading}:\n"));
    let block = after.and_then(|(_, after)| after.split("```").nth(1));
    let block = block.and_then(|block| block.split_once('\n'));
    block.map_or_else(Vec::new, |(_, block)| lines(block))
}

fn sections() -> Vec<Section> {
    let page = read(&project().join("docs/errors.md"));
    let sections = page.split("\n## ").skip(1);
    let read = sections.map(|section| {
        let (code, _) = section.split_once(": ").expect("a code and a title");
        assert_eq!(codes(code), BTreeSet::from([code.to_owned()]), "{section}");
        Section {
            code: code.to_owned(),
            wrong: block(section, "Wrong"),
            right: block(section, "Right"),
        }
    });
    read.collect()
}

/// The sources of the messages, without their own tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    for folder in ["entrypoint-macros/src", "entrypoint/src"] {
        files(&project().join(folder), "rs", &mut paths);
    }
    let is_test = |path: &PathBuf| {
        path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "testing")
    };
    paths.retain(|path| !is_test(path));
    let sources = paths.into_iter().map(|path| {
        let text = read(&path);
        let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
        let kept = text[..end]
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let text = kept.collect::<Vec<_>>().join("\n");
        (path, text)
    });
    sources.collect()
}

#[test]
fn every_message_has_a_code() {
    let mut count = 0;
    for (path, text) in sources() {
        for start in MESSAGES {
            for (place, _) in text.match_indices(start) {
                let mut message = bracketed(&text[place..]);
                if message.contains("#message") {
                    let named = text[..place].rsplit("let message =").next();
                    message = named
                        .and_then(|named| named.split(';').next())
                        .expect("a message");
                }
                // The type that has the code of all errors about one macro's argument.
                let is_usage = ["{code}: ", "code: &'static str"];
                let is_usage = is_usage.iter().any(|usage| message.contains(usage));
                let has_code = is_usage || !codes(message).is_empty();
                assert!(has_code, "{}: no code in {message}", path.display());
                count += 1;
            }
        }
        for (place, _) in text.match_indices("assert!(") {
            let assertion = bracketed(&text[place..]);
            let is_message = assertion.trim_end().trim_end_matches(',').ends_with('"');
            let is_internal = INTERNAL.iter().any(|text| assertion.contains(text));
            if is_message && !is_internal {
                let has_code = !codes(assertion).is_empty();
                assert!(has_code, "{}: no code in {assertion}", path.display());
                count += 1;
            }
        }
    }
    assert!(count >= 40, "{count} messages");
}

#[test]
fn every_code_has_a_section_and_every_section_a_code() {
    let sections: Vec<String> = sections().into_iter().map(|section| section.code).collect();
    assert!(
        sections.is_sorted_by(|one, next| one < next),
        "{sections:?}"
    );
    let used: BTreeSet<String> = sources().iter().flat_map(|(_, text)| codes(text)).collect();
    assert_eq!(used, sections.into_iter().collect::<BTreeSet<_>>());
}

/// The codes that a case's errors have, by the line of the first place that each one shows.
fn reported(errors: &str) -> Vec<(usize, Option<String>)> {
    let mut reported = Vec::new();
    let mut code = None;
    let mut is_open = false;
    for line in errors.lines() {
        if line.starts_with("error") {
            code = codes(line).pop_first();
            is_open = true;
        } else if let Some(place) = line.trim_start().strip_prefix("--> fail/")
            && is_open
        {
            let number = place
                .split(':')
                .nth(1)
                .and_then(|number| number.parse().ok());
            reported.push((number.expect("a line"), code.take()));
            is_open = false;
        }
    }
    reported
}

#[test]
fn wrong_code_has_exactly_this_error() {
    let mut cases = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("fail"),
        "rs",
        &mut cases,
    );
    for Section { code, wrong, .. } in sections() {
        assert!(!wrong.is_empty(), "{code} shows nothing wrong");
        if ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == code) {
            continue;
        }
        let has_error = |case: &&PathBuf| {
            let text = read(case);
            let numbered: Vec<(usize, &str)> = (1..).zip(text.lines().map(str::trim)).collect();
            let full: Vec<_> = numbered
                .iter()
                .filter(|(_, line)| !line.is_empty())
                .collect();
            let place = full.windows(wrong.len()).find(|lines| {
                lines
                    .iter()
                    .map(|(_, line)| *line)
                    .eq(wrong.iter().map(String::as_str))
            });
            let Some(place) = place else { return false };
            let shown = place[0].0..=place[place.len() - 1].0;
            let errors = reported(&read(&case.with_extension("stderr")));
            let here = errors.iter().filter(|(line, _)| shown.contains(line));
            let here: BTreeSet<_> = here.map(|(_, code)| code.as_deref()).collect();
            here == BTreeSet::from([Some(code.as_str())])
        };
        let found = cases.iter().find(has_error);
        assert!(
            found.is_some(),
            "no case has {code} in exactly these lines: {wrong:#?}"
        );
    }
}

#[test]
fn right_code_compiles() {
    let guest = read(&project().join("tests/guests/explained/src/lib.rs"));
    for Section { code, right, wrong } in sections() {
        if wrong[0].starts_with('$') {
            continue;
        }
        assert!(!right.is_empty(), "{code} shows nothing right");
        let start = format!("\nmod {} {{\n", code.to_lowercase());
        let module = guest.split_once(&start).map(|(_, after)| after);
        let module = module.unwrap_or_else(|| panic!("the guest has no module of {code}"));
        let module = lines(module.split_once("\n}\n").expect("an end").0);
        assert!(
            module.windows(right.len()).any(|lines| lines == right),
            "the module of {code} does not have {right:#?}"
        );
    }
}
