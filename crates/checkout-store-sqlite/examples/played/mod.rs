//! The providers of the example `shop`: sandboxes, with a clock ten times as fast as the machine's. A shop in
//! production has nothing of this file.

use checkout_kit::Moment;
use checkout_sandbox_server::{RunningServer, Server};
use std::collections::HashMap;
use std::error::Error;

type Fault = Box<dyn Error + Send + Sync>;

pub(crate) struct Providers {
    /// None where the environment names a sandbox that runs.
    pub(crate) server: Option<RunningServer>,
    settings: HashMap<String, String>,
}

/// The providers. `file` keeps their state over restarts, and `shop` is the shop's address.
pub(crate) async fn providers(file: &str, shop: &str) -> Result<Providers, Fault> {
    let given: HashMap<_, _> = std::env::vars().collect();
    if given.contains_key("CHECKOUT_SANDBOX_URL") {
        return Ok(Providers { server: None, settings: given });
    }
    let begin = format!(
        r#"{{"requests": [
            {{"post": "/_/worlds/default/endpoints",
              "body": {{"provider": "allscale", "url": "{shop}/hooks/allscale"}}}},
            {{"put": "/_/worlds/default/clock", "body": {{"pace": "times", "times": 10}}}}
        ]}}"#
    );
    Ok(of(Server::builder().port(4700).data(file).seed_requests(begin).bind().await?))
}

pub(crate) fn of(server: RunningServer) -> Providers {
    let settings = server.variables().into_iter().collect();
    Providers { server: Some(server), settings }
}

impl Providers {
    /// An address or a key, by the name of the sandbox's variable.
    pub(crate) fn setting(&self, name: &str) -> Result<String, Fault> {
        let name = format!("CHECKOUT_SANDBOX_{name}");
        Ok(self.settings.get(&name).cloned().ok_or_else(|| format!("{name} is not set"))?)
    }

    /// The time of the providers.
    pub(crate) fn clock(&self) -> impl Fn() -> Moment + Send + Sync + 'static {
        let world = self.server.as_ref().and_then(|server| server.world("default"));
        move || world.as_ref().map_or_else(Moment::now, |world| world.now())
    }
}
