//! Plans, and reports to a poller, as the bytes say.

use std::time::Duration;

use checkout_lifecycle::{Failure, Moment, Phase};
use checkout_poll::{Backoff, PollPolicy, ReadKind, ReadOutcome};

/// 2023-11-14 22:13:20.
pub const EPOCH: Moment = Moment::from_unix_millis(1_700_000_000_000);

/// The bytes that are left. At the end of the bytes there is no more to play.
#[derive(Clone, Copy)]
pub struct Play<'a>(pub &'a [u8]);

impl Play<'_> {
    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A choice of so many.
    pub fn one_of(&mut self, many: usize) -> Option<usize> {
        usize::from(self.byte()?).checked_rem(many)
    }

    /// A number and its unit, from 3 ms to years.
    pub fn span(&mut self) -> Option<Duration> {
        let units = [3, 250, 1_000, 60_000, 3_600_000, 86_400_000, 1_000 * 86_400_000];
        let unit = units.get(self.one_of(8)?).copied().map(Duration::from_millis);
        Some(unit.unwrap_or(Duration::MAX).saturating_mul(self.byte()?.into()))
    }

    /// Before a moment, by a span.
    pub fn back(&mut self, at: Moment) -> Option<Moment> {
        let millis = i64::try_from(self.span()?.as_millis()).unwrap_or(i64::MAX);
        Some(Moment::from_unix_millis(at.unix_millis().saturating_sub(millis)))
    }

    fn maybe_span(&mut self) -> Option<Option<Duration>> {
        Some(if self.byte()? & 1 == 0 { None } else { Some(self.span()?) })
    }

    /// A provider's policy, unchanged or with other spans.
    pub fn policy(&mut self) -> Option<PollPolicy> {
        let policy = [PollPolicy::allscale(), PollPolicy::azotte(), PollPolicy::peach()][self.one_of(3)?];
        let how = self.byte()?;
        let mut policy = if how & 1 == 0 { policy } else { policy.confirm_with_full_read(how & 2 == 0) };
        if how & 4 != 0 {
            policy = policy
                .initial_interval(self.span()?)
                .max_interval(self.span()?)
                .deadline(self.span()?)
                .min_gap(self.span()?);
        }
        if how & 8 != 0 {
            policy = policy.late_payment_reads(self.span()?, self.span()?);
        }
        if how & 16 != 0 {
            policy = policy.challenge_interval(self.maybe_span()?).review(self.span()?, self.span()?);
        }
        if how & 32 != 0 {
            policy = policy.backoff(Backoff::new(self.span()?, self.span()?)).max_refusals(self.byte()?);
        }
        if how & 64 != 0 {
            policy = policy.jitter_permille(5 * u16::from(self.byte()?));
        }
        Some(policy)
    }

    /// The outcome of a read.
    pub fn outcome(&mut self) -> Option<ReadOutcome> {
        Some(match self.byte()? {
            250.. => ReadOutcome::Refused,
            240.. => ReadOutcome::Limited { wait: self.maybe_span()? },
            230.. => ReadOutcome::Failed { wait: self.maybe_span()? },
            228.. => ReadOutcome::NotThere { wait: self.maybe_span()? },
            how @ 226.. => ReadOutcome::PayerActs { shown: how & 1 == 0, wait: self.maybe_span()? },
            how => ReadOutcome::Answer {
                kind: if how & 1 == 0 { ReadKind::Status } else { ReadKind::Full },
                phase: PHASES.get(self.one_of(PHASES.len() + 1)?).copied(),
                wait: if how & 2 == 0 { None } else { self.maybe_span()? },
            },
        })
    }
}

const PHASES: [Phase; 14] = [
    Phase::AwaitingPayer,
    Phase::PayerAction,
    Phase::Processing,
    Phase::InReview,
    Phase::Refunding,
    Phase::Succeeded,
    Phase::Authorized,
    Phase::Failed(Failure::Declined),
    Phase::Failed(Failure::Rejected),
    Phase::Failed(Failure::Underpaid),
    Phase::Failed(Failure::Canceled),
    Phase::Failed(Failure::Expired),
    Phase::Failed(Failure::Error),
    Phase::Reversed,
];
