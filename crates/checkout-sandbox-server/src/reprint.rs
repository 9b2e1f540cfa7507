//! JSON as the usual programs print the JSON anew.

use serde_json::Value;

/// The other ways in which a body of JSON is printed, each with a part of a sentence for the mistake. Empty
/// for a body that is not JSON.
pub(crate) fn reprints(body: &str) -> Vec<(&'static str, String)> {
    let Ok(value) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    let sorted = value.to_string();
    let compact = printed(body, Style::Compact);
    let ways = [
        ("the JSON was signed without its spaces, and sent with spaces", compact.clone()),
        (
            "the JSON was signed with spaces after , and :, and sent without them",
            printed(body, Style::Spaced),
        ),
        ("the JSON was signed in lines indented by two, and sent otherwise", printed(body, Style::Lines(2))),
        ("the JSON was signed in lines indented by four, and sent otherwise", printed(body, Style::Lines(4))),
        (
            "the JSON was signed with its names sorted, and sent in another order",
            printed(&sorted, Style::Spaced),
        ),
        ("the JSON was signed with its names sorted, and sent in another order", sorted),
        ("the JSON was signed with \\u escapes, and sent without them", escaped(&compact)),
        (
            "the JSON was signed with \\u escapes, and sent without them",
            escaped(&printed(body, Style::Spaced)),
        ),
        ("the body was signed with a line end after it", format!("{body}\n")),
        ("the body was signed without the spaces around it", body.trim().to_owned()),
    ];
    ways.into_iter().filter(|(_, way)| way != body).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Compact,
    /// `{"a": 1, "b": 2}`.
    Spaced,
    /// A line for each member, indented by this many spaces.
    Lines(usize),
}

/// JSON with other spaces. The texts and numbers stay as they are. The JSON has to be right.
pub(crate) fn printed(json: &str, style: Style) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut level, mut in_text, mut escaped) = (0_usize, false, false);
    let mut signs = json.chars().peekable();
    let line = |out: &mut String, level: usize| {
        if let Style::Lines(by) = style {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', by * level));
        }
    };
    while let Some(sign) = signs.next() {
        if in_text {
            out.push(sign);
            in_text = sign != '"' || escaped;
            escaped = sign == '\\' && !escaped;
            continue;
        }
        match sign {
            '"' => {
                in_text = true;
                out.push(sign);
            }
            '{' | '[' => {
                out.push(sign);
                while signs.next_if(|sign| sign.is_whitespace()).is_some() {}
                if let Some(close) = signs.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    level += 1;
                    line(&mut out, level);
                }
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                line(&mut out, level);
                out.push(sign);
            }
            ',' => {
                out.push(sign);
                line(&mut out, level);
                if style == Style::Spaced {
                    out.push(' ');
                }
            }
            ':' => {
                out.push(sign);
                if style != Style::Compact {
                    out.push(' ');
                }
            }
            _ if sign.is_whitespace() => {}
            _ => out.push(sign),
        }
    }
    out
}

/// JSON with an escape in place of every character that is not ASCII.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for sign in json.chars() {
        if sign.is_ascii() {
            out.push(sign);
        } else {
            let mut units = [0; 2];
            out.extend(sign.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_printed_as_python_and_node_print_json() {
        // From Python's json.dumps with and without indent=2, and from JSON.stringify.
        let json = " {\"b\" :[1, {} , [ ]],\n\"a\":\"x, \\\"{:\\\\\" , \"c\":{\"d\":null}}";
        let compact = r#"{"b":[1,{},[]],"a":"x, \"{:\\","c":{"d":null}}"#;
        assert_eq!(printed(json, Style::Compact), compact);
        let spaced = r#"{"b": [1, {}, []], "a": "x, \"{:\\", "c": {"d": null}}"#;
        assert_eq!(printed(json, Style::Spaced), spaced);
        let lines = "{\n  \"b\": [\n    1,\n    {},\n    []\n  ],\n  \"a\": \"x, \\\"{:\\\\\",\n  \"c\": {\n    \"d\": null\n  }\n}";
        assert_eq!(printed(json, Style::Lines(2)), lines);
        assert_eq!(escaped("\u{e4}\u{1f600}"), "\\u00e4\\ud83d\\ude00");
    }

    #[test]
    fn only_other_prints_of_json_are_told() {
        assert_eq!(reprints("not JSON"), []);
        assert!(reprints(r#"{"b":1,"a":2}"#).iter().any(|(_, way)| way == r#"{"a":2,"b":1}"#));
        assert!(reprints(r#"{"a":1}"#).iter().all(|(_, way)| way != r#"{"a":1}"#));
    }
}
