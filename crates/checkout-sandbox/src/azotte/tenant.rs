//! The tenants that the sandbox knows.

use std::fmt;

/// A tenant: the name that the tenant's requests give, and the key that proves the name.
///
/// `Debug` does not print the API key.
///
/// ```
/// use checkout_sandbox::azotte::{Sandbox, Tenant};
///
/// let acme = Tenant::new("e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_of_acme").project("acme");
/// assert!(!format!("{acme:?}").contains("sk_of_acme"));
/// let sandbox = Sandbox::builder().tenant(acme).build();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Tenant {
    x_tn: String,
    api_key: String,
    project: Option<String>,
}

impl Tenant {
    /// The tenant whose requests have these values of `x-tn` and `x-api-key`, on any host.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Tenant;
    /// let tenant = Tenant::new("e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_of_mine");
    /// ```
    #[must_use]
    pub fn new(x_tn: impl Into<String>, api_key: impl Into<String>) -> Self {
        Self { x_tn: x_tn.into(), api_key: api_key.into(), project: None }
    }

    /// Lets the tenant in on the two hosts of this project alone, `{project}.sandbox.azotte.com` and
    /// `{project}.azotte.com`. The answer on every other host is 401.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Tenant;
    /// let acme = Tenant::new("e2a1c7b2-4f3a-4b8e-9c2d-1a2b3c4d5e6f", "sk_of_acme").project("acme");
    /// ```
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    pub(super) fn x_tn(&self) -> &str {
        &self.x_tn
    }

    pub(super) fn is_sender(&self, x_tn: &str, api_key: &str, host: Option<&str>) -> bool {
        let on_its_host = self.project.as_ref().is_none_or(|project| {
            let hosts = [format!("{project}.sandbox.azotte.com"), format!("{project}.azotte.com")];
            hosts.iter().any(|of_project| host.is_some_and(|host| host.eq_ignore_ascii_case(of_project)))
        });
        self.x_tn == x_tn && self.api_key == api_key && on_its_host
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("x_tn", &self.x_tn)
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}
