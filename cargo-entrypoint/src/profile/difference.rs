//! The gas of two programs with the same invocation, compared.

use std::collections::BTreeMap;

use super::costs::Costs;
use crate::text::grouped;

/// Gas in two programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<T> {
    /// What used it.
    pub of: T,
    /// Gas in the old program.
    pub before: u64,
    /// Gas in the new program.
    pub after: u64,
}

impl Difference<String> {
    /// The functions whose own gas differs, those that differ most first. Their differences add up
    /// to that of the programs.
    #[must_use]
    pub fn all(before: &Costs, after: &Costs) -> Vec<Self> {
        let mut functions: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for cost in &before.functions {
            functions.entry(&cost.of).or_default().0 = cost.own;
        }
        for cost in &after.functions {
            functions.entry(&cost.of).or_default().1 = cost.own;
        }
        let differences = functions
            .into_iter()
            .map(|(function, (before, after))| Self {
                of: function.to_owned(),
                before,
                after,
            });
        let mut differences: Vec<Self> = differences
            .filter(|difference| difference.before != difference.after)
            .collect();
        // The sort is stable: functions that differ as much stay in the order of their names.
        differences.sort_by_key(|difference| {
            std::cmp::Reverse(difference.before.abs_diff(difference.after))
        });
        differences
    }
}

impl<T> Difference<T> {
    /// How much more gas the new program uses.
    #[must_use]
    pub fn difference(&self) -> i128 {
        i128::from(self.after) - i128::from(self.before)
    }

    /// The difference, and its part of the old gas: `-32 (-7.8%)`.
    #[must_use]
    pub fn describe(&self) -> String {
        let difference = self.difference();
        if self.before == 0 || difference == 0 {
            return signed(difference);
        }
        let part = difference as f64 * 100.0 / self.before as f64;
        format!("{} ({part:+.1}%)", signed(difference))
    }
}

/// A difference with its sign: `+1,024`, `-3`, `0`.
#[must_use]
pub fn signed(difference: i128) -> String {
    let sign = match difference {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    let digits = u64::try_from(difference.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", grouped(digits))
}

#[cfg(test)]
mod tests {
    use super::super::costs::Cost;
    use super::*;

    fn costs(functions: &[(&str, u64)]) -> Costs {
        let functions = functions.iter().map(|(name, own)| Cost {
            of: (*name).to_owned(),
            own: *own,
            total: *own,
        });
        Costs {
            functions: functions.collect(),
            ..Costs::default()
        }
    }

    #[test]
    fn largest_differences_are_first() {
        let before = costs(&[("gone", 5), ("same", 7), ("less", 1_500)]);
        let after = costs(&[("less", 20), ("new", 6), ("same", 7)]);
        let all = Difference::all(&before, &after);
        let named: Vec<(&str, String)> = all
            .iter()
            .map(|difference| (&*difference.of, difference.describe()))
            .collect();
        let expected = [
            ("less", "-1,480 (-98.7%)"),
            ("new", "+6"),
            ("gone", "-5 (-100.0%)"),
        ];
        assert_eq!(named, expected.map(|(name, text)| (name, text.to_owned())));
        assert_eq!(Difference::all(&after, &after), []);
        assert_eq!(signed(-i128::from(u64::MAX)), "-18,446,744,073,709,551,615");
    }
}
