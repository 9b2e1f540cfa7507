//! The rules that a client is judged by, each with a stable code.

/// A rule. The order is that of a verdict: the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    ReleasedUnpaid,
    DoubleCreate,
    BlindRepeat,
    ForgedWebhookTaken,
    ReleasedUnread,
    ReleasedTwice,
    WebhookWithoutRead,
    NeverRead,
    RetryAfterIgnored,
    OverLimit,
    OrderMissing,
    Refused,
}

impl Rule {
    #[cfg(test)]
    pub(super) const ALL: [Self; 12] = [
        Self::ReleasedUnpaid,
        Self::DoubleCreate,
        Self::BlindRepeat,
        Self::ForgedWebhookTaken,
        Self::ReleasedUnread,
        Self::ReleasedTwice,
        Self::WebhookWithoutRead,
        Self::NeverRead,
        Self::RetryAfterIgnored,
        Self::OverLimit,
        Self::OrderMissing,
        Self::Refused,
    ];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::ReleasedUnpaid => "released-unpaid",
            Self::DoubleCreate => "double-create",
            Self::BlindRepeat => "blind-repeat",
            Self::ForgedWebhookTaken => "forged-webhook-taken",
            Self::ReleasedUnread => "released-unread",
            Self::ReleasedTwice => "released-twice",
            Self::WebhookWithoutRead => "webhook-without-read",
            Self::NeverRead => "never-read",
            Self::RetryAfterIgnored => "retry-after-ignored",
            Self::OverLimit => "over-limit",
            Self::OrderMissing => "order-missing",
            Self::Refused => "refused",
        }
    }

    /// True if the client can still do the thing, so that a breach is a remark while the client works: the
    /// client may wait for a limit of the provider's.
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::WebhookWithoutRead | Self::NeverRead)
    }

    /// True if a breach is never more than a remark.
    pub(super) const fn is_remark(self) -> bool {
        matches!(self, Self::OrderMissing | Self::Refused)
    }
}
