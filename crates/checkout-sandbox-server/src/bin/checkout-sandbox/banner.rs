//! The text that the program prints when the server listens.

use checkout_sandbox_server::RunningServer;

/// The banner: the admin routes, the base URLs, the test keys, the webhook secrets, and the place of the
/// state.
pub(crate) fn text(server: &RunningServer) -> String {
    let (urls, keys) = (server.urls(), server.default_world().keys());
    let mut lines = vec![format!("admin    {}", urls.admin()), String::new(), "base URLs".to_owned()];
    let mut row = |name: &str, value: &str| lines.push(format!("  {name:<24}{value}"));
    row("AllScale", urls.allscale());
    row("Azotte", urls.azotte());
    row("Peach, V1 and V2", urls.peach());
    row("Peach, access tokens", urls.peach_auth());
    lines.extend([String::new(), "test keys".to_owned()]);
    let mut row = |name: &str, value: &str| lines.push(format!("  {name:<24}{value}"));
    row("AllScale  X-API-Key", &keys.allscale_api_key);
    row("          secret", &keys.allscale_api_secret);
    row("Azotte    x-tn", &keys.azotte_x_tn);
    row("          x-api-key", &keys.azotte_api_key);
    row("Peach     entityId", &keys.peach_entity_id);
    row("          secret token", &keys.peach_secret_token);
    row("          clientId", &keys.peach_client_id);
    row("          clientSecret", &keys.peach_client_secret);
    row("          merchantId", &keys.peach_merchant_id);
    row("          Referer", checkout_sandbox::peach::REFERER);
    lines.extend([String::new(), "webhook secrets".to_owned()]);
    let mut row = |name: &str, value: &str| lines.push(format!("  {name:<24}{value}"));
    row("AllScale", &keys.allscale_api_secret);
    row("Peach", &keys.peach_secret_token);
    lines.extend([String::new(), format!("state    {}", server.state()), String::new()]);
    lines.join("\n")
}
