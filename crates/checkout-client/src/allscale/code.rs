//! The code of AllScale's refusals.

use super::AllScale;
use crate::error::CallError;
use crate::provider::Operation;
use checkout_tables::Open;
use checkout_tables::allscale::{ErrorCode, Route};

impl CallError<AllScale> {
    /// AllScale's code, if AllScale refused.
    #[must_use]
    pub fn code(&self) -> Option<Open<ErrorCode>> {
        self.refusal().map(|refusal| refusal.code)
    }

    /// The meaning of the code on the route that was asked, in a few words of ours:
    /// [`ErrorCode::meaning_on`]. None for a code that the route's page does not list, and where AllScale did
    /// not refuse.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # use checkout_sandbox::allscale::{Fault, Sandbox, Store};
    /// # let key = SigningKey::new("st_key", SecretString::from("st_secret"))?;
    /// # let sandbox = Sandbox::builder().store(Store::new(key.clone())).build();
    /// # let clock = sandbox.clock().clone();
    /// # let client = Client::builder(key).clock(move || clock.now()).build()?;
    /// sandbox.inject(Fault::UnknownErrorCode(30001));
    /// let error = client.status("65b2")?.send_blocking(&sandbox).unwrap_err();
    /// assert_eq!(error.meaning(), Some("no permission to view this checkout intent"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn meaning(&self) -> Option<&'static str> {
        let asked = Route::ROWS.into_iter().find(|route| Operation::from(*route) == self.operation())?;
        self.code()?.known()?.meaning_on(asked)
    }

    /// True if AllScale asks to be contacted about the code, with the [id of the request](Self::request_id):
    /// [`ErrorCode::contact_support`].
    #[must_use]
    pub fn contact_support(&self) -> bool {
        self.code().and_then(|code| code.known()).is_some_and(ErrorCode::contact_support)
    }
}
