//! The keys that a provider's request names. The keys choose a world, and prove nothing.

use checkout_transport::http::header::{AUTHORIZATION, CONTENT_TYPE};
use checkout_transport::http::request::Parts;
use serde_json::Value;

use crate::place::Api;
use crate::worlds::Kind;

/// The keys that a request names, the weightiest first. The route says where a key has a place: a key
/// elsewhere is none. `path` is the path that the provider knows.
pub(crate) fn keys(api: Api, path: &str, head: &Parts, body: &[u8]) -> Vec<(Kind, String)> {
    let owned = |kind, key: Option<&str>| key.map(|key| (kind, key.to_owned()));
    let of_entity = |entity: Option<String>| entity.map(|entity| (Kind::PeachEntity, entity));
    let keys = match api {
        Api::AllScale => [owned(Kind::AllScaleKey, header(head, "x-api-key")), None],
        Api::Azotte => [owned(Kind::AzotteTenant, header(head, "x-tn")), None],
        Api::Peach if path.starts_with("/v2/") => {
            let bearer = header(head, AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
            [owned(Kind::PeachToken, bearer), of_entity(entity_in_body(head, body))]
        }
        Api::Peach if path == "/status" => {
            [of_entity(in_form(head.uri.query().unwrap_or_default().as_bytes(), ENTITY)), None]
        }
        Api::Peach => [of_entity(entity_in_body(head, body)), None],
        Api::PeachAuth => {
            let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
            [owned(Kind::PeachClient, body.get("clientId").and_then(Value::as_str)), None]
        }
    };
    keys.into_iter().flatten().collect()
}

/// The access token in an answer of Peach's, and the number of seconds that the token lasts.
pub(crate) fn access_token(answer: &[u8]) -> Option<(String, u64)> {
    let answer = serde_json::from_slice::<Value>(answer).ok()?;
    let token = answer.get("access_token")?.as_str()?.to_owned();
    let seconds = answer.get("expires_in")?;
    let seconds = seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok())?;
    Some((token, seconds))
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

fn in_form(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn entity_in_body(head: &Parts, body: &[u8]) -> Option<String> {
    let media_type = header(head, CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return in_form(body, ENTITY);
    }
    entity_in_json(body)
}

/// The entity in nested JSON or in flat JSON.
fn entity_in_json(body: &[u8]) -> Option<String> {
    let body = serde_json::from_slice::<Value>(body).ok()?;
    let nested = body.get("authentication").and_then(|of| of.get("entityId"));
    nested.or_else(|| body.get(ENTITY)).and_then(Value::as_str).map(str::to_owned)
}

const ENTITY: &str = "authentication.entityId";

#[cfg(test)]
mod tests {
    use super::*;
    use checkout_transport::http::Request;

    fn check(api: Api, uri: &str, headers: &[(&str, &str)], body: &str) -> String {
        let request =
            headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
        let (head, body) = request.body(body).unwrap().into_parts();
        let path = head.uri.path().to_owned();
        let named = keys(api, &path, &head, body.as_bytes());
        named.iter().map(|(kind, key)| format!("{kind:?} {key}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_provider_s_key_is_found_in_each_place() {
        const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
        const JSON: (&str, &str) = ("content-type", "application/json");
        assert_eq!(check(Api::AllScale, "/", &[("X-API-Key", "k")], ""), "AllScaleKey k");
        assert_eq!(check(Api::AllScale, "/", &[("x-tn", "t")], ""), "");
        assert_eq!(check(Api::Azotte, "/", &[("x-tn", "t"), ("x-api-key", "k")], ""), "AzotteTenant t");
        let of_peach = |uri, headers: &[_], body| check(Api::Peach, uri, headers, body);
        let v1 = "/checkout/initiate";
        assert_eq!(of_peach(v1, &[FORM], "a=b&authentication.entityId=e%31"), "PeachEntity e1");
        assert_eq!(of_peach(v1, &[JSON], r#"{"authentication.entityId":"e1"}"#), "PeachEntity e1");
        assert_eq!(of_peach(v1, &[JSON], r#"{"authentication":{"entityId":"e1"}}"#), "PeachEntity e1");
        assert_eq!(of_peach("/status?authentication.entityId=e1", &[], ""), "PeachEntity e1");
        let both = [JSON, ("authorization", "Bearer t")];
        let body = r#"{"authentication":{"entityId":"e1"}}"#;
        assert_eq!(of_peach("/v2/checkout", &both, body), "PeachToken t, PeachEntity e1");
        // A key that has no place on the route is none.
        assert_eq!(of_peach("/checkout/initiate?authentication.entityId=e2", &both, body), "PeachEntity e1");
        assert_eq!(of_peach("/status?authentication.entityId=e1", &both, ""), "PeachEntity e1");
        assert_eq!(of_peach("/status", &both, body), "");
        assert_eq!(of_peach("/v2/checkout/c/status?authentication.entityId=e1", &both, ""), "PeachToken t");
        // A media type with the word form in it is no form.
        let other = ("content-type", "application/json; charset=utf-8; note=form");
        assert_eq!(of_peach(v1, &[other], body), "PeachEntity e1");
        assert_eq!(check(Api::PeachAuth, "/", &[JSON], r#"{"clientId":"c"}"#), "PeachClient c");
    }

    #[test]
    fn bytes_that_nobody_can_read_name_nothing() {
        for body in ["", "{", "[]", "null", r#"{"clientId":1}"#, r#"{"authentication":"e"}"#, "%zz=%"] {
            for api in Api::ALL {
                for path in ["/?%zz", "/status?%zz", "/v2/checkout?%zz"] {
                    assert_eq!(check(api, path, &[("authorization", "Basic t")], body), "", "{body}");
                }
            }
        }
        for answer in [&b"{}"[..], b"", br#"{"access_token":1,"expires_in":1}"#, br#"{"access_token":"t"}"#] {
            assert_eq!(access_token(answer), None);
        }
        assert_eq!(access_token(br#"{"access_token":"t","expires_in":"60"}"#), Some(("t".to_owned(), 60)));
        assert_eq!(access_token(br#"{"access_token":"t","expires_in":60}"#), Some(("t".to_owned(), 60)));
    }
}
