//! JSON with members in the order of their making. The JSON may break the rules.

use std::fmt::{self, Display, Write};

/// A piece of a reply. An object keeps the order of members, and may have a name twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Int(i64),
    Text(String),
    Object(Vec<(String, Json)>),
    /// JSON text that is passed on unchanged.
    Raw(String),
}

impl Json {
    pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn text_or_null(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// Adds members that nobody has documented to every object.
    pub(crate) fn with_unknown_members(self) -> Self {
        let Self::Object(members) = self else { return self };
        let mut members: Vec<_> =
            members.into_iter().map(|(name, value)| (name, value.with_unknown_members())).collect();
        let nested = Self::object([("a", Self::Raw("[1,{\"b\":null}]".to_owned())), ("c", Self::text("d"))]);
        members.insert(0, ("x_sandbox_unknown".to_owned(), nested));
        members.push(("x_sandbox_flag".to_owned(), Self::Raw("true".to_owned())));
        Self::Object(members)
    }

    /// Repeats the first member of every object at the end of the object, with another value.
    pub(crate) fn with_doubled_members(self) -> Self {
        let Self::Object(members) = self else { return self };
        let mut members: Vec<_> =
            members.into_iter().map(|(name, value)| (name, value.with_doubled_members())).collect();
        if let Some((name, value)) = members.first() {
            members.push((name.clone(), value.differing()));
        }
        Self::Object(members)
    }

    fn differing(&self) -> Self {
        match self {
            Self::Null | Self::Object(_) | Self::Raw(_) => Self::text("another"),
            Self::Int(value) => Self::Int(value.wrapping_add(1)),
            Self::Text(text) => Self::Text(format!("{text}0")),
        }
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::Raw(text) => f.write_str(text),
            Self::Object(members) => {
                f.write_char('{')?;
                for (at, (name, value)) in members.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{value}", serde_json::Value::from(name.as_str()))?;
                }
                f.write_char('}')
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Json {
        let inner = Json::object([("z", Json::text("say \"é\"\n")), ("a", Json::Null)]);
        Json::object([("code", Json::Int(-3)), ("payload", inner), ("raw", Json::Raw("[1, 2]".to_owned()))])
    }

    #[test]
    fn members_stay_in_their_order() {
        let expected = r#"{"code":-3,"payload":{"z":"say \"é\"\n","a":null},"raw":[1, 2]}"#;
        assert_eq!(sample().to_string(), expected);
    }

    #[test]
    fn unknown_members_leave_the_known_ones_as_they_are() {
        let read = |json: Json| serde_json::from_str::<serde_json::Value>(&json.to_string()).unwrap();
        let more = read(sample().with_unknown_members());
        assert_eq!(more["code"], -3);
        assert_eq!(more["payload"]["z"], "say \"é\"\n");
        assert_eq!(more["payload"].as_object().unwrap().len(), 4);
        assert_eq!(more["raw"], read(sample())["raw"]);
    }

    #[test]
    fn a_doubled_member_has_two_values() {
        let doubled = sample().with_doubled_members().to_string();
        assert!(doubled.starts_with(r#"{"code":-3,"#) && doubled.ends_with(r#","code":-2}"#), "{doubled}");
        assert!(doubled.contains(r#""a":null,"z":"say \"é\"\n0"}"#), "{doubled}");
    }
}
