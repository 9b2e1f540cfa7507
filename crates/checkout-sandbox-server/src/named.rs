//! The keys that a provider's request names. The keys choose a world, and prove nothing.

use checkout_transport::http::header::{AUTHORIZATION, CONTENT_TYPE};
use checkout_transport::http::request::Parts;
use serde_json::Value;

use crate::place::Api;
use crate::worlds::Kind;

/// The keys that a request names, the weightiest first.
pub(crate) fn keys(api: Api, head: &Parts, body: &[u8]) -> Vec<(Kind, String)> {
    let header = |name: &str| head.headers.get(name)?.to_str().ok();
    let mut keys = Vec::new();
    let mut add = |kind, key: Option<&str>| keys.extend(key.map(|key| (kind, key.to_owned())));
    match api {
        Api::AllScale => add(Kind::AllScaleKey, header("x-api-key")),
        Api::Azotte => add(Kind::AzotteTenant, header("x-tn")),
        Api::Peach => {
            let bearer = header(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
            add(Kind::PeachToken, bearer);
            let query = head.uri.query().unwrap_or_default();
            add(Kind::PeachEntity, in_form(query.as_bytes(), ENTITY).as_deref());
            let is_form =
                header(CONTENT_TYPE.as_str()).is_some_and(|of| of.to_ascii_lowercase().contains("form"));
            let in_body = if is_form { in_form(body, ENTITY) } else { entity_in_json(body) };
            add(Kind::PeachEntity, in_body.as_deref());
        }
        Api::PeachAuth => {
            let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
            add(Kind::PeachClient, body.get("clientId").and_then(Value::as_str));
        }
    }
    keys
}

/// The access token in an answer of Peach's.
pub(crate) fn access_token(answer: &[u8]) -> Option<String> {
    let answer = serde_json::from_slice::<Value>(answer).ok()?;
    answer.get("access_token").and_then(Value::as_str).map(str::to_owned)
}

fn in_form(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The entity in flat JSON or in nested JSON.
fn entity_in_json(body: &[u8]) -> Option<String> {
    let body = serde_json::from_slice::<Value>(body).ok()?;
    let nested = || body.get("authentication")?.get("entityId");
    body.get(ENTITY).or_else(nested).and_then(Value::as_str).map(str::to_owned)
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
        let named = keys(api, &head, body.as_bytes());
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
        assert_eq!(of_peach("/", &[FORM], "a=b&authentication.entityId=e%31"), "PeachEntity e1");
        assert_eq!(of_peach("/", &[JSON], r#"{"authentication.entityId":"e1"}"#), "PeachEntity e1");
        assert_eq!(of_peach("/", &[JSON], r#"{"authentication":{"entityId":"e1"}}"#), "PeachEntity e1");
        assert_eq!(of_peach("/status?authentication.entityId=e1", &[], ""), "PeachEntity e1");
        let both = [JSON, ("authorization", "Bearer t")];
        let body = r#"{"authentication":{"entityId":"e1"}}"#;
        assert_eq!(of_peach("/", &both, body), "PeachToken t, PeachEntity e1");
        assert_eq!(check(Api::PeachAuth, "/", &[JSON], r#"{"clientId":"c"}"#), "PeachClient c");
    }

    #[test]
    fn bytes_that_nobody_can_read_name_nothing() {
        for body in ["", "{", "[]", "null", r#"{"clientId":1}"#, r#"{"authentication":"e"}"#, "%zz=%"] {
            for api in Api::ALL {
                assert_eq!(check(api, "/?%zz", &[("authorization", "Basic t")], body), "", "{body}");
            }
        }
        assert_eq!(access_token(b"{}"), None);
    }
}
