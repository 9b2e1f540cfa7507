//! The body of a request, read to its end.

use std::time::Duration;

use checkout_transport::bytes::Bytes;
use checkout_transport::http::StatusCode;
use checkout_transport::http::header::EXPECT;
use checkout_transport::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::problem::Problem;

/// The whole body of a request.
pub(crate) async fn read(head: &Parts, mut body: Incoming) -> Result<Bytes, Problem> {
    let too_large = || {
        let message = format!("the body is over {BODY_CAP} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if body.size_hint().lower() > u64::try_from(BODY_CAP).unwrap_or(u64::MAX) {
        // A client that asks first sends no body after the refusal.
        if !head.headers.contains_key(EXPECT) {
            pass_over(&mut body).await;
        }
        return Err(too_large());
    }
    let whole = timeout(BODY_TIME, Limited::new(&mut body, BODY_CAP).collect()).await;
    let whole = whole
        .map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come within 30 seconds"))?;
    match whole {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            pass_over(&mut body).await;
            Err(too_large())
        }
        Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "the body cannot be read to its end")),
    }
}

/// Reads the rest of a body that is too large, within limits: a client that is still writing reads no answer.
async fn pass_over(body: &mut Incoming) {
    let rest = async {
        let mut room = REST_CAP;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match room.checked_sub(length) {
                Some(left) => room = left,
                None => return,
            }
        }
    };
    // A body that is slower than that ends with the connection.
    let _ = timeout(REST_TIME, rest).await;
}

/// The most bytes that a request's body may have: 1 MiB.
const BODY_CAP: usize = 1 << 20;

/// The time for a request's body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The most bytes of a body that is too large which the server reads before the refusal.
const REST_CAP: usize = 16 << 20;

/// The time for the rest of a body that is too large.
const REST_TIME: Duration = Duration::from_secs(2);
