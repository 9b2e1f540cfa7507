//! The one line in which a header and an option of the program write a fault: the name, and then
//! `key=value`, each after a semicolon.

use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::problem::Problem;

/// The fields of a line, as a body of JSON has them: `slow; ms=5` is `{"fault": "slow", "ms": 5}`.
pub(super) fn fields(line: &str) -> Result<Fields, Problem> {
    let mut parts = line.split(';').map(str::trim);
    let mut fields = Map::new();
    fields.insert("fault".to_owned(), parts.next().unwrap_or_default().into());
    for part in parts.filter(|part| !part.is_empty()) {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| Problem::field("fault", format!("{part:?} is not key=value")))?;
        let (key, value) = (key.trim(), value.trim());
        if fields.insert(key.to_owned(), json_of(value)).is_some() {
            return Err(Problem::field(key, "is given twice"));
        }
    }
    Ok(Fields::of(fields))
}

/// A number where the text is that of a whole number to the digit, and else the text.
fn json_of(text: &str) -> Value {
    let signed = text.parse::<i64>().ok().map(|number| (number.to_string(), Value::from(number)));
    let number =
        signed.or_else(|| text.parse::<u64>().ok().map(|number| (number.to_string(), number.into())));
    number.filter(|(digits, _)| digits == text).map_or_else(|| text.into(), |(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, name: &'static str) -> Option<String> {
        fields(line).ok().and_then(|mut fields| fields.text_or_number(name).ok().flatten())
    }

    #[test]
    fn a_line_has_a_name_and_values() {
        assert_eq!(read(" lost_answer ", "fault").as_deref(), Some("lost_answer"));
        assert_eq!(read("refused; code = 800.100.151;", "code").as_deref(), Some("800.100.151"));
        assert_eq!(read("x; code=007", "code").as_deref(), Some("007"));
        assert_eq!(read("x; seed=18446744073709551615", "seed").as_deref(), Some("18446744073709551615"));
        assert_eq!(read("x; a=b=c", "a").as_deref(), Some("b=c"));
        assert!(fields("x; seed=-3").unwrap().number("seed", 0, 9).is_err());
        for wrong in ["x; code", "x; a=1; a=2", "x; fault=y"] {
            assert!(fields(wrong).is_err(), "{wrong}");
        }
    }
}
