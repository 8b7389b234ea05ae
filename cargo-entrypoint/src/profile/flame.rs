//! The flame graph.

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
    let mut options = Options::default();
    options.title = drawable(title);
    "gas".clone_into(&mut options.count_name);
    "Function:".clone_into(&mut options.name_type);
    options.colors = Palette::Multi(MultiPalette::Rust);
    options.bgcolors = Some(BackgroundColor::Flat(Color {
        r: 250,
        g: 250,
        b: 250,
    }));
    // The same name has the same colour, in every graph.
    options.hash = true;
    options.deterministic = true;
    // Wide enough for the fonts that browsers have, so that no name runs over its edge.
    options.font_width = 0.63;
    options.image_width = Some(1_200);
    "monospace".clone_into(&mut options.font_type);
    let lines = folded(costs);
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .context("cannot draw the flame graph")?;
    Ok(svg)
}

/// The stacks in the format of flame graphs: names separated by semicolons, and the gas behind a
/// space.
#[must_use]
pub fn folded(costs: &Costs) -> Vec<String> {
    let fold = |(stack, gas): (&Vec<String>, &u64)| {
        let names: Vec<String> = stack.iter().map(|name| foldable(name)).collect();
        format!("{} {gas}", names.join(";"))
    };
    costs.stacks.iter().map(fold).collect()
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
