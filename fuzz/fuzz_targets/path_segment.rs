//! Any id as a segment of a path.
#![no_main]

use checkout_tables::allscale::Route;
use checkout_validate::PathSegment;
use checkout_wire::allscale::path;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|id: &str| {
    let Ok(segment) = PathSegment::new(id) else {
        assert!(matches!(id, "" | "." | ".."));
        return;
    };
    let encoded = segment.to_string();
    assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(id.as_bytes()), "{encoded}");
    for route in [Route::Get, Route::Status] {
        let path = path(route, Some(segment)).expect("both have an id in their path");
        let parts: Vec<&str> = path.split('/').collect();
        assert_eq!(parts.get(..3), Some(&["", "v1", "checkout_intents"][..]));
        assert_eq!(parts.get(3), Some(&encoded.as_str()));
        let rest: &[&str] = if route == Route::Status { &["status"] } else { &[] };
        assert_eq!(parts.get(4..), Some(rest), "an id asks another route");
    }
});

/// The bytes, if the text holds nothing but RFC 3986's unreserved characters and, for every other byte, its
/// escape in upper case.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let digit = |byte: u8| b"0123456789ABCDEF".iter().position(|digit| *digit == byte);
    let mut bytes = Vec::new();
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'%', high, low, rest @ ..] => {
                let byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
                bytes.push(Some(byte).filter(|byte| !unreserved(*byte))?);
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(Some(*byte).filter(|byte| unreserved(*byte))?);
                rest
            }
        };
    }
}
