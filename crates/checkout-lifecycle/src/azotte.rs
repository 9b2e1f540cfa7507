//! Azotte's steps and phases.
//!
//! The polling pattern of *Get Checkout Status* states three steps; the others are assumed, each with its
//! reason. Nothing published follows a final code, so there is no late step. A `CHECK_OUT_DONE` after a
//! `CHECK_OUT_FAILED` would be [`LateSuccess`](crate::Verdict::LateSuccess) all the same, because that
//! verdict needs no step.

use crate::table::lifecycle;
use crate::{Basis, Failure, Kind, Phase, Step};
use checkout_tables::azotte::MessageCode;
use checkout_tables::azotte::MessageCode::{Done, Failed, Processing, ThreeDsRequired};

lifecycle!(text MessageCode, steps = STEPS, phase = phase, moments = Caller);

const STEPS: [Step<MessageCode>; 6] = [
    stated(Processing, ThreeDsRequired, POLLING),
    stated(Processing, Done, POLLING),
    stated(Processing, Failed, POLLING),
    assumed(ThreeDsRequired, Processing, "after the challenge polling is resumed, and the worker goes on"),
    assumed(ThreeDsRequired, Done, BETWEEN),
    assumed(ThreeDsRequired, Failed, BETWEEN),
];

/// The phase of a checkout with this code. `CHECK_OUT_FAILED` is the payer's bank, the capture or the
/// fulfilment: only the message distinguishes them.
const fn phase(code: MessageCode) -> Phase {
    match code {
        Processing => Phase::Processing,
        ThreeDsRequired => Phase::PayerAction,
        Done => Phase::Succeeded,
        Failed => Phase::Failed(Failure::Error),
    }
}

const fn stated(from: MessageCode, to: MessageCode, meaning: &'static str) -> Step<MessageCode> {
    Step { from, to, kind: Kind::Ordinary, basis: Basis::Stated(meaning) }
}

const fn assumed(from: MessageCode, to: MessageCode, reason: &'static str) -> Step<MessageCode> {
    Step { from, to, kind: Kind::Ordinary, basis: Basis::Assumed(reason) }
}

const POLLING: &str = "while it is CHECK_OUT_PROCESSING, poll until it is one of the other three";
const BETWEEN: &str = "the worker can be done before the first read after the challenge";
