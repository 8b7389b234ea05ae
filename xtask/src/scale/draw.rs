//! Draws pictures as SVG.
//!
//! A picture has a background of its own, so it is readable on every page. A reader who prefers
//! dark pages gets a dark one.

use anyhow::{Context, Result, ensure};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::pictures::{Axis, Line, Panel, Picture};
use super::rows::Rows;

/// Pixels of a panel. A page shows pictures smaller, so that lines are smooth.
const WIDTH: i32 = 980;
const HEIGHT: i32 = 660;

/// The pixels around a panel's plot. On the right are the labels of the lines.
const LEFT: i32 = 130;
const RIGHT: i32 = 220;
const TOP: i32 = 130;
const BOTTOM: i32 = 110;

const TEXT: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const FAINT: RGBColor = RGBColor(0x5f, 0x68, 0x72);
const GRID: RGBColor = RGBColor(0xdd, 0xe2, 0xe8);
const BACKGROUND: RGBColor = RGBColor(0xfd, 0xfd, 0xfe);

/// Each colour of a bright picture, and what a dark one has instead.
const DARK: [(RGBColor, &str); 4] = [
    (TEXT, "#e6edf3"),
    (FAINT, "#9aa4af"),
    (GRID, "#2b323b"),
    (BACKGROUND, "#12161c"),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a picture of the rows.
///
/// # Errors
///
/// If a panel does not have any rows.
pub fn picture(picture: &Picture, rows: &Rows) -> Result<String> {
    let mut svg = String::new();
    let size = (WIDTH as u32 * picture.panels.len() as u32, HEIGHT as u32);
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&BACKGROUND)?;
        for (panel, area) in picture
            .panels
            .iter()
            .zip(root.split_evenly((1, picture.panels.len())))
        {
            draw_panel(panel, picture.rows, rows, &area)
                .with_context(|| format!("cannot draw {}", picture.file))?;
        }
        root.present()?;
    }
    Ok(with_dark_colours(&svg))
}

/// Adds what a picture looks like for readers who prefer dark pages.
fn with_dark_colours(svg: &str) -> String {
    let mut style = String::from("<style>@media (prefers-color-scheme: dark) {");
    for (bright, dark) in DARK {
        let RGBColor(red, green, blue) = bright;
        let bright = format!("#{red:02X}{green:02X}{blue:02X}");
        for attribute in ["fill", "stroke"] {
            style.push_str(&format!(
                "\n[{attribute}=\"{bright}\"] {{ {attribute}: {dark} }}"
            ));
        }
    }
    style.push_str("\n}</style>\n");
    // Behind the tag that opens the picture.
    match svg.split_once(">\n") {
        Some((start, rest)) => format!("{start}>\n{style}{rest}"),
        None => svg.to_owned(),
    }
}

/// Where a panel's plot is, and what its edges are.
struct Plot {
    x: Scale,
    y: Scale,
}

/// A number's place on an axis.
struct Scale {
    axis: &'static Axis,
    /// The numbers at both ends.
    ends: (f64, f64),
    /// The pixels at both ends.
    pixels: (i32, i32),
    ticks: Vec<f64>,
}

impl Scale {
    fn new(axis: &'static Axis, values: impl Iterator<Item = f64>, pixels: (i32, i32)) -> Self {
        let values: Vec<f64> = values.collect();
        let ticks = axis.ticks(&values);
        let of_ticks = ticks.iter().chain(&values).copied();
        let least = of_ticks.clone().fold(f64::INFINITY, f64::min);
        let most = of_ticks.fold(f64::NEG_INFINITY, f64::max);
        Self {
            axis,
            ends: (least, most),
            pixels,
            ticks,
        }
    }

    /// The pixel of a number.
    fn pixel(&self, value: f64) -> i32 {
        let place = |value| self.axis.place(value);
        let (least, most) = (place(self.ends.0), place(self.ends.1));
        let share = (place(value) - least) / (most - least).max(f64::MIN_POSITIVE);
        let (from, to) = (f64::from(self.pixels.0), f64::from(self.pixels.1));
        (from + share * (to - from)).round() as i32
    }
}

fn draw_panel(panel: &'static Panel, file: &str, rows: &Rows, area: &Area<'_>) -> Result<()> {
    let lines: Vec<(&Line, Vec<(f64, f64)>)> = panel
        .lines
        .iter()
        .map(|line| {
            let mut points = rows.points(file, line.series);
            points.retain(|(x, y)| panel.x.has(*x) && panel.y.has(*y));
            (line, points)
        })
        .filter(|(_, points)| !points.is_empty())
        .collect();
    ensure!(
        !lines.is_empty(),
        "{file}.csv has no row of {}; measure again",
        panel.title
    );
    let points = || lines.iter().flat_map(|(_, points)| points);
    let plot = Plot {
        x: Scale::new(
            &panel.x,
            points().map(|point| point.0),
            (LEFT, WIDTH - RIGHT),
        ),
        y: Scale::new(
            &panel.y,
            points().map(|point| point.1),
            (HEIGHT - BOTTOM, TOP),
        ),
    };
    draw_axes(panel, &plot, area)?;
    for (line, points) in &lines {
        let place = |(x, y): &(f64, f64)| (plot.x.pixel(*x), plot.y.pixel(*y));
        let points: Vec<(i32, i32)> = points.iter().map(place).collect();
        let style = line
            .colour
            .stroke_width(if line.is_reference { 2 } else { 4 });
        area.draw(&PathElement::new(points.clone(), style))?;
        if points.len() <= 20 && !line.is_reference {
            for point in points {
                area.draw(&Circle::new(point, 6, line.colour.filled()))?;
            }
        }
    }
    draw_labels(&lines, &plot, area)
}

fn draw_axes(panel: &Panel, plot: &Plot, area: &Area<'_>) -> Result<()> {
    let (left, right) = plot.x.pixels;
    let (bottom, top) = plot.y.pixels;
    text(
        area,
        panel.title,
        (32, 34),
        34,
        TEXT,
        (HPos::Left, VPos::Center),
        true,
    )?;
    text(
        area,
        panel.y.label,
        (32, 84),
        26,
        FAINT,
        (HPos::Left, VPos::Center),
        false,
    )?;
    for tick in &plot.y.ticks {
        let y = plot.y.pixel(*tick);
        area.draw(&PathElement::new(
            [(left, y), (right, y)],
            GRID.stroke_width(2),
        ))?;
        let label = panel.y.format(*tick);
        text(
            area,
            &label,
            (left - 16, y),
            26,
            FAINT,
            (HPos::Right, VPos::Center),
            false,
        )?;
    }
    for tick in &plot.x.ticks {
        let x = plot.x.pixel(*tick);
        area.draw(&PathElement::new(
            [(x, bottom), (x, bottom + 10)],
            FAINT.stroke_width(2),
        ))?;
        let label = panel.x.format(*tick);
        text(
            area,
            &label,
            (x, bottom + 18),
            26,
            FAINT,
            (HPos::Center, VPos::Top),
            false,
        )?;
    }
    area.draw(&PathElement::new(
        [(left, bottom), (right, bottom)],
        FAINT.stroke_width(2),
    ))?;
    // The axis itself has the first grid line.
    let middle = i32::midpoint(left, right);
    let place = (middle, bottom + 62);
    text(
        area,
        panel.x.label,
        place,
        26,
        FAINT,
        (HPos::Center, VPos::Top),
        false,
    )?;
    debug_assert!(top < bottom);
    Ok(())
}

/// Writes the name of each line at its end, one below the other where lines end close together.
fn draw_labels(lines: &[(&Line, Vec<(f64, f64)>)], plot: &Plot, area: &Area<'_>) -> Result<()> {
    const SPACE: i32 = 32;
    let mut labels: Vec<(i32, i32, &Line)> = lines
        .iter()
        .filter_map(|(line, points)| {
            let (x, y) = points.last()?;
            Some((plot.y.pixel(*y), plot.x.pixel(*x), *line))
        })
        .collect();
    labels.sort_by_key(|(y, _, _)| *y);
    for index in 1..labels.len() {
        labels[index].0 = labels[index].0.max(labels[index - 1].0 + SPACE);
    }
    // Those that have come below the axis move up again.
    let mut lowest = plot.y.pixels.0;
    for (y, _, _) in labels.iter_mut().rev() {
        *y = (*y).min(lowest);
        lowest = *y - SPACE;
    }
    for (y, x, line) in labels {
        let left = (HPos::Left, VPos::Center);
        text(area, line.label, (x + 16, y), 26, line.colour, left, true)?;
    }
    Ok(())
}

fn text(
    area: &Area<'_>,
    text: &str,
    place: (i32, i32),
    size: i32,
    colour: RGBColor,
    (horizontal, vertical): (HPos, VPos),
    is_bold: bool,
) -> Result<()> {
    let weight = if is_bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    let style = ("sans-serif", size)
        .into_font()
        .style(weight)
        .color(&colour)
        .pos(Pos::new(horizontal, vertical));
    area.draw(&Text::new(text, place, style))?;
    Ok(())
}
