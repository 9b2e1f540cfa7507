//! Any text as the metadata of a draft.
#![no_main]

use checkout_fuzz::{depth, value};
use checkout_money::Cents;
use checkout_tables::allscale::Currency;
use checkout_validate::allscale::{Draft, Field, Violation};
use checkout_wire::allscale::create_body;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|extra: &str| {
    let theirs = value(extra.as_bytes());
    match Draft::fiat(Currency::EUR, Cents::new(100)).extra(extra).check() {
        Ok(intent) => {
            // The text is sent to the letter, but for the white space around it.
            let body = String::from_utf8(create_body(&intent)).expect("JSON is UTF-8");
            let sent = extra.trim_matches([' ', '\t', '\n', '\r']);
            assert_eq!(body, format!(r#"{{"currency":44,"amount_cents":100,"extra":{sent}}}"#));
            if let Some(theirs) = theirs {
                let theirs = theirs.expect("what is accepted is JSON");
                assert!(theirs.is_object());
                let body = serde_json::from_str::<Value>(&body).ok();
                // One level deeper, the text can be too deep for the other reader.
                assert!(body.is_none_or(|body| body["extra"] == theirs));
            }
        }
        Err(violations) => {
            let (mut too_long, mut not_an_object, mut too_deep) = (false, false, false);
            for violation in &violations {
                assert_eq!(violation.field(), Field::Extra);
                match *violation {
                    Violation::TooLong { length, limit, .. } => {
                        assert!(!too_long && length == extra.len() && length > limit);
                        too_long = true;
                    }
                    Violation::ExtraNotAnObject => {
                        assert!(!not_an_object);
                        assert!(
                            !theirs
                                .as_ref()
                                .is_some_and(|theirs| theirs.as_ref().is_ok_and(Value::is_object))
                        );
                        not_an_object = true;
                    }
                    Violation::ExtraTooDeep { depth: ours, limit } => {
                        assert!(!too_deep && ours > limit);
                        // The other reader may give up earlier.
                        let same =
                            |theirs: &Result<Value, _>| theirs.as_ref().is_ok_and(|tree| depth(tree) == ours);
                        assert!(theirs.as_ref().is_none_or(same));
                        too_deep = true;
                    }
                    _ => panic!("{violations}"),
                }
            }
            assert!(too_long || not_an_object || too_deep);
            assert!(!(not_an_object && too_deep));
        }
    }
});
