//! The addresses of the server.

use crate::place::Api;

/// The addresses of a server, each without a slash at the end.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// // A client of any provider takes the same base URL: the paths tell the providers apart.
/// assert_eq!(server.urls().allscale(), format!("http://{}", server.addr()));
/// assert_eq!(server.urls().peach(), server.urls().allscale());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    root: String,
    /// In the order of [`Api::ALL`].
    of_apis: [String; 4],
}

impl Urls {
    /// The addresses of a server with one port.
    pub(crate) fn common(root: String) -> Self {
        let of_apis = [(); 4].map(|()| root.clone());
        Self { root, of_apis }
    }

    /// The addresses of a server with a port for each API.
    pub(crate) fn split(root: String, of_apis: [String; 4]) -> Self {
        Self { root, of_apis }
    }

    /// The address of the server.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The address of the admin routes.
    #[must_use]
    pub fn admin(&self) -> String {
        format!("{}/_/", self.root)
    }

    /// The base URL of a client of AllScale. A path of the API follows, and the client signs that path alone.
    #[must_use]
    pub fn allscale(&self) -> &str {
        self.of(Api::AllScale)
    }

    /// The base URL of a client of Azotte.
    #[must_use]
    pub fn azotte(&self) -> &str {
        self.of(Api::Azotte)
    }

    /// The base URL of a client of Peach, V1 and V2.
    #[must_use]
    pub fn peach(&self) -> &str {
        self.of(Api::Peach)
    }

    /// The base URL for Peach's access tokens.
    #[must_use]
    pub fn peach_auth(&self) -> &str {
        self.of(Api::PeachAuth)
    }

    fn of(&self, api: Api) -> &str {
        let [allscale, azotte, peach, peach_auth] = &self.of_apis;
        match api {
            Api::AllScale => allscale,
            Api::Azotte => azotte,
            Api::Peach => peach,
            Api::PeachAuth => peach_auth,
        }
    }
}
