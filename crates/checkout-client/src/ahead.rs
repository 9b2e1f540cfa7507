//! Calls that a provider needs before every other call: such as a call for an access token.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::CallError;
use crate::provider::{Provider, Readable};

/// A provider whose calls may need another call's answer first.
pub trait Ahead: Provider {
    /// The payload of the call ahead. A provider that needs no such call names any payload of its own.
    type Payload: Readable<Provider = Self> + Send + Sync + 'static;

    /// The call that must be answered before any other call: for an access token, where there is no good
    /// token.
    fn ahead(_: &Self::Client) -> Option<Call<Self::Payload>> {
        None
    }

    /// Stores the answer to the call ahead.
    fn keep(_: &Self::Client, _: &Answer<Self::Payload>) -> Result<(), CallError<Self>> {
        Ok(())
    }

    /// Drops the stored answer, which is no longer good after the provider's 401.
    fn unauthorized(_: &Self::Client) {}
}
