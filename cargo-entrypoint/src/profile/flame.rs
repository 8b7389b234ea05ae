//! The flame graph.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use inferno::flamegraph::color::{BackgroundColor, Color, MultiPalette, Palette};
use inferno::flamegraph::{self, Options};

use super::costs::Costs;
use super::drawable;

/// A flame graph as an SVG file: the wider a function, the more gas it used together with the
/// functions it calls. A click zooms in.
///
/// # Errors
///
/// If there is nothing to draw.
pub fn graph(title: &str, costs: &Costs) -> Result<Vec<u8>> {
    let mut options = options(title);
    options.colors = Palette::Multi(MultiPalette::Rust);
    // The same name has the same colour, in every graph.
    options.hash = true;
    draw(options, &folded(costs))
}

/// A flame graph of the new one of two programs, as [`graph`] draws it, with the difference in
/// colours: a function is red if it uses more gas of its own than before, and blue if less. What
/// the new program does not call any more has no width.
///
/// # Errors
///
/// If there is nothing to draw.
pub fn difference(title: &str, before: &Costs, after: &Costs) -> Result<Vec<u8>> {
    let mut options = options(title);
    // A function without a difference is white.
    options.bgcolors = Some(BackgroundColor::Flat(grey(226)));
    let legend =
        "width: gas now · red: more gas of its own than before · blue: less · white: the same";
    options.subtitle = Some(legend.to_owned());
    let stacks: BTreeSet<&Vec<String>> = before.stacks.keys().chain(after.stacks.keys()).collect();
    let gas = |costs: &Costs, stack| costs.stacks.get(stack).copied().unwrap_or_default();
    let lines: Vec<String> = stacks
        .into_iter()
        .map(|stack| {
            let (old, new) = (gas(before, stack), gas(after, stack));
            format!("{} {old} {new}", fold(stack))
        })
        .collect();
    draw(options, &lines)
}

fn options(title: &str) -> Options<'static> {
    let mut options = Options::default();
    options.title = drawable(title);
    "gas".clone_into(&mut options.count_name);
    "Function:".clone_into(&mut options.name_type);
    options.bgcolors = Some(BackgroundColor::Flat(grey(250)));
    options.deterministic = true;
    // Wide enough for the fonts that browsers have, so that no name runs over its edge.
    options.font_width = 0.63;
    options.image_width = Some(1_200);
    "monospace".clone_into(&mut options.font_type);
    options
}

fn grey(level: u8) -> Color {
    let (r, g, b) = (level, level, level);
    Color { r, g, b }
}

fn draw(mut options: Options<'_>, lines: &[String]) -> Result<Vec<u8>> {
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .context("cannot draw the flame graph")?;
    Ok(svg)
}

/// The stacks in the format of flame graphs: names separated by semicolons, and the gas behind a
/// space.
#[must_use]
pub fn folded(costs: &Costs) -> Vec<String> {
    let stacks = costs.stacks.iter();
    stacks
        .map(|(stack, gas)| format!("{} {gas}", fold(stack)))
        .collect()
}

fn fold(stack: &[String]) -> String {
    let names: Vec<String> = stack.iter().map(|name| foldable(name)).collect();
    names.join(";")
}

/// A name for a folded stack. The name of a function that is generic over an array contains a
/// semicolon.
fn foldable(name: &str) -> String {
    let name = drawable(name).replace("; ", ", ").replace(';', ",");
    if name.trim().is_empty() {
        return "(unnamed)".to_owned();
    }
    // A number at the end could be mistaken for another gas figure.
    match name.rsplit_once(' ') {
        Some((start, end)) if !end.contains(|character: char| character.is_alphabetic()) => {
            format!("{start}\u{a0}{end}")
        }
        _ => name,
    }
}
