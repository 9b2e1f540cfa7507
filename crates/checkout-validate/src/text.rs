//! The checks of a text that all providers share.

use alloc::borrow::Cow;

pub(crate) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// True if a text begins as a URL of the web, in upper or lower case.
pub(crate) fn is_http(url: &str) -> bool {
    after_scheme(url).is_some()
}

/// True if a text begins as a URL of the web, has something where its host stands, and holds no blank and no
/// control character.
pub(crate) fn is_web_url(url: &str) -> bool {
    let host = |rest: &str| !rest.starts_with(['/', '?', '#', ':']) && !rest.is_empty();
    after_scheme(url).is_some_and(host) && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// True if a text is blank.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

pub(crate) fn has_control(text: &str) -> bool {
    text.contains(char::is_control)
}

fn after_scheme(url: &str) -> Option<&str> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        let (start, rest) = url.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}
