//! JSON as it is kept: members in their order, doubled ones too, and numbers as their text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Json {
    Null,
    Flag(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads a text that is one JSON value of at most `levels` levels of lists and objects. None for one with
    /// half a surrogate pair too.
    pub(super) fn read(text: &str, levels: usize) -> Option<Self> {
        Self::of(serde_json::from_str(text).ok()?, levels)
    }

    fn of(raw: &RawValue, levels: usize) -> Option<Self> {
        let text = raw.get().trim_ascii();
        Some(match text.as_bytes().first()? {
            b'n' => Self::Null,
            b't' => Self::Flag(true),
            b'f' => Self::Flag(false),
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            b'[' => {
                let levels = levels.checked_sub(1)?;
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::List(items.into_iter().map(|item| Self::of(item, levels)).collect::<Option<_>>()?)
            }
            b'{' => {
                let levels = levels.checked_sub(1)?;
                let Members(members) = serde_json::from_str(text).ok()?;
                let members = members.into_iter();
                let read = members.map(|(name, value)| Self::of(value, levels).map(|value| (name, value)));
                Self::Object(read.collect::<Option<_>>()?)
            }
            _ => Self::Number(text.to_owned()),
        })
    }

    pub(super) fn into_text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text of a number.
    pub(super) fn into_number(self) -> Option<String> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    pub(super) fn into_list(self) -> Option<Vec<Self>> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The shortest text of the value.
    pub(super) fn compact(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, None);
        text
    }

    /// The text of the value that is pleasant to read and to compare, without a line's end after the text.
    pub(super) fn pretty(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, Some(0));
        text
    }

    /// `depth` is the indentation of the lines; without a depth there are no lines.
    fn write(&self, text: &mut String, depth: Option<usize>) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => text.push_str(number),
            Self::Text(content) => write_text(content, text),
            Self::List(items) if items.iter().all(Self::is_single) => {
                text.push('[');
                for (place, item) in items.iter().enumerate() {
                    text.push_str(match (place, depth) {
                        (0, _) => "",
                        (_, None) => ",",
                        (_, Some(_)) => ", ",
                    });
                    item.write(text, None);
                }
                text.push(']');
            }
            Self::List(items) => write_all(text, depth, ('[', ']'), items, |item, text, depth| {
                item.write(text, depth);
            }),
            Self::Object(members) => {
                write_all(text, depth, ('{', '}'), members, |(name, value), text, depth| {
                    write_text(name, text);
                    text.push_str(if depth.is_some() { ": " } else { ":" });
                    value.write(text, depth);
                });
            }
        }
    }

    fn is_single(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }
}

/// The members of an object, none of them read yet.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

fn write_all<T>(
    text: &mut String,
    depth: Option<usize>,
    (open, close): (char, char),
    items: &[T],
    write: impl Fn(&T, &mut String, Option<usize>),
) {
    let within = depth.map(|depth| depth.saturating_add(1));
    text.push(open);
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        new_line(text, within);
        write(item, text, within);
    }
    if !items.is_empty() {
        new_line(text, depth);
    }
    text.push(close);
}

fn new_line(text: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    }
}

fn write_text(content: &str, text: &mut String) {
    text.push('"');
    for c in content.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text, and the form it is read and written as.
    fn check(text: &str) -> String {
        Json::read(text, 3).map_or_else(|| "none".to_owned(), |json| json.compact())
    }

    #[test]
    fn a_value_is_kept_with_its_order_its_doubles_and_the_text_of_its_numbers() {
        let table = [
            (
                r#" {"b":1.50,"a":-0e1,"b":[true,false,null,""]} "#,
                r#"{"b":1.50,"a":-0e1,"b":[true,false,null,""]}"#,
            ),
            ("123456789012345678901234567890.0", "123456789012345678901234567890.0"),
            (r#""\u00e9\ud83d\ude00\u0007\/\"""#, "\"é😀\\u0007/\\\"\""),
            ("[ ]", "[]"),
            ("[[[]]]", "[[[]]]"),
            ("[[[[]]]]", "none"),
            (r#""\ud800""#, "none"),
            (r#"{"\ud800":1}"#, "none"),
            ("", "none"),
            ("nul", "none"),
            ("{}{}", "none"),
            ("[1,]", "none"),
            ("01", "none"),
            ("a=b", "none"),
            ("\u{feff}{}", "none"),
        ];
        for (text, expected) in table {
            assert_eq!(check(text), expected, "{text}");
        }
    }

    #[test]
    fn the_pleasant_text_has_a_line_for_each_member_and_one_for_a_list_of_single_values() {
        let json = Json::read(r#"{"a":{"b":[1,"x",null],"c":[[1],{"d":{}}]},"e":[]}"#, 9).unwrap();
        let expected = r#"{
  "a": {
    "b": [1, "x", null],
    "c": [
      [1],
      {
        "d": {}
      }
    ]
  },
  "e": []
}"#;
        assert_eq!(json.pretty(), expected);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let number = any::<(i64, u8)>().prop_map(|(whole, part)| format!("{whole}.{part}"));
        let single = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Flag),
            number.prop_map(Json::Number),
            any::<String>().prop_map(Json::Text),
        ];
        single.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
                prop::collection::vec((any::<String>(), inner), 0..6).prop_map(Json::Object),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn both_texts_are_read_as_the_written_value(json in any_json()) {
            for text in [json.compact(), json.pretty()] {
                prop_assert!(Json::read(&text, 9) == Some(json.clone()), "{}", text);
                // Another reader agrees that the text is JSON.
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
            }
        }
    }
}
