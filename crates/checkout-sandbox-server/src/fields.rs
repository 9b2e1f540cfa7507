//! The fields of a JSON object that the server gets, taken one by one. A field that nobody takes is refused.

use checkout_tables::Moment;
use checkout_transport::http::StatusCode;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// The fields of an object.
#[derive(Debug)]
pub(crate) struct Fields {
    left: Map<String, Value>,
    /// The names of the fields that were taken or looked for.
    known: Vec<&'static str>,
}

impl Fields {
    /// The fields of a body. A body without a byte has no fields.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Problem> {
        let refused = |message: String| Problem::new(StatusCode::BAD_REQUEST, message);
        if body.is_empty() {
            return Ok(Self::of(Map::new()));
        }
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| refused(format!("the body is not JSON: {error}")))?;
        let Value::Object(fields) = value else {
            return Err(refused("the body is not a JSON object".to_owned()));
        };
        Ok(Self::of(fields))
    }

    /// The fields of an object that was read before.
    pub(crate) fn of(left: Map<String, Value>) -> Self {
        Self { left, known: Vec::new() }
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::field(name, "has to be a text")),
        }
    }

    /// A text, or a whole number as its text.
    pub(crate) fn text_or_number(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => {
                let number = digits_of(&value).filter(|digits| digits.parse::<i128>().is_ok());
                number.map(Some).ok_or_else(|| Problem::field(name, "has to be a text or a whole number"))
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = digits_of(&value).and_then(|digits| digits.parse::<u64>().ok());
        let number = number.filter(|number| (least..=most).contains(number));
        let refused = || Problem::field(name, format!("has to be a whole number from {least} to {most}"));
        number.map(Some).ok_or_else(refused)
    }

    /// A whole number from `-most` to `most`.
    pub(crate) fn signed(&mut self, name: &'static str, most: i64) -> Result<Option<i64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = digits_of(&value).and_then(|digits| digits.parse::<i64>().ok());
        let number = number.filter(|number| (-most..=most).contains(number));
        let refused = || Problem::field(name, format!("has to be a whole number from -{most} to {most}"));
        number.map(Some).ok_or_else(refused)
    }

    /// A moment in milliseconds since 1970, before the year 10000.
    pub(crate) fn moment(&mut self, name: &'static str) -> Result<Option<Moment>, Problem> {
        let millis = self.number(name, 0, LAST_MILLISECOND)?;
        Ok(millis.and_then(|millis| i64::try_from(millis).ok()).map(Moment::from_unix_millis))
    }

    pub(crate) fn truth(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(truth)),
            Some(_) => Err(Problem::field(name, "has to be true or false")),
        }
    }

    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let texts: Option<Option<Vec<String>>> =
            value.as_array().map(|texts| texts.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        texts.flatten().map(Some).ok_or_else(|| Problem::field(name, "has to be a list of texts"))
    }

    /// A value of any kind.
    pub(crate) fn any(&mut self, name: &'static str) -> Option<Value> {
        self.take(name)
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Result<Option<Self>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self::of(fields))),
            Some(_) => Err(Problem::field(name, "has to be an object")),
        }
    }

    /// Refuses the fields that nobody has taken.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) if self.known.is_empty() => Err(Problem::field(name, "no field has a place here")),
            Some(name) => {
                let known = self.known.join(", ");
                Err(Problem::field(name, format!("no such field: the fields are {known}")))
            }
        }
    }

    /// The value of a field. `null` is a field left out.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }
}

/// The number as a text. A client whose numbers are all of one kind writes 5 as 5.0.
fn digits_of(value: &Value) -> Option<String> {
    let text = value.is_number().then(|| value.to_string())?;
    Some(text.strip_suffix(".0").unwrap_or(&text).to_owned())
}

/// The last millisecond of the year 9999.
pub(crate) const LAST_MILLISECOND: u64 = 253_402_300_799_999;

/// The greatest whole number that every reader of JSON reads exactly: 2^53 - 1.
pub(crate) const LAST_WHOLE_NUMBER: u64 = (1 << 53) - 1;
