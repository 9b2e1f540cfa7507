//! Calls that a provider needs before every other call: such as a call for an access token.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::CallError;
use crate::provider::{Provider, Readable};

/// A provider whose calls may need another call's answer first.
pub trait Authorize: Provider {
    /// The payload of the authorization call. A provider that needs no such call names any payload of its
    /// own.
    type Payload: Readable<Provider = Self> + Send + Sync + 'static;

    /// The call that must be answered before any other call: for an access token, where there is no good
    /// token.
    fn authorization(_: &Self::Client) -> Option<Call<Self::Payload>> {
        None
    }

    /// Stores the answer to the authorization call.
    fn keep(_: &Self::Client, _: &Answer<Self::Payload>) -> Result<(), CallError<Self>> {
        Ok(())
    }
}
