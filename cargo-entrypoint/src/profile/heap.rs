//! The picture of the heap over time.

use std::fmt::{self, Write};

use loader::profile::{HeapProfile, HeapSample};

use super::drawable;
use crate::text::grouped;

// All lengths are in the picture's own pixels.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 60.0;

const LIVE: &str = "#3b7dd8";
const LEAKED: &str = "#f2a33a";
const FREE: &str = "#cfe3cf";
const IN_USE: &str = "#9db4c8";
const PEAK: &str = "#b3261e";
const INK: &str = "#1f2933";
const QUIET: &str = "#5f6c7b";
const GRID: &str = "#e1e5ea";

/// The end of a heap's history, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The most that was in use at once.
    pub peak: u32,
    /// In use at the end.
    pub used: u32,
    /// Lost to the heap at the end; `None` if that was not counted.
    pub leaked: Option<u64>,
    /// In use at the end, and free for reuse; `None` as above.
    pub free: Option<u64>,
}

impl Summary {
    /// The figures of a heap; `None` if the heap does not report its use.
    #[must_use]
    pub fn of(heap: &HeapProfile) -> Option<Self> {
        let last = heap.samples.last()?;
        Some(Self {
            peak: last.peak,
            used: last.used,
            leaked: last.counts.map(|counts| counts.leaked),
            free: last
                .counts
                // A blob can report any numbers.
                .map(|counts| {
                    u64::from(last.used)
                        .saturating_sub(counts.live)
                        .saturating_sub(counts.leaked)
                }),
        })
    }
}

/// How gas and bytes are put on paper.
struct Scale {
    gas: f64,
    bytes: f64,
}

impl Scale {
    fn x(&self, gas: f64) -> f64 {
        LEFT + gas / self.gas * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, bytes: f64) -> f64 {
        HEIGHT - BOTTOM - bytes / self.bytes * (HEIGHT - TOP - BOTTOM)
    }
}

/// The heap over the used gas, as a self-contained SVG file; `None` if the heap does not report its
/// use. `note` is below the title.
#[must_use]
pub fn picture(title: &str, note: &str, heap: &HeapProfile) -> Option<String> {
    let summary = Summary::of(heap)?;
    let mut out = String::new();
    draw(&mut out, title, note, heap, summary).ok()?;
    Some(out)
}

fn draw(
    out: &mut String,
    title: &str,
    note: &str,
    heap: &HeapProfile,
    summary: Summary,
) -> fmt::Result {
    let gas = heap.samples.last().map_or(0, |sample| sample.gas);
    let samples = thinned(&heap.samples, gas);
    let gas_step = nice_step(gas as f64 / 8.0).max(1.0);
    let byte_step = byte_step(f64::from(summary.peak) / 5.0);
    let scale = Scale {
        gas: (gas as f64).max(1.0),
        // Space above the peak.
        bytes: (f64::from(summary.peak) * 1.04 / byte_step).ceil().max(1.0) * byte_step,
    };
    let figures = figures(heap, summary);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\" aria-labelledby=\"title description\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"{INK}\">"
    )?;
    writeln!(out, "<title id=\"title\">{}</title>", escaped(title))?;
    writeln!(
        out,
        "<desc id=\"description\">{}. {}</desc>",
        escaped(&figures),
        escaped(note)
    )?;
    // Browsers may be dark.
    writeln!(
        out,
        "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"
    )?;
    text(
        out,
        (LEFT, 32.0),
        "font-size=\"18\" font-weight=\"600\"",
        title,
    )?;
    text(out, (LEFT, 55.0), "", &figures)?;
    text(out, (LEFT, 75.0), &format!("fill=\"{QUIET}\""), note)?;
    legend(out, summary)?;
    axes(out, &scale, gas_step, byte_step)?;
    curves(out, &scale, &samples, summary)?;
    if summary.peak == 0 {
        let middle = (
            f64::midpoint(LEFT, WIDTH - RIGHT),
            scale.y(scale.bytes / 2.0),
        );
        let style = format!("text-anchor=\"middle\" font-size=\"16\" fill=\"{QUIET}\"");
        text(out, middle, &style, "the program allocated nothing")?;
    }
    writeln!(out, "</svg>")
}

fn figures(heap: &HeapProfile, summary: Summary) -> String {
    let leaked = match summary.leaked {
        Some(leaked) => format!(", of which {} are leaked", grouped(leaked)),
        None => String::new(),
    };
    format!(
        "{} bytes at the peak, {} at the end{leaked}; heap size {}",
        grouped(summary.peak.into()),
        grouped(summary.used.into()),
        grouped(heap.limit.into())
    )
}

fn legend(out: &mut String, summary: Summary) -> fmt::Result {
    let areas: &[(&str, &str)] = if summary.leaked.is_some() {
        &[
            (LIVE, "live"),
            (LEAKED, "leaked"),
            (FREE, "freed, for reuse"),
        ]
    } else {
        &[(IN_USE, "in use")]
    };
    let mut x = LEFT;
    let y = TOP - 18.0;
    for (colour, name) in areas {
        writeln!(
            out,
            "<rect x=\"{x}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>",
            y - 10.0
        )?;
        text(out, (x + 18.0, y), "", name)?;
        // As wide as the letters are on average.
        x += 42.0 + name.len() as f64 * 7.2;
    }
    writeln!(
        out,
        "<path d=\"M{x} {:.1}h16\" stroke=\"{PEAK}\" stroke-width=\"2\" stroke-dasharray=\"5 3\"/>",
        y - 4.0
    )?;
    text(out, (x + 22.0, y), "", "peak so far")
}

fn axes(out: &mut String, scale: &Scale, gas_step: f64, byte_step: f64) -> fmt::Result {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for tick in ticks(scale.bytes, byte_step) {
        let y = scale.y(tick);
        writeln!(
            out,
            "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"{GRID}\"/>"
        )?;
        let style = "text-anchor=\"end\"";
        text(out, (LEFT - 8.0, y + 4.5), style, &bytes(tick, byte_step))?;
    }
    for tick in ticks(scale.gas, gas_step) {
        let x = scale.x(tick);
        writeln!(
            out,
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"{GRID}\"/>"
        )?;
        let style = "text-anchor=\"middle\"";
        text(out, (x, bottom + 20.0), style, &grouped(tick as u64))?;
    }
    writeln!(
        out,
        "<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"{QUIET}\"/>"
    )?;
    let middle = (f64::midpoint(LEFT, right), HEIGHT - 14.0);
    text(out, middle, "text-anchor=\"middle\"", "gas used")?;
    let y = f64::midpoint(TOP, bottom);
    let style = format!("text-anchor=\"middle\" transform=\"rotate(-90 20 {y})\"");
    text(out, (20.0, y), &style, "bytes")
}

fn curves(
    out: &mut String,
    scale: &Scale,
    samples: &[HeapSample],
    summary: Summary,
) -> fmt::Result {
    let used = |sample: &HeapSample| f64::from(sample.used);
    let peak = |sample: &HeapSample| f64::from(sample.peak);
    let live = |sample: &HeapSample| {
        let live = sample.counts.map_or(0, |counts| counts.live);
        (live as f64).min(used(sample))
    };
    let lost = |sample: &HeapSample| {
        let lost = sample.counts.map_or(0, |counts| counts.leaked);
        (live(sample) + lost as f64).min(used(sample))
    };
    let curve = |height: &dyn Fn(&HeapSample) -> f64| curve(scale, samples, height);
    // Each area hides the lower part of the one before.
    if summary.leaked.is_some() {
        area(out, scale, FREE, &curve(&used))?;
        area(out, scale, LEAKED, &curve(&lost))?;
        area(out, scale, LIVE, &curve(&live))?;
    } else {
        area(out, scale, IN_USE, &curve(&used))?;
    }
    line(out, INK, "", &curve(&used))?;
    line(out, PEAK, "stroke-dasharray=\"5 3\"", &curve(&peak))
}

/// A curve that keeps its height until the next sample, as the commands of a path.
fn curve(scale: &Scale, samples: &[HeapSample], height: &dyn Fn(&HeapSample) -> f64) -> String {
    let mut path = String::new();
    let mut last = String::new();
    for sample in samples {
        let x = scale.x(sample.gas as f64);
        let y = format!("{:.1}", scale.y(height(sample)));
        if path.is_empty() {
            path = format!("M{x:.1} {y}");
        } else if y != last {
            path += &format!("H{x:.1}V{y}");
        }
        last = y;
    }
    if let Some(sample) = samples.last() {
        path += &format!("H{:.1}", scale.x(sample.gas as f64));
    }
    path
}

fn area(out: &mut String, scale: &Scale, colour: &str, curve: &str) -> fmt::Result {
    let bottom = scale.y(0.0);
    writeln!(
        out,
        "<path d=\"{curve}V{bottom:.1}H{LEFT:.1}Z\" fill=\"{colour}\"/>"
    )
}

fn line(out: &mut String, colour: &str, style: &str, curve: &str) -> fmt::Result {
    writeln!(
        out,
        "<path d=\"{curve}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" {style}/>"
    )
}

pub(crate) fn text(out: &mut String, (x, y): (f64, f64), style: &str, text: &str) -> fmt::Result {
    let text = escaped(text);
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{text}</text>")
}

/// As many samples as fit side by side: for each column the first, the last, and those with the
/// most and the least bytes in use and live.
fn thinned(samples: &[HeapSample], gas: u64) -> Vec<HeapSample> {
    // Two pixels wide.
    const COLUMNS: u64 = (WIDTH - LEFT - RIGHT) as u64 / 2;
    if samples.len() as u64 <= COLUMNS {
        return samples.to_vec();
    }
    let column = |sample: &HeapSample| {
        // Less than the number of columns.
        (u128::from(sample.gas) * u128::from(COLUMNS) / (u128::from(gas) + 1)) as u64
    };
    let live = |sample: &HeapSample| sample.counts.map(|counts| counts.live);
    let mut kept = Vec::new();
    for group in samples.chunk_by(|left, right| column(left) == column(right)) {
        let indices = || 0..group.len();
        let mut chosen: Vec<usize> = [
            Some(0),
            indices().max_by_key(|index| group[*index].used),
            indices().min_by_key(|index| group[*index].used),
            indices().max_by_key(|index| live(&group[*index])),
            indices().min_by_key(|index| live(&group[*index])),
            group.len().checked_sub(1),
        ]
        .into_iter()
        .flatten()
        .collect();
        chosen.sort_unstable();
        chosen.dedup();
        kept.extend(chosen.into_iter().map(|index| group[index]));
    }
    kept
}

fn ticks(end: f64, step: f64) -> impl Iterator<Item = f64> {
    // A little more, against rounding errors of the sums.
    let count = (end / step + 1e-9).floor() as u32;
    (0..=count).map(move |index| f64::from(index) * step)
}

/// 1, 2 or 5 times a power of ten, and not less than this.
fn nice_step(least: f64) -> f64 {
    if least <= 1.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors.iter().find(|factor| **factor * power >= least);
    factor.unwrap_or(&10.0) * power
}

/// A step for bytes: a power of two if it is large.
fn byte_step(least: f64) -> f64 {
    if least <= 200.0 {
        nice_step(least)
    } else {
        2_f64.powf(least.log2().ceil())
    }
}

/// A number of bytes at an axis.
fn bytes(count: f64, step: f64) -> String {
    const KIB: f64 = 1024.0;
    const MIB: f64 = 1024.0 * KIB;
    if count == 0.0 {
        "0".to_owned()
    } else if step >= MIB {
        format!("{} MiB", count / MIB)
    } else if step >= KIB {
        format!("{} KiB", count / KIB)
    } else {
        grouped(count as u64)
    }
}

/// A text in XML.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in drawable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}
