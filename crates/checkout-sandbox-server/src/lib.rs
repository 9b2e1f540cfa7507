//! The sandboxes of three hosted checkout providers as an HTTP server on this machine.
//!
//! A client in any language points its base URL at the server and works as with the provider: the paths, the
//! headers, the signatures and the refusals are those of the provider's pages, as `checkout-sandbox` plays
//! them. Needs neither an account, nor a network, nor a configuration.
//!
//! ```sh
//! cargo run -p checkout-sandbox-server                    # the server, until Ctrl-C
//! cargo run -p checkout-sandbox-server -- run -- npm test # for one command, on a free port
//! ```
//!
//! A Rust test starts the server without the program:
//!
//! ```
//! use checkout_sandbox_server::Server;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder().seed(7).bind().await?;
//! let base_url = server.urls().allscale(); // for the client under test
//! assert_eq!(base_url, format!("http://{}", server.addr()));
//! assert!(server.default_world().allscale().intents().is_empty());
//! server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Worlds
//!
//! A [`World`] has keys, sandboxes and a clock of its own. The keys of a request choose the world: AllScale's
//! `X-API-Key`, Azotte's `x-tn`, Peach's `authentication.entityId`, `clientId` or access token. A request
//! with keys of no world comes into the default world, whose sandbox refuses the request as the provider
//! does. The default world has the published keys of the sandboxes, and the ids of a sandbox in the process
//! with the same seed.
//!
//! # Paths and signatures
//!
//! On the common port, the path of a request alone tells the API, because no two providers share a path. A
//! prefix may stand in front, `/allscale`, `/azotte`, `/peach` or `/peach-auth`, and is no part of the path
//! that the provider sees. **A client signs the path after its base URL**, without a prefix. For a client
//! that signs the whole path of the URL, take the base URL without a prefix.
//!
//! # Pages
//!
//! A payer's page of each provider is at the address that the provider's answer names, below `/_/pay/`. The
//! dashboard is at `/_/`, for a browser. The pages are forms that need no script, and `curl` does the same as
//! a click.
//!
//! # Verdict
//!
//! The server judges the client: [`World::verdict`] lists double creates, blind repeats, reads over a limit,
//! webhooks and payments that nobody read, and more, each proved by the requests of the world.
//!
//! **Not here:** TLS.
//!
//! **The one idea to know:** the server adds nothing to what the sandboxes say. An answer of a provider's
//! route is the sandbox's, byte for byte; a fault that loses the answer closes the connection.

mod about;
mod admin;
mod ask;
mod autopay;
mod card;
mod choice;
mod clock;
mod copy;
mod courier;
mod engine;
mod exchange;
mod faults;
mod fields;
mod forward;
mod hosts;
mod intake;
mod journal;
mod keys;
mod limits;
mod listen;
mod machine;
mod making;
mod mask;
mod named;
mod own;
mod pages;
mod place;
mod problem;
mod provider;
mod query;
mod replay;
mod reprint;
mod seed_file;
mod server;
mod shared;
mod shown;
mod timeline;
mod tokens;
mod traffic;
mod turn;
mod urls;
mod verdict;
mod webhooks;
mod why;
mod wire;
mod world;
mod worlds;

pub use clock::Pace;
pub use keys::Keys;
pub use listen::{ListenError, listen};
pub use making::WorldError;
pub use server::{BindError, Builder, RunningServer, Server};
pub use urls::Urls;
pub use verdict::ask::{AskError, ask_verdict};
pub use verdict::{Event, EventKind, Finding, LookedAt, Verdict};
pub use world::{Attempt, EndpointError, SnapshotError, Webhook, World};
