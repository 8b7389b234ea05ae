//! A picture of a coverage: the shares, a map of each file, and the source around what did not run.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::path::Path;

use super::measure::{FileCoverage, Share};
use super::report::{branches, describe_never, lines, never};
use crate::profile::drawable;
use crate::profile::heap::{escaped, text};

const REACHED: &str = "#3f9d6b";
const PARTIAL: &str = "#e3a008";
const UNREACHED: &str = "#d1453b";
const NO_CODE: &str = "#d5dbe2";
const INK: &str = "#1f2933";
const QUIET: &str = "#6b7785";
const GRID: &str = "#e1e5ea";

/// Behind the source of a line.
const PARTIAL_TINT: &str = "#fdf5de";
const UNREACHED_TINT: &str = "#fcebe9";

const WIDTH: f64 = 1120.0;
const MARGIN: f64 = 36.0;
const ROW: f64 = 19.0;
const SKYLINE: f64 = 40.0;

/// Where the parts of a line of source start.
const COUNT: f64 = MARGIN + 56.0;
const NUMBER: f64 = COUNT + 46.0;
const CODE: f64 = NUMBER + 20.0;

/// The width of a character of source.
const CHARACTER: f64 = 7.53;

/// How many lines around one that did not run are shown.
const CONTEXT: u32 = 2;

/// The most characters of a line that are shown.
const MOST_CHARACTERS: usize = 118;

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NoCode,
    Reached,
    /// It ran, and a branch of it was never taken.
    Partial,
    Unreached,
}

impl State {
    fn of(file: &FileCoverage, line: u32) -> Self {
        match file.lines.get(&line) {
            None => Self::NoCode,
            Some(0) => Self::Unreached,
            Some(_) if never(file, line).is_empty() => Self::Reached,
            Some(_) => Self::Partial,
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::NoCode => NO_CODE,
            Self::Reached => REACHED,
            Self::Partial => PARTIAL,
            Self::Unreached => UNREACHED,
        }
    }

    fn tint(self) -> Option<&'static str> {
        match self {
            Self::NoCode | Self::Reached => None,
            Self::Partial => Some(PARTIAL_TINT),
            Self::Unreached => Some(UNREACHED_TINT),
        }
    }
}

/// Draws the coverage of a program as SVG. `ran` lists what was run, and `name` makes a path as
/// short as people want it.
///
/// # Errors
///
/// None: a text takes everything.
pub fn draw(
    program: &str,
    ran: &str,
    files: &[FileCoverage],
    name: impl Fn(&Path) -> String,
) -> Result<String, fmt::Error> {
    let program = drawable(program);
    let name = |path: &Path| drawable(&name(path));
    let mut body = String::new();
    let mut y = header(&mut body, &program, ran, files)?;
    let longest = files.iter().map(|file| file.text.len()).max().unwrap_or(0);
    for file in files {
        y = skyline(&mut body, y, &name(&file.path), file, longest)?;
    }
    y = legend(&mut body, y)?;
    for file in files {
        y = source(&mut body, y, &name(&file.path), file)?;
    }
    let height = y + MARGIN - ROW;
    let title = escaped(&format!("coverage of {program}"));
    let description = escaped(&format!(
        "{:.1} % of the lines ran, and {:.1} % of the branches were taken",
        lines(files).percent(),
        branches(files).percent()
    ));
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title description\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"{INK}\">\n\
         <title id=\"title\">{title}</title>\n<desc id=\"description\">{description}</desc>\n\
         <style>.c{{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;\
         font-size:12.5px;white-space:pre}}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    ))
}

/// The name of the program, and the shares of all files.
fn header(
    out: &mut String,
    program: &str,
    ran: &str,
    files: &[FileCoverage],
) -> Result<f64, fmt::Error> {
    let title = "font-size=\"24\" font-weight=\"600\"";
    text(out, (MARGIN, 48.0), title, program)?;
    text(out, (MARGIN, 83.0), &format!("fill=\"{QUIET}\""), ran)?;
    let shares = [("lines", lines(files)), ("branches", branches(files))];
    for ((what, share), x) in shares.into_iter().zip([640.0, 880.0]) {
        let percent = format!("{:.1} %", share.percent());
        text(out, (x, 48.0), title, &percent)?;
        bar(out, (x, 58.0), 204.0, share)?;
        let of = format!("{} of {} {what}", share.reached, share.all);
        text(out, (x, 83.0), &format!("fill=\"{QUIET}\""), &of)?;
    }
    Ok(112.0)
}

/// A bar of which a part is filled.
fn bar(out: &mut String, (x, y): (f64, f64), width: f64, share: Share) -> fmt::Result {
    let filled = width * share.percent() / 100.0;
    writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"8\" rx=\"4\" fill=\"{GRID}\"/>\n\
         <rect x=\"{x}\" y=\"{y}\" width=\"{filled:.1}\" height=\"8\" rx=\"4\" fill=\"{REACHED}\"/>"
    )
}

/// A map of a file: a column for each line, as high as the line is long. `longest` is the number of
/// lines of the longest file.
fn skyline(
    out: &mut String,
    y: f64,
    name: &str,
    file: &FileCoverage,
    longest: usize,
) -> Result<f64, fmt::Error> {
    const LEFT: f64 = MARGIN + 190.0;
    const RIGHT: f64 = WIDTH - MARGIN - 200.0;
    let base = y + SKYLINE;
    text(out, (MARGIN, base), "font-weight=\"600\"", name)?;
    let step = (RIGHT - LEFT) / longest.max(1) as f64;
    let step = step.min(6.0);
    for (line, content) in (1..).zip(&file.text) {
        let length = content.trim_end().chars().count().min(100);
        if length == 0 {
            continue;
        }
        let height = 3.0 + (SKYLINE - 3.0) * length as f64 / 100.0;
        let x = LEFT + f64::from(line - 1) * step;
        writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
            base - height,
            step * 0.78,
            State::of(file, line).color()
        )?;
    }
    let style = format!("fill=\"{QUIET}\" text-anchor=\"end\"");
    let shares = [
        (file.line_share(), "lines", WIDTH - MARGIN - 104.0),
        (file.branch_share(), "branches", WIDTH - MARGIN),
    ];
    for (share, what, x) in shares {
        let percent = format!("{:.0} % {what}", share.percent());
        text(out, (x, base), &style, &percent)?;
    }
    Ok(base + 18.0)
}

fn legend(out: &mut String, y: f64) -> Result<f64, fmt::Error> {
    let y = y + 18.0;
    let mut x = MARGIN + 190.0;
    for (state, what, width) in [
        (State::Reached, "ran", 64.0),
        (
            State::Partial,
            "ran, but one of its branches was never taken",
            316.0,
        ),
        (State::Unreached, "never ran", 100.0),
        (State::NoCode, "no code of its own", 0.0),
    ] {
        writeln!(
            out,
            "<rect x=\"{x}\" y=\"{:.1}\" width=\"11\" height=\"11\" rx=\"2\" fill=\"{}\"/>",
            y - 10.0,
            state.color()
        )?;
        text(out, (x + 17.0, y), &format!("fill=\"{QUIET}\""), what)?;
        x += width;
    }
    Ok(y + 28.0)
}

/// The source of a file around what did not run.
fn source(out: &mut String, y: f64, name: &str, file: &FileCoverage) -> Result<f64, fmt::Error> {
    let shown = shown(file);
    if shown.is_empty() {
        return Ok(y);
    }
    writeln!(
        out,
        "<path d=\"M{MARGIN} {y}H{}\" stroke=\"{GRID}\"/>",
        WIDTH - MARGIN
    )?;
    let mut y = y + 26.0;
    text(out, (MARGIN, y), "font-weight=\"600\"", name)?;
    y += 12.0;
    let mut before = None;
    for line in shown {
        if before.is_some_and(|before| before + 1 < line) {
            let style = format!("fill=\"{QUIET}\" text-anchor=\"end\"");
            text(out, (NUMBER, y + ROW - 6.0), &style, "⋯")?;
            y += ROW;
        }
        before = Some(line);
        source_line(out, y, file, line)?;
        y += ROW;
    }
    Ok(y + 22.0)
}

/// The lines that are shown: those that did not run or not whole, with a few around them.
fn shown(file: &FileCoverage) -> BTreeSet<u32> {
    let last = u32::try_from(file.text.len()).unwrap_or(u32::MAX);
    let is_flagged = |line: &u32| State::of(file, *line).tint().is_some();
    let flagged = file.lines.keys().filter(|line| is_flagged(line));
    let mut shown: BTreeSet<u32> = flagged
        .flat_map(|line| line.saturating_sub(CONTEXT).max(1)..=(line + CONTEXT).min(last))
        .collect();
    let is_empty = |line: &u32| {
        let content = file.text.get(*line as usize - 1);
        content.is_none_or(|content| content.trim().is_empty())
    };
    // A part does not start or end with an empty line.
    let edges: Vec<u32> = shown
        .iter()
        .copied()
        .filter(|line| !shown.contains(&(line - 1)) || !shown.contains(&(line + 1)))
        .filter(is_empty)
        .collect();
    for edge in edges {
        shown.remove(&edge);
    }
    // A gap takes a row, as does a line.
    let gaps: Vec<u32> = shown
        .iter()
        .map(|line| line + 1)
        .filter(|line| !shown.contains(line) && shown.contains(&(line + 1)))
        .collect();
    shown.extend(gaps);
    shown
}

fn source_line(out: &mut String, y: f64, file: &FileCoverage, line: u32) -> fmt::Result {
    let state = State::of(file, line);
    if let Some(tint) = state.tint() {
        writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{ROW}\" fill=\"{tint}\"/>",
            NUMBER + 9.0,
            WIDTH - MARGIN - NUMBER - 9.0
        )?;
    }
    let stripe = match state {
        State::NoCode => GRID,
        state => state.color(),
    };
    writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{y}\" width=\"4\" height=\"{ROW}\" fill=\"{stripe}\"/>",
        NUMBER + 8.0
    )?;
    let base = y + ROW - 5.5;
    let quiet = format!("class=\"c\" fill=\"{QUIET}\" text-anchor=\"end\"");
    match file.lines.get(&line) {
        Some(0) => {
            let style = format!("class=\"c\" fill=\"{UNREACHED}\" text-anchor=\"end\"");
            text(out, (COUNT, base), &style, "0")?;
        }
        Some(count) => text(out, (COUNT, base), &quiet, &short(*count))?,
        None => {}
    }
    text(out, (NUMBER, base), &quiet, &line.to_string())?;
    let content = file.text.get(line as usize - 1);
    let content = content.map_or("", |content| content.trim_end());
    let content = drawable(&content.replace('\t', "    "));
    let content: String = content.chars().take(MOST_CHARACTERS).collect();
    // Some renderers drop spaces at the start.
    let indented = content.trim_start();
    let x = CODE + (content.chars().count() - indented.chars().count()) as f64 * CHARACTER;
    let ink = match state {
        State::NoCode => QUIET,
        _ => INK,
    };
    text(
        out,
        (x, base),
        &format!("class=\"c\" fill=\"{ink}\""),
        indented,
    )?;
    let never = never(file, line);
    if !never.is_empty() {
        let note = describe_never(file, line, &never);
        let style = "fill=\"#8a6100\" text-anchor=\"end\" font-size=\"12\"";
        text(out, (WIDTH - MARGIN - 10.0, base), style, &note)?;
    }
    Ok(())
}

/// A count in few characters.
fn short(count: u64) -> String {
    match count {
        0..100_000 => count.to_string(),
        100_000..100_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    fn file(text: &[&str], lines: &[(u32, u64)]) -> FileCoverage {
        FileCoverage {
            name: "lib.rs".to_owned(),
            path: PathBuf::from("lib.rs"),
            text: text.iter().map(ToString::to_string).collect(),
            lines: lines.iter().copied().collect(),
            decisions: BTreeMap::new(),
        }
    }

    #[test]
    fn any_source_makes_a_picture_without_control_characters() {
        let file = file(&["\tlet x = \"<&\u{1b}[2J\u{ffff}\";", "", "}"], &[(1, 0)]);
        let picture = draw("<p>\u{7}", "1 fixture", &[file], |path| {
            path.display().to_string()
        });
        let picture = picture.expect("a picture");
        assert!(picture.contains("let x = &quot;&lt;&amp;"), "{picture}");
        let is_bad = |character: char| character < ' ' && character != '\n';
        assert!(!picture.contains(is_bad) && !picture.contains('\u{ffff}'));
    }

    #[test]
    fn source_around_what_did_not_run_is_shown() {
        let text = ["a", "", "b", "c", "d", "e", "", "f", "g", "h"];
        let all: BTreeSet<u32> = [3, 4, 5, 6].into();
        assert_eq!(shown(&file(&text, &[(1, 3), (4, 0), (5, 0)])), all);
        assert_eq!(shown(&file(&text, &[(1, 3)])), BTreeSet::new());
    }
}
