//! Computes medians and interquartile ranges: rounds on a shared machine allow nothing more precise.

/// Median and quartiles of a measure over the rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub median: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Summary {
    /// Summarizes the values; `None` without values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: quantile(&sorted, 1, 2)?,
            lower: quantile(&sorted, 1, 4)?,
            upper: quantile(&sorted, 3, 4)?,
        })
    }

    /// Summarizes `a` ÷ `b`, round by round: a slow machine slows both in the same round. Rounds that only one of them has are
    /// skipped.
    pub fn of_ratios(a: &[f64], b: &[f64]) -> Option<Self> {
        let ratios: Vec<_> = a.iter().zip(b).map(|(a, b)| a / b).collect();
        Self::of(&ratios)
    }
}

/// The median of the values; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    Summary::of(values).map(|summary| summary.median)
}

/// The value below which `numerator / denominator` of the sorted values lie, interpolated between its two neighbours.
fn quantile(sorted: &[f64], numerator: usize, denominator: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let (whole, rest) = (
        last * numerator / denominator,
        last * numerator % denominator,
    );
    let (below, above) = (sorted[whole], sorted[(whole + 1).min(last)]);
    let part = f64::from(u32::try_from(rest).ok()?) / f64::from(u32::try_from(denominator).ok()?);
    Some(below + (above - below) * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_rounds_are_within_the_interquartile_range() {
        let check = |values: &[f64], lower, median, upper| {
            let expected = Summary {
                median,
                lower,
                upper,
            };
            assert_eq!(Summary::of(values), Some(expected));
        };
        check(&[7.0], 7.0, 7.0, 7.0);
        check(&[1.0, 2.0], 1.25, 1.5, 1.75);
        check(&[5.0, 1.0, 3.0, 2.0, 4.0], 2.0, 3.0, 4.0);
        check(&[4.0, 3.0, 2.0, 100.0], 2.75, 3.5, 28.0);
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn a_ratio_is_that_of_one_round() {
        // Both were ten times as slow in the second round.
        let ratios = Summary::of_ratios(&[1.0, 10.0, 2.0], &[2.0, 20.0, 4.0]);
        assert_eq!(ratios, Summary::of(&[0.5, 0.5, 0.5]));
        assert_eq!(Summary::of_ratios(&[1.0, 9.0], &[2.0]), Summary::of(&[0.5]));
        assert_eq!(Summary::of_ratios(&[1.0], &[]), None);
    }
}
