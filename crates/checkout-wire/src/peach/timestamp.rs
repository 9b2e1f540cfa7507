//! The time in a signed body.

use checkout_tables::Moment;

/// Returns the moment of an ISO 8601 date and time with its offset, as Peach writes:
/// `2019-01-25T08:27:46.916519Z`. Anything else is none, also a time without an offset, as one page describes
/// the format (`yyyy-MM-dd hh:mm:ss`): nobody knows that moment, so a body with such a time is unordered.
/// Digits finer than a millisecond are cut off, and a leap second counts as the second after.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::tables::Moment;
/// use checkout_kit::wire::peach::moment;
///
/// assert_eq!(moment("1970-01-01T00:00:01Z"), Some(Moment::from_unix_seconds(1)));
/// let read = Some(Moment::from_unix_millis(1_548_404_866_916));
/// assert_eq!(moment("2019-01-25T08:27:46.916519Z"), read);
/// assert_eq!(moment("2019-01-25T10:27:46.916+02:00"), read);
/// assert_eq!(moment("2019-01-25T08:27:46"), None);
/// ```
#[must_use]
pub fn moment(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let offset_at = time.find(['Z', 'z', '+', '-'])?;
    let (time, offset) = time.split_at_checked(offset_at)?;
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = parts(time, ':', [2, 2, 2])?;
    let in_month = *[31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        .get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if !(1..=in_month).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds =
        days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds(offset)?;
    Some(Moment::from_unix_millis(seconds * 1_000 + milliseconds(fraction)?))
}

/// Numbers of so many digits each.
fn parts(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        *number = self::digits(parts.next().filter(|part| part.len() == digits)?)?;
    }
    parts.next().is_none().then_some(numbers)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `Z`, `+02:00` or `+0200`.
fn offset_seconds(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        5 => rest.split_once(':')?,
        4 => rest.split_at_checked(2)?,
        _ => return None,
    };
    let two = |text: &str| digits(text).filter(|_| text.len() == 2);
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 23 && minutes <= 59).then(|| sign * (hours * 3_600 + minutes * 60))
}

fn milliseconds(fraction: &str) -> Option<i64> {
    digits(fraction.get(..1)?)?;
    let three = fraction.bytes().chain(*b"00").take(3);
    let all_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| three.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from the epoch to a day of the Gregorian calendar. The year begins in March, so that the leap day is
/// the last day of the year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_year = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before_year + (month * 153 + 2) / 5 + day - 1 - 719_468
}
