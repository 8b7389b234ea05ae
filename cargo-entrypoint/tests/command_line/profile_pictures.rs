//! The pictures of profiles, including hostile ones.

use std::collections::BTreeMap;

use cargo_entrypoint::profile::costs::Costs;
use cargo_entrypoint::profile::flame;
use cargo_entrypoint::profile::heap::{Summary, picture};
use loader::profile::{HeapCounts, HeapProfile, HeapSample};
use roxmltree::{Document, ParsingOptions};

const HOSTILE: &str = "</title><script>alert(1)</script>&\"'\u{1}\u{1b}[2J\u{ffff}\u{202e}]]>";

fn sample(gas: u64, used: u32, peak: u32, live: Option<u64>) -> HeapSample {
    HeapSample {
        gas,
        used,
        peak,
        counts: live.map(|live| HeapCounts {
            live,
            leaked: u64::from(used).saturating_sub(live),
        }),
    }
}

fn heap(samples: Vec<HeapSample>) -> HeapProfile {
    HeapProfile {
        limit: 32_768,
        samples,
    }
}

/// Parses a picture, and returns its text.
#[track_caller]
fn parsed(svg: &str) -> String {
    assert!(!svg.contains("NaN") && !svg.contains("inf "), "{svg}");
    let options = ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    let document = Document::parse_with_options(svg, options).expect("XML");
    // A flame graph has one script, from the library that draws it.
    let is_hostile = |node: roxmltree::Node<'_, '_>| {
        node.has_tag_name("script") && node.text() == Some("alert(1)")
    };
    assert!(!document.descendants().any(is_hostile));
    let texts = document.descendants().filter_map(|node| node.text());
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_heap_without_a_history_has_no_picture() {
    assert_eq!(picture("title", "note", &heap(Vec::new())), None);
}

#[test]
fn short_histories_have_pictures() {
    for samples in [
        vec![sample(0, 0, 0, None)],
        vec![sample(0, 0, 0, Some(0)), sample(10, 0, 0, Some(0))],
        vec![sample(0, 0, 0, Some(0)), sample(5, 24, 24, Some(24))],
        vec![
            sample(0, u32::MAX, u32::MAX, None),
            sample(u64::MAX, 0, u32::MAX, None),
        ],
        // More live bytes than used ones, which only a hostile program reports.
        vec![sample(0, 5, 5, Some(u64::MAX)), sample(1, 6, 6, Some(7))],
    ] {
        let svg = picture("title", "note", &heap(samples)).expect("a picture");
        let text = parsed(&svg);
        assert!(text.contains("title") && text.contains("note"));
    }
}

/// A blob may export any heap trace.
#[test]
fn counts_may_be_of_any_size() {
    let mut most = sample(1, 8, 8, None);
    most.counts = Some(HeapCounts {
        live: u64::MAX,
        leaked: u64::MAX,
    });
    let heap = heap(vec![sample(0, 0, 0, Some(0)), most]);
    let summary = Summary::of(&heap).expect("a history");
    assert_eq!((summary.leaked, summary.free), (Some(u64::MAX), Some(0)));
    parsed(&picture("title", "note", &heap).expect("a picture"));
}

#[test]
fn curve_is_flat_until_the_next_sample() {
    let samples = vec![
        sample(0, 0, 0, None),
        sample(50, 100, 100, None),
        sample(100, 100, 100, None),
    ];
    let svg = picture("title", "note", &heap(samples)).expect("a picture");
    // Flat up to the middle, then up in one step.
    let curve = "M90.0 410.0H530.0V";
    assert!(svg.contains(curve), "{svg}");
    assert!(svg.contains("H970.0\""), "{svg}");
}

#[test]
fn long_histories_keep_their_extremes() {
    let count = 100_000;
    let samples: Vec<HeapSample> = (0..count)
        .map(|index| {
            let used = if index == 77_777 {
                30_000
            } else {
                (index % 1_000) as u32
            };
            sample(index * 7, used, 30_000, Some(0))
        })
        .collect();
    let svg = picture("title", "note", &heap(samples)).expect("a picture");
    assert!(svg.len() < 200_000, "{}", svg.len());
    let _ = parsed(&svg);
    // The curve of used bytes keeps the one high sample: it is as high as the curve of the peak.
    let highest = |line: &str| -> Option<f64> {
        let path = line.split('"').nth(1)?;
        let heights = path.split(['V', 'H']).filter(|part| !part.starts_with('M'));
        // Every second path command is vertical.
        heights
            .skip(1)
            .step_by(2)
            .filter_map(|text| text.parse().ok())
            .reduce(f64::min)
    };
    let used = svg
        .lines()
        .find(|line| line.contains("stroke-width=\"1.5\"") && !line.contains("dasharray"))
        .expect("the curve");
    let at_peak = 410.0 - 30_000.0 / 32_768.0 * 288.0;
    assert!(
        (highest(used).expect("a height") - at_peak).abs() < 1.0,
        "{:?}",
        highest(used)
    );
}

#[test]
fn hostile_names_are_escaped() {
    let samples = vec![sample(0, 0, 0, None), sample(5, 24, 24, None)];
    let svg = picture(HOSTILE, HOSTILE, &heap(samples)).expect("a picture");
    assert!(parsed(&svg).contains("<script>alert(1)</script>"));
    assert!(parsed(&svg).contains(r"\u{202e}]]>"));
    assert!(!svg.contains('\u{202e}'));

    let mut stacks = BTreeMap::new();
    stacks.insert(vec!["entrypoint".to_owned(), HOSTILE.to_owned()], 7);
    stacks.insert(
        vec!["entrypoint".to_owned(), "read<[u8; 2]> 99".to_owned()],
        5,
    );
    stacks.insert(vec!["entrypoint".to_owned(), String::new()], 3);
    stacks.insert(vec!["entrypoint".to_owned(), "\n;\n 12".to_owned()], 2);
    let costs = Costs {
        gas: 17,
        stacks,
        ..Costs::default()
    };
    for line in flame::folded(&costs) {
        assert_eq!(line.matches(';').count(), 1, "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
    let svg = flame::graph(HOSTILE, &costs).expect("a picture");
    let svg = String::from_utf8(svg).expect("text");
    let text = parsed(&svg);
    assert!(!svg.contains('\u{202e}'), "{text}");
    assert!(text.contains("all (17 gas, 100%)"), "{text}");
    assert!(
        text.contains("read<[u8, 2]>\u{a0}99 (5 gas, 29.41%)"),
        "{text}"
    );
    assert!(text.contains("(unnamed) (3 gas"), "{text}");
}

#[test]
fn difference_is_red_or_blue() {
    let costs = |stacks: &[(&str, u64)]| Costs {
        stacks: stacks
            .iter()
            .map(|(stack, gas)| (stack.split(';').map(str::to_owned).collect(), *gas))
            .collect(),
        ..Costs::default()
    };
    let before = costs(&[
        ("entry", 5),
        ("entry;more", 10),
        ("entry;less", 30),
        ("entry;gone", 3),
    ]);
    let after = costs(&[
        ("entry", 5),
        ("entry;more", 30),
        ("entry;less", 10),
        ("entry;new", 4),
    ]);
    let svg = flame::difference(HOSTILE, &before, &after).expect("a picture");
    let svg = String::from_utf8(svg).expect("text");
    let text = parsed(&svg);
    assert!(text.contains("more (30 gas, 61.22%; +40.82%)"), "{text}");
    assert!(text.contains("less (10 gas, 20.41%; -40.82%)"), "{text}");
    let colour = |name: &str| {
        let (_, after) = svg
            .split_once(&format!("<title>{name} ("))
            .expect("a function");
        let (_, fill) = after.split_once("fill=\"").expect("a colour");
        fill.split('"').next().expect("a colour").to_owned()
    };
    assert_eq!(colour("more"), "rgb(255,100,100)");
    assert_eq!(colour("less"), "rgb(100,100,255)");
    assert_eq!(colour("entry"), "rgb(250,250,250)");
}
