//! The first paragraph of a documentation comment, as plain text.

/// The first paragraph in one line, without the marks of links and code.
pub(crate) fn summary(docs: &str) -> String {
    let lines = docs.lines().map(str::trim).take_while(|line| !line.is_empty());
    let mut text = lines.collect::<Vec<_>>().join(" ");
    // `[words](path)` is a link.
    while let Some((before, rest)) = text.split_once('[') {
        let Some((words, rest)) = rest.split_once("](") else { break };
        let after = rest.split_once(')').map_or("", |(_, after)| after);
        text = format!("{before}{words}{after}");
    }
    text.replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_paragraph_without_marks() {
        assert_eq!(summary(" One\n two.\n\n ```\n three\n ```\n"), "One two.");
        assert_eq!(summary(" By [`open`](super::open), [a](b) and `c`."), "By open, a and c.");
        assert_eq!((summary(""), summary(" a [b c")), (String::new(), "a [b c".to_owned()));
    }
}
