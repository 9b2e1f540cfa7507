//! Any bytes as a webhook's form.
#![no_main]

use checkout_tables::peach::Environment;
use checkout_wire::peach::{Fields, FormError, Payment, query};
use form_urlencoded::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|form: &[u8]| match Fields::from_form(form) {
    Ok(fields) => {
        let mut theirs: Vec<_> = parse(form).collect();
        theirs.sort();
        assert!(fields.iter().eq(theirs.iter().map(|(key, text)| (&**key, &**text))));
        assert_eq!(fields.clone().into_owned(), fields);
        let written = query(fields.iter());
        assert_eq!(Fields::from_form(written.as_bytes()).as_ref(), Ok(&fields));
        let has_a_code = fields.get("result.code").is_some();
        assert_eq!(Payment::new(fields, Environment::Live).is_some(), has_a_code);
    }
    Err(error) => assert_why(form, error),
});

/// The other reader takes every form, and shows the fault all the same.
fn assert_why(form: &[u8], error: FormError) {
    let from = |at: usize| {
        assert!(at == 0 || matches!(form[at - 1], b'&' | b'='), "{error}");
        form[at..].split(|byte| *byte == b'&').next().unwrap_or_default()
    };
    match error {
        FormError::TooLarge { cap } => assert!(form.len() > cap),
        FormError::Percent { at } => {
            let hex = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_hexdigit);
            let rests = from(at).split(|byte| *byte == b'%').skip(1);
            assert!(rests.into_iter().any(|rest| !hex(rest.first()) || !hex(rest.get(1))));
        }
        FormError::NotUtf8 { at } => {
            let replaced = parse(from(at)).any(|(key, text)| format!("{key}{text}").contains('\u{fffd}'));
            assert!(replaced);
        }
        FormError::Duplicate { at } => {
            let (key, _) = parse(from(at)).next().expect("there is a key");
            assert!(parse(&form[..at]).any(|(before, _)| before == key));
        }
        FormError::TooMany { at } => assert_eq!(parse(&form[..at]).count(), 1_024),
    }
}
