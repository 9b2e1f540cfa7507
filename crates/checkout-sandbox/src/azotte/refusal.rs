//! The reasons why the API refuses a request, and the form of each refusal.

use crate::json::Json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 401, without a body.
    Unauthorized,
    /// A `CheckoutResult` with a code and nothing else.
    Code { http_status: u16, code: String },
    /// 400, and a problem without any member.
    EmptyProblem,
    /// A problem in the form of RFC 9457.
    Problem(Problem),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) http_status: u16,
    title: &'static str,
    detail: String,
    /// The paths of fields, each with words for the fault.
    errors: Vec<(String, String)>,
    pub(super) retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn not_found() -> Self {
        Self::Code { http_status: 404, code: "ORDERED_ITEM_NOT_FOUND".to_owned() }
    }

    pub(super) fn bad_request(detail: &str) -> Self {
        Self::problem(400, "Bad Request", detail)
    }

    pub(super) fn bad_fields(errors: Vec<(String, String)>) -> Self {
        let mut problem = Problem::new(400, "Bad Request", "one or more fields are not valid");
        problem.errors = errors;
        Self::Problem(problem)
    }

    pub(super) fn of_another_tenant() -> Self {
        Self::problem(409, "Conflict", "the tracking number belongs to another tenant")
    }

    pub(super) fn rate_limited(retry_after: u64) -> Self {
        let mut problem = Problem::new(429, "Too Many Requests", "slow down");
        problem.retry_after = Some(retry_after);
        Self::Problem(problem)
    }

    pub(super) fn internal() -> Self {
        Self::problem(500, "Internal Server Error", "something failed")
    }

    fn problem(http_status: u16, title: &'static str, detail: &str) -> Self {
        Self::Problem(Problem::new(http_status, title, detail))
    }
}

impl Problem {
    fn new(http_status: u16, title: &'static str, detail: &str) -> Self {
        Self { http_status, title, detail: detail.to_owned(), errors: Vec::new(), retry_after: None }
    }

    /// The JSON of the problem. `instance` is the path of the request.
    pub(super) fn body(&self, instance: &str) -> Json {
        let mut members = vec![
            ("type".to_owned(), Json::text("about:blank")),
            ("title".to_owned(), Json::text(self.title)),
            ("status".to_owned(), Json::Int(i64::from(self.http_status))),
            ("detail".to_owned(), Json::text(&self.detail)),
            ("instance".to_owned(), Json::text(instance)),
        ];
        if !self.errors.is_empty() {
            let list = |message: &String| Json::Raw(format!("[{}]", Json::text(message)));
            let errors = self.errors.iter().map(|(path, message)| (path.clone(), list(message)));
            members.push(("errors".to_owned(), Json::Object(errors.collect())));
        }
        Json::Object(members)
    }
}
