//! The fields of a form and of a query.

/// The fields of a form, or of the query of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn of(encoded: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(encoded);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a field.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The number in a field. `None` if the field is not there or is empty.
    ///
    /// # Errors
    /// The sentence for a field that is no number of this type.
    pub(super) fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, String> {
        let Some(text) = self.get(name).map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| format!("The field {name} has to be a whole number."))
    }

    /// All fields, in order.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// A text as a part of a path or of a query.
pub(super) fn encoded(text: &str) -> String {
    // A plus is a space in a query alone.
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_the_first_value_and_the_number() {
        let form = Form::of(b"act=pay&act=cancel&n=+12&bad=x&empty=&text=a%20%2B+b");
        assert_eq!(form.get("act"), Some("pay"));
        assert_eq!(form.get("text"), Some("a + b"));
        assert_eq!(form.get("none"), None);
        assert_eq!(form.number::<u32>("n"), Ok(Some(12)));
        assert_eq!((form.number::<u32>("empty"), form.number::<u32>("none")), (Ok(None), Ok(None)));
        assert!(form.number::<u32>("bad").is_err());
        assert_eq!(encoded("a+b c/\u{e4}"), "a%2Bb%20c%2F%C3%A4");
    }
}
