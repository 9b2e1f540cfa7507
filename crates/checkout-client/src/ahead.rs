//! Calls that a provider needs before every other call: an access token.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::CallError;
use crate::provider::{Provider, Readable};

/// A provider whose calls may need another call's answer first.
pub trait Ahead: Provider {
    /// The payload that is asked for ahead. A provider that needs none names any payload of its own.
    type Payload: Readable<Provider = Self> + Send + Sync + 'static;

    /// The call that must be answered before anything else is asked: for an access token, where there is none
    /// that is good.
    fn ahead(_: &Self::Client) -> Option<Call<Self::Payload>> {
        None
    }

    /// Keeps the answer to the call that was asked ahead.
    fn keep(_: &Self::Client, _: &Answer<Self::Payload>) -> Result<(), CallError<Self>> {
        Ok(())
    }

    /// The provider said 401: what was kept is no longer good.
    fn unauthorized(_: &Self::Client) {}
}
