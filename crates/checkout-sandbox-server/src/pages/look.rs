//! The frame of every page: head, header, footer, style, and the headers of the answer.

use axum::body::Body;
use checkout_transport::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use checkout_transport::http::{HeaderValue, Response, StatusCode};
use maud::{DOCTYPE, Markup, html};

/// The frame around a page's content.
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    /// The path of the public URL, without a slash at the end.
    pub(super) base: &'a str,
    /// The world of the page. `None` for the list of the worlds.
    pub(super) world: Option<&'a str>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A payer's page, which a shop may show in a frame.
    Payer,
    /// A page of the dashboard, which renews itself where there is a script.
    Board,
}

impl Frame<'_> {
    /// The whole page.
    pub(super) fn page(&self, status: StatusCode, content: &Markup) -> Response<Body> {
        let base = self.base;
        let is_payers = self.kind == Kind::Payer;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href=(format!("{base}/_/style.css"));
                }
                body class=[is_payers.then_some("narrow")] {
                    header {
                        a href=(format!("{base}/_/")) data-testid="home" { "Checkout sandbox" }
                        @if let Some(world) = self.world {
                            a href=(format!("{base}/_/board/{world}")) data-testid="world" { "World " (world) }
                        }
                        p { "A test page: no money moves." }
                    }
                    main { (content) }
                    @if !is_payers {
                        script src=(format!("{base}/_/live.js")) data-events=(format!("{base}/_/events")) {}
                    }
                }
            }
        };
        let mut response = answer(status, "text/html; charset=utf-8", page.into_string());
        let policy = if is_payers { FOR_PAYERS } else { FOR_THE_BOARD };
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        response
    }
}

/// Sends the browser on with a `GET`, to a path of the server's own.
pub(super) fn see_other(path: &str) -> Response<Body> {
    let mut response = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "done\n".to_owned());
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

pub(super) async fn style() -> Response<Body> {
    answer(StatusCode::OK, "text/css; charset=utf-8", include_str!("style.css").to_owned())
}

pub(super) async fn script() -> Response<Body> {
    answer(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("live.js").to_owned())
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

// The form that leads a payer back to the shop has any address, so no rule says where a form may go.
const FOR_PAYERS: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'";

const FOR_THE_BOARD: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                             img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
