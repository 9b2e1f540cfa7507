//! The laws for requests.

use checkout_transport::http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use checkout_transport::{LocalTransport, http};

use super::server::{Received, Server};
use super::stage::{Stage, answering, head, response, said, shown};
use super::{Added, Broken};

pub(super) async fn method_goes_out_as_given<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        let (outcome, records) = stage.exchange(&transport, method, b"", answering(fine())).await?;
        stage.ok(&format!("of a {method}"), outcome)?;
        let received = stage.only(&format!("of a {method}"), &records)?;
        if received.method != method {
            return stage.broken(format!("{method} went out as {}", received.method));
        }
    }
    Ok(())
}

pub(super) async fn target_goes_out_as_given<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    const TARGETS: [(&str, &str); 19] = [
        ("/", "/"),
        ("", "/"),
        ("?b=2&a=1", "/?b=2&a=1"),
        ("/v1/checkout_intents/", "/v1/checkout_intents/"),
        ("//v1//intents///", "//v1//intents///"),
        ("/a/..b/.c/d./e...", "/a/..b/.c/d./e..."),
        ("/%7Eshop/%7eshop/~shop", "/%7Eshop/%7eshop/~shop"),
        ("/a%2Fb%2fc%3Fd%23e%25f%00", "/a%2Fb%2fc%3Fd%23e%25f%00"),
        ("/%E4%B8%AD/%ff%FE/%41", "/%E4%B8%AD/%ff%FE/%41"),
        ("/a+b%20c%2Bd", "/a+b%20c%2Bd"),
        ("/intents;v=1/a:b@c,d=e&f$g!h*i(j)k", "/intents;v=1/a:b@c,d=e&f$g!h*i(j)k"),
        ("/it's", "/it's"),
        ("/p?z=1&a=2&z=0&m", "/p?z=1&a=2&z=0&m"),
        ("/p?a=%7E&b=~&c=%2f&d=/&e=?&f=%20&g=+", "/p?a=%7E&b=~&c=%2f&d=/&e=?&f=%20&g=+"),
        ("/p?", "/p?"),
        ("/p?&&a==&=b", "/p?&&a==&=b"),
        ("/p?a[]=1&a[]=2", "/p?a[]=1&a[]=2"),
        ("/p?u=http://other.example/../x//y", "/p?u=http://other.example/../x//y"),
        ("/p?authentication.entityId=1&amount=1.00", "/p?authentication.entityId=1&amount=1.00"),
    ];
    let transport = stage.transport();
    for (given, expected) in TARGETS {
        let server = stage.serve(answering(fine()))?;
        let request = stage.build(http::Request::get(server.uri(given)), b"")?;
        let outcome = transport.send_local(request).await;
        let records = stage.finish(server);
        let what = format!("of the target {given}");
        stage.ok(&what, outcome)?;
        let received = stage.only(&what, &records)?;
        if received.target != expected {
            return stage.broken(format!("{given} went out as {}", received.target));
        }
    }
    Ok(())
}

pub(super) async fn headers_go_out_as_given<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let server = stage.serve(answering(fine()))?;
    let long = "v".repeat(8 << 10);
    let mut request = stage.build(http::Request::post(server.uri("/law")), b"{}")?;
    for (name, value) in [
        ("x-zulu", &b"first"[..]),
        ("x-doubled", b"b, second=\"1\""),
        ("x-alpha", b"Mixed CASE, and  two  spaces;\tand a tab"),
        ("x-doubled", b"a"),
        ("x-doubled", b"b, second=\"1\""),
        ("x-empty", b""),
        ("x-bytes", b"\x80\xc3\xa9\xff"),
        ("x-long", long.as_bytes()),
        ("x_under.score~!", b"1"),
        ("content-type", b"Application/JSON; Charset=\"UTF-8\""),
        ("accept", b"application/json;q=0.9, text/*"),
        ("accept-encoding", b"identity"),
        ("accept-language", b"de-AT"),
        ("user-agent", b"shop/1.0 (Own)"),
        ("authorization", b"Bearer AbC.dEf-_~+/=="),
        ("cookie", b"a=1; b=2"),
        ("if-none-match", b"\"etag\""),
        ("date", b"Tue, 01 Jan 2030 00:00:00 GMT"),
        ("idempotency-key", b"2f0c1a52-0b8e-4d0a-9d62-3f0c8b1d6a11"),
    ] {
        append(stage, request.headers_mut(), name, value)?;
    }
    if let Some(value) = request.headers_mut().get_mut("authorization") {
        value.set_sensitive(true);
    }
    let given = request.headers().clone();
    let outcome = transport.send_local(request).await;
    let records = stage.finish(server);
    let what = "of a request with many headers";
    stage.ok(what, outcome)?;
    headers_as_given(stage, what, &given, stage.only(what, &records)?)
}

pub(super) async fn body_goes_out_as_given<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let binary: Vec<u8> = (0..=u8::MAX).cycle().take(300_001).collect();
    for body in [
        &b""[..],
        b"{\"b\" : 1.50,\r\n\t\"a\":\"\\u00e9 \xc3\xa9\" }\n",
        b"\xef\xbb\xbf{}",
        b"b=2&a=1&a=%7e+~",
        b"\x00\xff\xfe\x80",
        b"0\r\n\r\nPOST / HTTP/1.1\r\n\r\n",
        &binary,
    ] {
        for method in ["POST", "PUT", "PATCH"] {
            let what = format!("of a {method} with the body {}", shown(body));
            let (outcome, records) = stage.exchange(&transport, method, body, answering(fine())).await?;
            stage.ok(&what, outcome)?;
            let received = stage.only(&what, &records)?;
            if received.body != body {
                return stage.broken(format!("{what}: {} came", shown(&received.body)));
            }
        }
    }
    Ok(())
}

pub(super) async fn nothing_is_added<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    for (method, body) in
        [("GET", &b""[..]), ("POST", b""), ("POST", b"{}"), ("PUT", b"a=1"), ("DELETE", b"")]
    {
        for given in [&[][..], &[("x-own", &b"1"[..]), ("content-type", b"text/plain"), ("accept", b"a/b")]] {
            let server = stage.serve(answering(fine()))?;
            let authority = server.authority();
            let mut request =
                stage.build(http::Request::builder().method(method).uri(server.uri("/law")), body)?;
            for (name, value) in given {
                append(stage, request.headers_mut(), name, value)?;
            }
            let given = request.headers().clone();
            let outcome = transport.send_local(request).await;
            let records = stage.finish(server);
            let what = format!("of a {method} with {} headers and {} bytes", given.len(), body.len());
            stage.ok(&what, outcome)?;
            nothing_added(stage, &what, &given, stage.only(&what, &records)?, &authority)?;
        }
    }
    Ok(())
}

pub(super) async fn any_version_is_carried<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    for version in [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
        let what = format!("of a request that says {version:?}");
        let server = stage.serve(answering(fine()))?;
        let request = stage.build(http::Request::post(server.uri("/law")).version(version), b"{}")?;
        let outcome = transport.send_local(request).await;
        let records = stage.finish(server);
        stage.ok(&what, outcome)?;
        if stage.only(&what, &records)?.body != b"{}" {
            return stage.broken(format!("{what}: its body did not come"));
        }
    }
    Ok(())
}

pub(super) async fn odd_request_is_not_changed<T: LocalTransport>(
    stage: &Stage<'_, T>,
) -> Result<(), Broken> {
    let transport = stage.transport();
    for target in [
        "/a/./b/../c",
        "/..",
        "/a/.",
        "/a/%2e%2E/b/%2e",
        "/a\\b\\..\\c",
        "/{\"a\"}|^",
        "/p?a='b'",
        "/p?a={b}|\\^`",
        "/p?a=/../b",
    ] {
        let (method, body) = (Method::POST, &b"{}"[..]);
        odd(stage, &transport, &format!("of the target {target}"), |server| Odd {
            uri: server.uri(target),
            target,
            method,
            body,
            headers: &[],
        })
        .await?;
    }
    for (method, body) in [
        ("GET", &b"{\"a\":1}"[..]),
        ("DELETE", b"{\"a\":1}"),
        ("HEAD", b"{\"a\":1}"),
        ("OPTIONS", b"{\"a\":1}"),
        ("PURGE", b""),
        ("get", b""),
        ("Post", b"{\"a\":1}"),
        ("M-SEARCH", b"{\"a\":1}"),
    ] {
        let what = format!("of the method {method} with {} bytes", body.len());
        let Ok(method) = Method::from_bytes(method.as_bytes()) else { continue };
        odd(stage, &transport, &what, |server| Odd {
            uri: server.uri("/law"),
            target: "/law",
            method,
            body,
            headers: &[],
        })
        .await?;
    }
    for user in ["user@", "user:pass@", ":@"] {
        odd(stage, &transport, &format!("of a URI that names {user}"), |server| Odd {
            uri: format!("http://{user}{}/law", server.authority()),
            target: "/law",
            method: Method::POST,
            body: b"{}",
            headers: &[],
        })
        .await?;
    }
    for header in [("host", "provider.example"), ("content-length", "2"), ("connection", "close")] {
        odd(stage, &transport, &format!("of a request with a {} of its own", header.0), |server| Odd {
            uri: server.uri("/law"),
            target: "/law",
            method: Method::POST,
            body: b"{}",
            headers: std::slice::from_ref(&header),
        })
        .await?;
    }
    Ok(())
}

pub(super) async fn https_stays_https<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    const SECRET: &str = "not-to-be-sent-in-clear";
    let transport = stage.transport();
    for answer in [&b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], b""] {
        let server = stage.serve(move |exchange| {
            exchange.some_bytes()?;
            exchange.write(answer)?;
            exchange.close_for_writing()?;
            exchange.some_bytes()
        })?;
        let uri = format!("https://{}/{SECRET}", server.authority());
        let request = stage.build(http::Request::post(uri).header("x-secret", SECRET), SECRET.as_bytes())?;
        let outcome = transport.send_local(request).await;
        let records = stage.finish(server);
        if records.contains(SECRET) {
            return stage.broken("a request to an https URI went out in clear");
        }
        if let Ok(response) = outcome {
            return stage.broken(format!(
                "a server without TLS was taken at its word: {}",
                response.status().as_u16()
            ));
        }
    }
    Ok(())
}

pub(super) async fn no_redirect_is_followed<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    for status in [
        "300 Multiple Choices",
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        for (method, body) in [("GET", &b""[..]), ("POST", b"{\"a\":1}")] {
            let target = stage.serve(answering(fine()))?;
            let there = target.uri("/other");
            let locations: [&[&[u8]]; 7] = [
                &[there.as_bytes()],
                &[b"/other"],
                &[b"//", b"?"],
                &[b"http://[no address"],
                &[b"\xff\x80"],
                &[b""],
                &[],
            ];
            for locations in locations {
                let headers: Vec<(&str, &[u8])> =
                    locations.iter().map(|value| ("location", *value)).collect();
                let answer = response(status, &headers, b"moved");
                let (outcome, records) = stage.exchange(&transport, method, body, answering(answer)).await?;
                let what = format!("of a {method} that was answered {status}");
                if records.attempts() > 1 {
                    return stage.broken(format!("{what}: the transport went to the location"));
                }
                let response = stage.ok(&what, outcome)?;
                if !status.starts_with(response.status().as_str()) || response.body() != "moved" {
                    return stage.broken(format!("{what}: the response came back changed"));
                }
            }
            if !stage.finish(target).connections.is_empty() {
                return stage.broken(format!(
                    "of a {method} that was answered {status}: the transport went to another host"
                ));
            }
        }
    }
    Ok(())
}

pub(super) async fn nothing_is_remembered<T: LocalTransport>(stage: &Stage<'_, T>) -> Result<(), Broken> {
    let transport = stage.transport();
    let other = stage.serve(answering(fine()))?;
    let alternative = format!("h2=\"{0}\", http/1.1=\"{0}\"; ma=3600", other.authority());
    let headers: [(&str, &[u8]); 8] = [
        ("cache-control", b"public, max-age=3600, immutable"),
        ("expires", b"Tue, 01 Jan 2999 00:00:00 GMT"),
        ("etag", b"\"1\""),
        ("last-modified", b"Mon, 01 Jan 2024 00:00:00 GMT"),
        ("set-cookie", b"session=planted; Path=/"),
        ("www-authenticate", b"Basic realm=\"shop\""),
        ("accept-ch", b"Sec-CH-UA"),
        ("alt-svc", alternative.as_bytes()),
    ];
    for status in ["200 OK", "401 Unauthorized", "301 Moved Permanently"] {
        let server = stage.serve(answering(response(status, &headers, b"{}")))?;
        let authority = server.authority();
        let what = format!("of a GET that is repeated after {status}");
        for _ in 0..3 {
            let request = stage.build(http::Request::get(server.uri("/law")), b"")?;
            stage.ok(&what, transport.send_local(request).await)?;
        }
        let records = stage.finish(server);
        let received = records.requests();
        if received.len() != 3 {
            return stage.broken(format!("{what}: {} of 3 requests came", received.len()));
        }
        for received in received {
            nothing_added(stage, &what, &HeaderMap::new(), received, &authority)?;
        }
    }
    if !stage.finish(other).connections.is_empty() {
        return stage.broken("the transport went to where an alt-svc pointed");
    }
    Ok(())
}

struct Odd<'o> {
    uri: String,
    target: &'o str,
    method: Method,
    body: &'o [u8],
    headers: &'o [(&'static str, &'static str)],
}

/// A request goes out as given, or not at all.
async fn odd<'o, T: LocalTransport>(
    stage: &Stage<'_, T>,
    transport: &T,
    what: &str,
    odd: impl FnOnce(&Server) -> Odd<'o>,
) -> Result<(), Broken> {
    let server = stage.serve(answering(fine()))?;
    let authority = server.authority();
    let odd = odd(&server);
    let mut request = http::Request::builder().method(odd.method.clone()).uri(odd.uri);
    for (name, value) in odd.headers {
        request = request.header(*name, *value);
    }
    let request = stage.build(request, odd.body)?;
    let given = request.headers().clone();
    let outcome = transport.send_local(request).await;
    let records = stage.finish(server);
    let error = match outcome {
        Err(_) if !records.has_bytes() => return Ok(()),
        Err(error) => Some(error),
        Ok(_) => None,
    };
    let received = stage.only(what, &records)?;
    if received.method != odd.method.as_str() || received.target != odd.target {
        return stage.broken(format!("{what}: {} {} came", received.method, received.target));
    }
    if received.body != odd.body {
        return stage.broken(format!("{what}: the body {} came", shown(&received.body)));
    }
    headers_as_given(stage, what, &given, received)?;
    nothing_added(stage, what, &given, received, &authority)?;
    error.map_or(Ok(()), |error| stage.broken(format!("{what}: it came, but {}", said(&error))))
}

fn headers_as_given<T: LocalTransport>(
    stage: &Stage<'_, T>,
    what: &str,
    given: &HeaderMap,
    received: &Received,
) -> Result<(), Broken> {
    for name in given.keys() {
        let expected: Vec<&[u8]> = given.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        let came: Vec<&[u8]> = received.values(name.as_str()).collect();
        if came != expected {
            let list =
                |values: &[&[u8]]| values.iter().map(|value| shown(value)).collect::<Vec<_>>().join(" and ");
            return stage.broken(format!(
                "{what}: the header {name} was {}, and {} came",
                list(&expected),
                if came.is_empty() { "none".to_owned() } else { list(&came) }
            ));
        }
    }
    Ok(())
}

fn nothing_added<T: LocalTransport>(
    stage: &Stage<'_, T>,
    what: &str,
    given: &HeaderMap,
    received: &Received,
    authority: &str,
) -> Result<(), Broken> {
    for (name, value) in &received.headers {
        if given.contains_key(name) {
            continue;
        }
        let once = received.values(name).count() == 1;
        let length = received.body.len().to_string();
        let framed_twice = received.values("content-length").next().is_some()
            && received.values("transfer-encoding").next().is_some();
        let allowed = Added::of(name).is_some_and(|added| match added {
            Added::Host => value == authority.as_bytes(),
            Added::ContentLength => value == length.as_bytes() && !framed_twice,
            Added::TransferEncoding => value.eq_ignore_ascii_case(b"chunked") && !framed_twice,
            Added::Connection => {
                [&b"keep-alive"[..], b"close"].iter().any(|word| value.eq_ignore_ascii_case(word))
            }
            Added::Accept => value == b"*/*",
        });
        if !allowed || !once {
            // A header that the transport was configured with can hold a key: only the header's name is
            // shown.
            let harmless =
                Added::of(name).is_some() || ["accept-encoding", "user-agent"].contains(&name.as_str());
            let value = if harmless { shown(value) } else { format!("{} bytes", value.len()) };
            return stage.broken(format!("{what}: the header {name}: {value} was added"));
        }
    }
    if !given.contains_key("host") && received.values("host").next().is_none() {
        return stage.broken(format!("{what}: it has no host"));
    }
    Ok(())
}

fn append<T: LocalTransport>(
    stage: &Stage<'_, T>,
    headers: &mut HeaderMap,
    name: &str,
    value: &[u8],
) -> Result<(), Broken> {
    match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
        (Ok(name), Ok(value)) => {
            headers.append(name, value);
            Ok(())
        }
        (Err(_), _) | (_, Err(_)) => stage.broken(format!("the suite has no header {name}")),
    }
}

fn fine() -> Vec<u8> {
    head("200 OK", &[("content-length", b"0")])
}
