//! The picture of the times by gas, as SVG.

use anyhow::Result;
use plotters::prelude::*;

use crate::gas::{Curve, Point};

const SIZE: (u32, u32) = (860, 480);
const INTERPRETER: RGBColor = RGBColor(0xb3, 0x54, 0x00);
const COMPILER: RGBColor = RGBColor(0x0b, 0x6b, 0xb8);
const TEXT: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const GRID: RGBColor = RGBColor(0xdd, 0xe2, 0xe8);

/// One line: its name, its colour, and the time of a point.
type Line = (&'static str, RGBColor, fn(&Point) -> f64);

/// Draws both engines' times by gas, with logarithmic axes, and the place where they cross.
pub fn draw(curve: &Curve) -> Result<String> {
    let last = curve.last()?;
    let times = || {
        curve
            .points
            .iter()
            .flat_map(|point| [point.interpreter, point.compiler])
    };
    let least = times().fold(f64::INFINITY, f64::min);
    let most = times().fold(0.0, f64::max);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(
                "Time of an invocation by the gas that it uses",
                ("sans-serif", 22).into_font().color(&TEXT),
            )
            .margin(16)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(
                (curve.points[0].gas as f64..last.gas as f64).log_scale(),
                (least * 0.8..most * 1.25).log_scale(),
            )?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .x_desc("gas")
            .y_desc("µs")
            .axis_desc_style(("sans-serif", 16).into_font().color(&TEXT))
            .label_style(("sans-serif", 14).into_font().color(&TEXT))
            .x_label_formatter(&|gas| short(*gas))
            .y_label_formatter(&|time| short(*time))
            .draw()?;
        let lines: [Line; 2] = [
            ("interpreter", INTERPRETER, |point| point.interpreter),
            ("compiler", COMPILER, |point| point.compiler),
        ];
        for (name, colour, time) in lines {
            let points: Vec<(f64, f64)> = curve
                .points
                .iter()
                .map(|point| (point.gas as f64, time(point)))
                .collect();
            chart
                .draw_series([PathElement::new(points.clone(), colour.stroke_width(3))])?
                .label(name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(3))
                });
            let marks = points.into_iter();
            chart.draw_series(marks.map(|point| Circle::new(point, 4, colour.filled())))?;
        }
        if let Some((gas, time)) = curve.crossing() {
            let line = [(gas, least * 0.8), (gas, time)];
            chart.draw_series([PathElement::new(line, TEXT.stroke_width(1))])?;
            let text = format!("from {} units on", short(gas));
            let style = ("sans-serif", 16).into_font().color(&TEXT);
            chart.draw_series([Text::new(text, (gas * 1.1, least), style)])?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .border_style(GRID)
            .background_style(WHITE)
            .label_font(("sans-serif", 16).into_font().color(&TEXT))
            .draw()?;
        root.present()?;
    }
    Ok(svg)
}

/// A number in at most four characters.
fn short(number: f64) -> String {
    match number {
        number if number >= 1e6 => format!("{:.0}M", number / 1e6),
        number if number >= 1e3 => format!("{:.0}k", number / 1e3),
        number => format!("{number:.0}"),
    }
}
