//! The parameters of a query, taken one by one. A parameter that nobody takes is refused.

use std::time::Duration;

use crate::problem::Problem;

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Query {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Query {
    pub(crate) fn read(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self { left: pairs.into_owned().collect(), known: Vec::new() }
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let place = self.left.iter().position(|(key, _)| key == name)?;
        Some(self.left.remove(place).1)
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Problem::field(name, "has to be a whole number"))
    }

    /// A time of at most ten minutes: `5s` or `500ms`.
    pub(crate) fn time(&mut self, name: &'static str) -> Result<Option<Duration>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let millis = text.strip_suffix("ms").and_then(|millis| millis.parse::<u64>().ok());
        let seconds = text.strip_suffix('s').and_then(|seconds| seconds.parse::<u64>().ok());
        let time = millis.map(Duration::from_millis).or_else(|| seconds.map(Duration::from_secs));
        let time = time.filter(|time| *time <= Duration::from_secs(600));
        time.map(Some)
            .ok_or_else(|| Problem::field(name, "has to be a time as 5s or 500ms, and at most 600s"))
    }

    /// Refuses the parameters that nobody has taken.
    pub(crate) fn end(self) -> Result<(), Problem> {
        let Some((name, _)) = self.left.first() else { return Ok(()) };
        let known = self.known.join(", ");
        Err(Problem::field(name.clone(), format!("no such parameter: the parameters are {known}, each once")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_unit() {
        let time = |text: &str| Query::read(Some(&format!("t={text}"))).time("t").ok().flatten();
        for (text, millis) in [("5s", 5_000), ("500ms", 500), ("0s", 0), ("600s", 600_000)] {
            assert_eq!(time(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["5", "s", "-1s", "601s", "1.5s", "5m", ""] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn a_parameter_that_nobody_takes_is_refused() {
        let mut query = Query::read(Some("a=1&b=2&a=3"));
        assert_eq!(query.text("a").as_deref(), Some("1"));
        assert_eq!(query.end().unwrap_err().field.as_deref(), Some("b"));
    }
}
