//! Every error with the text, the party to blame and the usual cause: `tests/snapshots`.
//!
//! `INSTA_UPDATE=always cargo test -p checkout-auth --all-features --test error_texts` renews the picture.
#![allow(missing_docs, reason = "tests")]

use checkout_auth::allscale::{KeyError, VerifyError};
use checkout_auth::{HeaderError, HeaderProblem, MessageError, MessageKind, SignError, peach};

/// The text of each error, with the blame and the hint.
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
            KeyError::SecretUnseen,
        ),
        told!("what cannot be signed":
            SignError::Method,
            SignError::MethodCase,
            SignError::Path,
            SignError::Query,
            SignError::Nonce,
            SignError::WebhookId,
            SignError::WebhookIdHasDot,
            SignError::Status,
            SignError::RequestPath,
            SignError::RequestNonce,
            SignError::Url,
            SignError::DuplicateKey,
        ),
        told!("a request of AllScale's signature":
            VerifyError::Version,
            VerifyError::Encoding,
            VerifyError::Mismatch,
            VerifyError::Request(SignError::Path),
        ),
        told!("a message with signed headers":
            MessageError::Part(SignError::Path),
            MessageError::Header(header(HeaderProblem::Missing)),
            MessageError::OtherRequest,
            MessageError::UnknownKey,
            MessageError::NoValidKey,
            MessageError::Mismatch(MessageKind::AllScaleWebhook),
            MessageError::Mismatch(MessageKind::AllScaleResponse),
            MessageError::Mismatch(MessageKind::PeachWebhook),
            MessageError::Expired { by_seconds: 7 },
            MessageError::Early { by_seconds: 7 },
        ),
        told!("a secret token of Peach's": peach::KeyError::Empty, peach::KeyError::WhiteSpace, peach::KeyError::Unseen),
        told!("a form of Peach's":
            peach::VerifyError::Missing,
            peach::VerifyError::Malformed,
            peach::VerifyError::DuplicateKey,
            peach::VerifyError::Mismatch,
            peach::VerifyError::NoValidKey,
        ),
    ];
    let picture = picture.join("\n");
    // The sender may be honest.
    for accusing in ["tamper", "attack", "fraud", "malicious"] {
        assert!(!picture.to_lowercase().contains(accusing), "{accusing}:\n{picture}");
    }
    insta::assert_snapshot!(picture);
}
