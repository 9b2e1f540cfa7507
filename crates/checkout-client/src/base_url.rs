//! The address of a provider, and the reasons why a client cannot be built.

use checkout_auth::has_unseen;
use checkout_transport::http::Uri;
use checkout_wire::is_page_url;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The reason why a client cannot be built.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::BuildError;
///
/// assert_eq!(BuildError::Path.to_string(), "base_url: a path or a query has no place here, because the path is the route's");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL is not an absolute URL.
    #[error("base_url: not an absolute URL")]
    NotAbsolute,
    /// The base URL is not `https`, and leads to another machine.
    #[error("base_url: not https, which only this machine may do without")]
    NotHttps,
    /// The base URL holds a user or a password.
    #[error("base_url: a user or password has no place here")]
    UserInfo,
    /// The base URL's host is empty, or neither a name nor an address. A name beyond ASCII is given in its
    /// ASCII form.
    #[error("base_url: not the name or the address of a host")]
    Host,
    /// The base URL's port is not a port.
    #[error("base_url: not a port, which is a number from 1 to 65535")]
    Port,
    /// The base URL has a path or a query.
    #[error("base_url: a path or a query has no place here, because the path is the route's")]
    Path,
    /// There is no clock: without the feature `system` the caller must give a clock.
    #[error("clock: none was given")]
    NoClock,
    /// The project is not a name that a host can begin with.
    #[error("project: not a name that a host can begin with")]
    Project,
    /// The entity's id is not 32 of the digits 0 to 9 and a to f.
    #[error("authentication.entityId: not 32 of the digits 0 to 9 and a to f")]
    Entity,
    /// A value has white space around it, or holds a character that cannot be seen:
    /// [`has_unseen`](checkout_auth::has_unseen).
    #[error(
        "{0}: has white space around it, or a character that cannot be seen, such as a line break or a byte order mark; the \
         file that it is read from mostly has it"
    )]
    Unseen(&'static str),
    /// A value cannot stand in a header: visible ASCII and blanks can.
    #[error("{0}: not a text that a header can carry")]
    Header(&'static str),
    /// A value is empty.
    #[error("{0}: empty")]
    Empty(&'static str),
    /// There is no source of nonces: without the feature `system` the caller must give a source.
    #[error("nonces: no source was given")]
    NoNonces,
}

/// Refuses a value that has white space around it, or holds a character that cannot be seen.
pub(crate) fn seen(name: &'static str, text: &str) -> Result<(), BuildError> {
    if text.trim() == text && !has_unseen(text) { Ok(()) } else { Err(BuildError::Unseen(name)) }
}

/// The scheme and authority of a URL that has nothing else, with no slash at the end.
pub(crate) fn base_url(url: &str) -> Result<String, BuildError> {
    let uri: Uri = url.parse().map_err(|_| BuildError::NotAbsolute)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(BuildError::NotAbsolute);
    };
    if authority.as_str().contains('@') {
        return Err(BuildError::UserInfo);
    }
    let host = authority.host();
    let after = authority.as_str().strip_prefix(host).filter(|_| is_host(host)).ok_or(BuildError::Host)?;
    match after.strip_prefix(':') {
        None if after.is_empty() => {}
        None => return Err(BuildError::Host),
        Some(port) if is_port(port) => {}
        Some(_) => return Err(BuildError::Port),
    }
    match scheme {
        "https" => {}
        "http" if is_this_machine(host) => {}
        _ => return Err(BuildError::NotHttps),
    }
    if uri.path() != "/" || uri.query().is_some() || url.contains('#') {
        return Err(BuildError::Path);
    }
    Ok(format!("{scheme}://{authority}"))
}

/// True if a text is a page that a payer can be sent to.
pub(crate) fn is_page(url: &str) -> bool {
    is_page_url(url) && url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some())
}

/// True for an address or a name. A URI's host may be empty, and its characters are nearly free, but only an
/// address or a name can be called.
fn is_host(host: &str) -> bool {
    match bracketed(host) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            host.starts_with(|c: char| c.is_ascii_alphanumeric())
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    }
}

/// True if a text is one label of a host's name: letters, digits and hyphens within, at most 63.
pub(crate) fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let ends = text.starts_with('-') || text.ends_with('-');
    (1..=63).contains(&text.len()) && !ends && text.bytes().all(inner)
}

/// True for digits alone, without the sign that a number may have. A URI's port may be any text.
fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
}

fn is_this_machine(host: &str) -> bool {
    match bracketed(host) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => {
            let loopback = host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
            loopback || host.eq_ignore_ascii_case("localhost")
        }
    }
}

fn bracketed(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}
