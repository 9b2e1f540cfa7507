//! TLS to PostgreSQL, as `sslmode` and `sslrootcert` of the URL say.

use percent_encoding::percent_decode_str;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Config, Socket};
use tokio_rustls::TlsConnector;

#[derive(Debug, thiserror::Error)]
pub(crate) enum UrlError {
    #[error(
        "the URL of the database cannot be read: postgres://user:password@host:5432/database?sslmode=verify-full \
         is expected"
    )]
    Form,
    #[error("sslmode: one of disable, prefer, require, verify-ca, verify-full")]
    Mode,
    #[error("sslmode=verify-ca: say by sslrootcert=FILE whose certificates count")]
    NoRoots,
    #[error("sslrootcert: say sslmode=verify-full too: this sslmode checks no certificate")]
    Unchecked,
    #[error("sslrootcert=system: say sslmode=verify-full too: the machine's roots know every server")]
    System,
    #[error("sslrootcert: {0}: no certificates in PEM can be read there")]
    File(String),
    #[error("this machine has no root certificates: name a file by sslrootcert")]
    NoSystem,
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// The configuration of a URL, and the connector for it.
pub(crate) fn of_url(url: &str) -> Result<(Config, Connector), UrlError> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(UrlError::Form)?;
        let decoded = || percent_decode_str(value).decode_utf8().map_err(|_| UrlError::Form);
        match name {
            "sslmode" => mode = Some(decoded()?.into_owned()),
            "sslrootcert" => roots = Some(decoded()?.into_owned()),
            _ => others.push(pair),
        }
    }
    // The parser's own word about a URL can hold a part of the password.
    let config = Config::from_str(&format!("{place}?{}", others.join("&")));
    let mut config = config.map_err(|_| UrlError::Form)?;
    let (mode, trust) = match (mode.as_deref().unwrap_or("prefer"), roots.as_deref()) {
        ("disable" | "prefer", Some(_)) => return Err(UrlError::Unchecked),
        ("require" | "verify-ca", Some("system")) => return Err(UrlError::System),
        ("disable", None) => (SslMode::Disable, Trust::Anybody),
        ("prefer", None) => (SslMode::Prefer, Trust::Anybody),
        ("require", None) => (SslMode::Require, Trust::Anybody),
        ("verify-ca", None) => return Err(UrlError::NoRoots),
        ("require" | "verify-ca", Some(file)) => (SslMode::Require, Trust::of_file(file, false)?),
        ("verify-full", None | Some("system")) => (SslMode::Require, Trust::of_system()?),
        ("verify-full", Some(file)) => (SslMode::Require, Trust::of_file(file, true)?),
        _ => return Err(UrlError::Mode),
    };
    config.ssl_mode(mode);
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier { trust, provider: Arc::clone(&provider) };
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok((config, Connector(Arc::new(tls))))
}

/// The servers that are trusted.
#[derive(Debug)]
enum Trust {
    /// Any server: the connection is secret from those who only listen.
    Anybody,
    /// A server with a certificate of these roots, or with one of these certificates itself; under its own
    /// name if `by_name`.
    Roots { roots: RootCertStore, certificates: Vec<CertificateDer<'static>>, by_name: bool },
}

impl Trust {
    fn of_file(path: &str, by_name: bool) -> Result<Self, UrlError> {
        let wrong = || UrlError::File(path.to_owned());
        let certificates = CertificateDer::pem_file_iter(path).map_err(|_| wrong())?;
        let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(|_| wrong())?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|_| wrong())?;
        }
        if certificates.is_empty() { Err(wrong()) } else { Ok(Self::Roots { roots, certificates, by_name }) }
    }

    fn of_system() -> Result<Self, UrlError> {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let trust = Self::Roots { roots, certificates: Vec::new(), by_name: true };
        if added == 0 { Err(UrlError::NoSystem) } else { Ok(trust) }
    }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Trust::Roots { roots, certificates, by_name } = &self.trust {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            // A server that has signed its own certificate shows a root, which is no chain to the library.
            if !certificates.contains(end_entity) {
                let algorithms = self.provider.signature_verification_algorithms.all;
                verify_server_cert_signed_by_trust_anchor(
                    &certificate,
                    roots,
                    intermediates,
                    now,
                    algorithms,
                )?;
            }
            if *by_name {
                verify_server_name(&certificate, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Makes the TLS of a connection.
#[derive(Clone)]
pub(crate) struct Connector(Arc<ClientConfig>);

/// The TLS of one connection.
pub(crate) struct Connecting {
    tls: TlsConnector,
    name: Result<ServerName<'static>, InvalidDnsNameError>,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Connecting;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connecting, Infallible> {
        // A socket in the file system has no name, and no TLS.
        let name = ServerName::try_from(host.to_owned());
        Ok(Connecting { tls: TlsConnector::from(Arc::clone(&self.0)), name })
    }
}

impl TlsConnect<Socket> for Connecting {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let name = self.name.map_err(io::Error::other)?;
            self.tls.connect(name, socket).await.map(Stream)
        })
    }
}

/// A connection with TLS.
pub(crate) struct Stream(tokio_rustls::client::TlsStream<Socket>);

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, to)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_which_tls_there_is() {
        for (query, mode) in [
            ("", SslMode::Prefer),
            ("?sslmode=prefer", SslMode::Prefer),
            ("?sslmode=disable", SslMode::Disable),
            ("?connect_timeout=3&sslmode=require", SslMode::Require),
            ("?sslmode=verify%2Dfull&application_name=a%20b", SslMode::Require),
        ] {
            let (config, _) = of_url(&format!("postgres://shop:se%40cret@db.example/shop{query}")).unwrap();
            assert_eq!((config.get_ssl_mode(), config.get_dbname()), (mode, Some("shop")), "{query}");
            assert_eq!(config.get_password(), Some(&b"se@cret"[..]), "{query}");
            assert_eq!(config.get_connect_timeout().is_some(), query.contains("timeout"), "{query}");
            let name = query.contains("application").then_some("a b");
            assert_eq!(config.get_application_name(), name, "{query}");
        }
    }

    #[test]
    fn a_url_that_asks_for_what_cannot_be_is_an_error_without_a_secret() {
        let nothing = "sslrootcert=/there/is%20nothing";
        for (query, expected) in [
            ("sslmode=allow", "sslmode: one of disable, prefer"),
            ("sslmode=", "sslmode: one of disable, prefer"),
            ("sslmode", "the URL of the database cannot be read"),
            ("sslmode=require&sslkey=a", "the URL of the database cannot be read"),
            ("sslmode=verify-ca", "sslmode=verify-ca: say by sslrootcert=FILE"),
            (nothing, "sslrootcert: say sslmode=verify-full too"),
            (&format!("sslmode=disable&{nothing}"), "sslrootcert: say sslmode=verify-full too"),
            ("sslmode=require&sslrootcert=system", "sslrootcert=system: say sslmode=verify-full too"),
            ("sslmode=verify-ca&sslrootcert=system", "sslrootcert=system: say sslmode=verify-full too"),
            (&format!("sslmode=require&{nothing}"), "sslrootcert: /there/is nothing: no certificates"),
            (&format!("{nothing}&sslmode=verify-full"), "sslrootcert: /there/is nothing: no certificates"),
            ("sslmode=verify-full&sslrootcert=/dev/null", "sslrootcert: /dev/null: no certificates"),
        ] {
            let error = of_url(&format!("postgres://shop:secret@db.example/shop?{query}")).err().unwrap();
            let said = error.to_string();
            assert!(said.starts_with(expected) && !said.contains("secret"), "{query}: {said}");
        }
    }
}
