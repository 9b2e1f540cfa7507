//! The times that chance chooses. The times follow from a number, so a seed repeats them.

use std::time::Duration;

use super::table::MOST_MS;
use crate::keys::number_of;

/// A time that is as likely as any other from `jitter` below to `jitter` above.
pub(super) fn even(ms: u64, jitter_ms: u64, draw: u64) -> Duration {
    let width = jitter_ms.saturating_mul(2).saturating_add(1);
    let ms = ms.saturating_add(draw % width).saturating_sub(jitter_ms);
    Duration::from_millis(ms.min(MOST_MS))
}

/// A time of a log-normal distribution: half of the times are below the median, and the logarithm has the
/// standard deviation of `sigma` thousandths.
pub(super) fn log_normal(median_ms: u64, sigma_permille: u64, draw: u64) -> Duration {
    // The sum of twelve even numbers is near a normal distribution, with the variance 1.
    let parts =
        (0..12_u64).map(|part| i64::try_from(number_of(&format!("{draw} {part}")) % ONE).unwrap_or(0));
    let normal = parts.sum::<i64>() - 6 * ONE_I;
    let sigma = i64::try_from(sigma_permille).unwrap_or(0);
    let exponent = normal * sigma / 1_000 * LOG2_E / ONE_I;
    let (whole, part) = (exponent.div_euclid(ONE_I), exponent.rem_euclid(ONE_I));
    let factor = power_of_two(part);
    let ms = i128::from(median_ms) * i128::from(factor);
    let shift = u32::try_from(whole.unsigned_abs()).unwrap_or(u32::MAX).min(63);
    let ms = if whole < 0 { ms >> shift } else { ms << shift };
    let ms = u64::try_from(ms >> 16).unwrap_or(MOST_MS);
    Duration::from_millis(ms.min(MOST_MS))
}

/// Two to the power of a part of one, both in 65536ths.
fn power_of_two(part: i64) -> i64 {
    // 1 + 0.695556 x + 0.226173 x² + 0.078272 x³
    let cubed = 5_130 * part / ONE_I + 14_822;
    let squared = cubed * part / ONE_I + 45_584;
    squared * part / ONE_I + ONE_I
}

/// One, in 65536ths.
const ONE: u64 = 65_536;

const ONE_I: i64 = 65_536;

/// The logarithm of e to the base 2, in 65536ths.
const LOG2_E: i64 = 94_548;

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(time: impl Fn(u64) -> Duration) -> Vec<u128> {
        let mut times: Vec<_> = (0..10_001).map(|n| time(number_of(&format!("n {n}"))).as_millis()).collect();
        times.sort_unstable();
        times
    }

    #[test]
    fn an_even_time_fills_its_range_and_no_more() {
        let times = sorted(|draw| even(100, 30, draw));
        assert_eq!((times.first(), times.last()), (Some(&70), Some(&130)));
        // Each of the 61 times comes near its share of 164.
        for time in 70..=130 {
            let share = times.iter().filter(|of| **of == time).count();
            assert!((100..250).contains(&share), "{time}: {share}");
        }
        assert_eq!(even(5, 0, 77), Duration::from_millis(5));
        // No time is below zero, and none is above the greatest.
        assert_eq!(even(0, 9, 0), Duration::ZERO);
        assert!(even(MOST_MS, MOST_MS, u64::MAX).as_millis() <= u128::from(MOST_MS));
    }

    #[test]
    fn a_log_normal_time_has_its_median_and_its_spread() {
        // The 16th, 50th and 84th of a hundred, by the formula of the distribution: 90 · e^±0.4.
        let times = sorted(|draw| log_normal(90, 400, draw));
        let at = |percent: usize| times[10_000 * percent / 100];
        assert!((56..=64).contains(&at(16)), "{}", at(16));
        assert!((87..=93).contains(&at(50)), "{}", at(50));
        assert!((128..=141).contains(&at(84)), "{}", at(84));
        assert_eq!(log_normal(90, 0, 5), Duration::from_millis(90));
        assert!((0..500).all(|draw| log_normal(MOST_MS, 5_000, draw).as_millis() <= u128::from(MOST_MS)));
    }

    #[test]
    fn a_power_of_two_is_near_the_table() {
        // 2^0, 2^0.25, 2^0.5, 2^0.75, 2^1, in 65536ths.
        for (quarter, expected) in (0..).zip([65_536, 77_936, 92_682, 110_218, 131_072]) {
            let power = power_of_two(quarter * ONE_I / 4);
            assert!((power - expected).abs() < 20, "{quarter}: {power}");
        }
    }
}
