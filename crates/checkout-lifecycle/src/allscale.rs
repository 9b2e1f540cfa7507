//! AllScale's steps and phases.
//!
//! No official table of steps exists. The meanings of the statuses (*Get Status*, v3, 2026-05-14, Appendix)
//! state five steps; the others are assumed, each with its reason.

use crate::table::lifecycle;
use crate::{Basis, Failure, Kind, Phase, Step};
use checkout_tables::allscale::IntentStatus;
use checkout_tables::allscale::IntentStatus::{
    Canceled, Confirmed, Created, Failed, ManualOperation, OnChain, Rejected, SendBack, TempWalletReceived,
    Timeout, Underpaid, Viewed,
};

lifecycle!(IntentStatus, steps = STEPS, phase = phase, moments = Caller);

const STEPS: [Step<IntentStatus>; 36] = [
    stated(Created, Viewed, "CREATED is not yet viewed, VIEWED has been opened"),
    assumed(Created, Failed, BREAKS),
    assumed(Created, Canceled, "an intent can be given up before its page is opened"),
    assumed(Created, Timeout, RUNS_OUT),
    assumed(Viewed, TempWalletReceived, "in the KYT flow the page assigns a wallet to pay to"),
    assumed(Viewed, OnChain, "outside the KYT flow the next sign is the transaction"),
    assumed(Viewed, Failed, BREAKS),
    assumed(Viewed, Canceled, GIVES_UP),
    assumed(Viewed, Timeout, RUNS_OUT),
    stated(TempWalletReceived, ManualOperation, "MANUAL_OPERATION is stuck in TEMP_WALLET_RECEIVED"),
    assumed(TempWalletReceived, SendBack, "KYT refuses what came into the wallet"),
    assumed(TempWalletReceived, OnChain, "KYT passes and the transaction is seen"),
    assumed(TempWalletReceived, Failed, BREAKS),
    assumed(TempWalletReceived, Canceled, GIVES_UP),
    assumed(TempWalletReceived, Timeout, RUNS_OUT),
    assumed(ManualOperation, SendBack, "the review decides to refund"),
    assumed(ManualOperation, OnChain, "the review lets the payment go on"),
    assumed(ManualOperation, Confirmed, "the review finds the payment made"),
    assumed(ManualOperation, Failed, "the review finds that it failed"),
    assumed(SendBack, Failed, "the refund itself can break"),
    stated(SendBack, Rejected, "SEND_BACK is a refund after KYT"),
    stated(SendBack, Underpaid, "SEND_BACK is a refund of an underpayment"),
    assumed(OnChain, SendBack, "what was seen is too little or refused, and goes back"),
    stated(OnChain, Confirmed, "ON_CHAIN awaits its confirmation"),
    assumed(OnChain, Failed, "a transaction can fail on-chain"),
    assumed(OnChain, Underpaid, "what was seen is too little, and nothing goes back"),
    late(Failed, OnChain),
    late(Failed, Confirmed),
    late(Rejected, OnChain),
    late(Rejected, Confirmed),
    late(Underpaid, OnChain),
    late(Underpaid, Confirmed),
    late(Canceled, OnChain),
    late(Canceled, Confirmed),
    late(Timeout, OnChain),
    late(Timeout, Confirmed),
];

/// The phase of an intent with this status. Assumed where the meaning leaves it open: with a temporary wallet
/// the payer can still give up or run out of time, so the payer is waited for.
const fn phase(status: IntentStatus) -> Phase {
    match status {
        Created | Viewed | TempWalletReceived => Phase::AwaitingPayer,
        ManualOperation => Phase::InReview,
        SendBack => Phase::Refunding,
        OnChain => Phase::Processing,
        Confirmed => Phase::Succeeded,
        Failed => Phase::Failed(Failure::Error),
        Rejected => Phase::Failed(Failure::Rejected),
        Underpaid => Phase::Failed(Failure::Underpaid),
        Canceled => Phase::Failed(Failure::Canceled),
        Timeout => Phase::Failed(Failure::Expired),
    }
}

const fn stated(from: IntentStatus, to: IntentStatus, meaning: &'static str) -> Step<IntentStatus> {
    Step { from, to, kind: Kind::Ordinary, basis: Basis::Stated(meaning) }
}

const fn assumed(from: IntentStatus, to: IntentStatus, reason: &'static str) -> Step<IntentStatus> {
    Step { from, to, kind: Kind::Ordinary, basis: Basis::Assumed(reason) }
}

const fn late(from: IntentStatus, to: IntentStatus) -> Step<IntentStatus> {
    Step { from, to, kind: Kind::Late, basis: Basis::Assumed(STILL_PAYABLE) }
}

const BREAKS: &str = "an error can strike at any time";
const GIVES_UP: &str = "the page lets the user cancel";
const RUNS_OUT: &str = "inactivity or the time limit ends it";
const STILL_PAYABLE: &str = "an intent that a merchant gave up can still be paid";
