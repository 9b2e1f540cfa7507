//! Every error with its text, who is to blame and the usual cause: `tests/snapshots`.
//!
//! `INSTA_UPDATE=always cargo test -p checkout-auth --all-features --test error_texts` renews the picture.
#![allow(missing_docs, reason = "tests")]

use checkout_auth::allscale::{KeyError, SignError, VerifyError, response, webhook};
use checkout_auth::peach::{self, header};
use checkout_auth::{HeaderError, HeaderProblem};

/// The text of each, with its blame and its hint.
macro_rules! told {
    ($name:literal: $($error:expr),+ $(,)?) => {
        concat!("# ", $name, "\n").to_owned()
            + &[$(format!("{}\n  {:?}: {}\n", $error, $error.blame(), $error.hint())),+].concat()
    };
}

#[test]
fn every_error_with_its_blame_and_its_hint() {
    let header = |problem| HeaderError { name: "x-signature", problem };
    let picture = [
        told!("a header":
            header(HeaderProblem::Missing),
            header(HeaderProblem::Doubled),
            header(HeaderProblem::Empty),
            header(HeaderProblem::NotVisibleAscii),
            header(HeaderProblem::NotATime),
            header(HeaderProblem::HasDot),
            header(HeaderProblem::NotAList),
            header(HeaderProblem::NoKnownVersion),
            header(HeaderProblem::TooManySignatures),
            header(HeaderProblem::NotBase64),
            header(HeaderProblem::NotHex),
        ),
        told!("a key of AllScale's":
            KeyError::ApiKeyEmpty,
            KeyError::ApiKeyWhiteSpace,
            KeyError::ApiKeyText,
            KeyError::SecretEmpty,
            KeyError::SecretWhiteSpace,
        ),
        told!("a request to AllScale": SignError::Method, SignError::Path, SignError::Query, SignError::Nonce),
        told!("a request of AllScale's signature":
            VerifyError::Version,
            VerifyError::Encoding,
            VerifyError::Mismatch,
            VerifyError::Request(SignError::Path),
        ),
        told!("an answer of AllScale's":
            response::ResponseError::OtherRequest,
            response::ResponseError::NoValidKey,
            response::ResponseError::Mismatch,
            response::ResponseError::Expired { by_seconds: 7 },
            response::ResponseError::Early { by_seconds: 7 },
        ),
        told!("a webhook of AllScale's":
            webhook::WebhookError::UnknownKey,
            webhook::WebhookError::Mismatch,
            webhook::WebhookError::Expired { by_seconds: 7 },
            webhook::WebhookError::Early { by_seconds: 7 },
        ),
        told!("a secret token of Peach's": peach::KeyError::Empty, peach::KeyError::WhiteSpace),
        told!("a form to Peach": peach::SignError::DuplicateKey),
        told!("a form of Peach's":
            peach::VerifyError::Missing,
            peach::VerifyError::Malformed,
            peach::VerifyError::DuplicateKey,
            peach::VerifyError::Mismatch,
            peach::VerifyError::NoValidKey,
        ),
        told!("a webhook of Peach's":
            header::SignError::WebhookId,
            header::SignError::Url,
            header::WebhookError::NoValidKey,
            header::WebhookError::Mismatch,
            header::WebhookError::Expired { by_seconds: 7 },
            header::WebhookError::Early { by_seconds: 7 },
        ),
    ];
    let picture = picture.join("\n");
    // Who sent it may be honest.
    for accusing in ["tamper", "attack", "fraud", "malicious"] {
        assert!(!picture.to_lowercase().contains(accusing), "{accusing}:\n{picture}");
    }
    insta::assert_snapshot!(picture);
}
