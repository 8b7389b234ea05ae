//! What the pictures show.

use cargo_entrypoint::text::grouped;
use plotters::style::RGBColor;

/// A file with panels side by side.
#[derive(Debug)]
pub struct Picture {
    /// The file's name.
    pub file: &'static str,
    /// The name of the file with the rows, without an ending.
    pub rows: &'static str,
    /// The panels, from left to right.
    pub panels: &'static [Panel],
}

/// Two axes, and lines between them.
#[derive(Debug)]
pub struct Panel {
    /// What the panel shows.
    pub title: &'static str,
    /// The axis below.
    pub x: Axis,
    /// The axis on the left.
    pub y: Axis,
    /// The lines.
    pub lines: &'static [Line],
}

/// One axis.
#[derive(Debug)]
pub struct Axis {
    /// What it has, and in which unit.
    pub label: &'static str,
    unit: Unit,
    is_logarithmic: bool,
    /// Where its ticks are; if there are none here, they follow from the numbers.
    ticks: &'static [f64],
}

/// How numbers on an axis are written.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Count,
    Bytes,
    Microseconds,
}

/// One line.
#[derive(Debug)]
pub struct Line {
    /// Its name in the rows.
    pub series: &'static str,
    /// Its name in the picture.
    pub label: &'static str,
    /// Its colour, which is readable on a bright background and on a dark one.
    pub colour: RGBColor,
    /// Whether it is only there to compare with.
    pub is_reference: bool,
}

const BLUE: RGBColor = RGBColor(0x2f, 0x7f, 0xd6);
const ORANGE: RGBColor = RGBColor(0xd9, 0x77, 0x1e);
const GREEN: RGBColor = RGBColor(0x1f, 0x9e, 0x78);
const GREY: RGBColor = RGBColor(0x84, 0x8d, 0x97);

const KIB: f64 = 1024.0;
const MIB: f64 = KIB * KIB;

const fn line(series: &'static str, label: &'static str, colour: RGBColor) -> Line {
    Line {
        series,
        label,
        colour,
        is_reference: false,
    }
}

const fn axis(label: &'static str, unit: Unit) -> Axis {
    Axis {
        label,
        unit,
        is_logarithmic: false,
        ticks: &[],
    }
}

const TIME: Axis = Axis {
    is_logarithmic: true,
    ..axis("time of an invocation, logarithmic", Unit::Microseconds)
};

const ACCOUNTS: Axis = Axis {
    ticks: &[0.0, 32.0, 64.0, 96.0, 128.0, 160.0, 192.0, 224.0, 255.0],
    ..axis("accounts of 165 bytes", Unit::Count)
};

const LENGTH: Axis = Axis {
    is_logarithmic: true,
    ticks: &[8.0, 256.0, 4.0 * KIB, 64.0 * KIB, MIB, 10.0 * MIB],
    ..axis("length of the account's data, logarithmic", Unit::Bytes)
};

const PROGRAMS: Axis = axis("programs", Unit::Count);

const INVOCATIONS: Axis = axis("invocations", Unit::Count);

const MEMORY: Axis = axis("memory of the process, MiB", Unit::Count);

/// The pictures of `docs/performance.md`.
pub const PICTURES: [Picture; 4] = [
    Picture {
        file: "accounts.svg",
        rows: "accounts",
        panels: &[
            Panel {
                title: "Time by accounts",
                x: ACCOUNTS,
                y: TIME,
                lines: &[
                    line("µs interpreter", "interpreter", BLUE),
                    line("µs compiler", "compiler", ORANGE),
                ],
            },
            Panel {
                title: "Gas by accounts",
                x: ACCOUNTS,
                y: axis("gas of the entry", Unit::Count),
                lines: &[
                    line("gas with a table", "with a table", BLUE),
                    line("gas without a table", "without", ORANGE),
                ],
            },
        ],
    },
    Picture {
        file: "data.svg",
        rows: "data",
        panels: &[
            Panel {
                title: "No byte changes",
                x: LENGTH,
                y: TIME,
                lines: &[
                    Line {
                        is_reference: true,
                        ..line("µs one copy", "one copy", GREY)
                    },
                    line("µs interpreter unchanged", "interpreter", BLUE),
                    line("µs compiler unchanged", "compiler", ORANGE),
                    line("µs ledger unchanged", "ledger", GREEN),
                ],
            },
            Panel {
                title: "8 bytes change",
                x: LENGTH,
                y: TIME,
                lines: &[
                    Line {
                        is_reference: true,
                        ..line("µs one copy", "one copy", GREY)
                    },
                    line("µs interpreter 8 bytes change", "interpreter", BLUE),
                    line("µs compiler 8 bytes change", "compiler", ORANGE),
                    line("µs ledger 8 bytes change", "ledger", GREEN),
                ],
            },
        ],
    },
    Picture {
        file: "programs.svg",
        rows: "programs",
        panels: &[
            Panel {
                title: "Memory by programs",
                x: PROGRAMS,
                y: axis("memory of all of them, MiB", Unit::Count),
                lines: &[
                    line("MiB interpreter loaded", "interpreter", BLUE),
                    line("MiB compiler loaded", "compiler", ORANGE),
                ],
            },
            Panel {
                title: "Time of a load by programs",
                x: PROGRAMS,
                y: axis("time of a load", Unit::Microseconds),
                lines: &[
                    line("µs interpreter loaded", "interpreter", BLUE),
                    line("µs compiler loaded", "compiler", ORANGE),
                ],
            },
        ],
    },
    Picture {
        file: "invocations.svg",
        rows: "invocations",
        panels: &[
            Panel {
                title: "Memory over invocations",
                x: INVOCATIONS,
                y: MEMORY,
                lines: &[
                    line("MiB interpreter", "interpreter", BLUE),
                    line("MiB ledger", "ledger", GREEN),
                ],
            },
            Panel {
                title: "Time over invocations",
                x: INVOCATIONS,
                y: TIME,
                lines: &[
                    line("µs interpreter", "interpreter", BLUE),
                    line("µs ledger", "ledger", GREEN),
                ],
            },
        ],
    },
];

impl Axis {
    /// Where a number is on the axis, in a unit of the axis' own.
    #[must_use]
    pub fn place(&self, value: f64) -> f64 {
        if self.is_logarithmic {
            value.log10()
        } else {
            value
        }
    }

    /// Whether the axis has a place for a number: a logarithmic one begins at its first tick.
    #[must_use]
    pub fn has(&self, value: f64) -> bool {
        let first = self.ticks.first().copied().unwrap_or(f64::MIN_POSITIVE);
        !self.is_logarithmic || value >= first
    }

    /// The ticks for these numbers.
    #[must_use]
    pub fn ticks(&self, values: &[f64]) -> Vec<f64> {
        if !self.ticks.is_empty() {
            return self.ticks.to_vec();
        }
        let most = values.iter().copied().fold(0.0, f64::max);
        if self.is_logarithmic {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let (first, last) = (least.log10().floor() as i32, most.log10().ceil() as i32);
            return (first..=last).map(|power| 10_f64.powi(power)).collect();
        }
        // About five steps, each a power of ten, or twice or five times as much.
        let rough = (most / 5.0).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * power)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let count = (most / step).ceil() as i32;
        (0..=count).map(|tick| f64::from(tick) * step).collect()
    }

    /// A number as the axis shows it.
    #[must_use]
    pub fn format(&self, value: f64) -> String {
        match self.unit {
            Unit::Count if value.fract() != 0.0 => format!("{value:.1}"),
            Unit::Count if value >= 1e6 => format!("{} million", value / 1e6),
            Unit::Count => grouped(value as u64),
            Unit::Bytes => bytes(value),
            Unit::Microseconds => microseconds(value),
        }
    }
}

/// A number of bytes.
pub(super) fn bytes(value: f64) -> String {
    match value {
        _ if value >= MIB => format!("{} MiB", value / MIB),
        _ if value >= KIB => format!("{} KiB", value / KIB),
        _ => format!("{value} B"),
    }
}

/// A time with three digits at most.
pub(super) fn microseconds(value: f64) -> String {
    let (number, unit) = match value {
        _ if value >= 1e6 => (value / 1e6, "s"),
        _ if value >= 1e3 => (value / 1e3, "ms"),
        _ if value >= 1.0 || value == 0.0 => (value, "µs"),
        _ => (value * 1e3, "ns"),
    };
    let digits = match number {
        _ if number >= 10.0 => 0,
        _ => 1,
    };
    let text = format!("{number:.digits$}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{text} {unit}")
}
