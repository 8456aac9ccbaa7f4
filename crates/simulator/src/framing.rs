//! Between a [`Response`] and what HTTP can carry. A fault may ask for more than that; where it came over the control
//! surface it is refused, and where a test added it in process the server must still not fall over it.

use std::io;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response as HttpResponse,
};
use futures::stream;

use crate::{faults::Fault, wire::Response};

/// Where a message ends is the server's to say. Told otherwise by a response, it would panic or send a broken message.
const FRAMING: [HeaderName; 2] = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// The statuses that end a message without a body.
const BODILESS: [u16; 3] = [204, 205, 304];

/// The response as HTTP. What it cannot carry is 500, or left away.
pub(crate) fn http(response: Response) -> HttpResponse {
    let bodiless = BODILESS.contains(&response.status);
    let mut answer = HttpResponse::new(if bodiless { Body::empty() } else { Body::from(response.body) });
    *answer.status_mut() = status(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value))
            && !FRAMING.contains(&name)
        {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// An answer whose body fails before its first byte: the server closes the connection without having sent anything.
pub(crate) fn dropped() -> HttpResponse {
    let broken = stream::once(async { Err::<Vec<u8>, _>(io::Error::other("dropped on purpose")) });
    HttpResponse::new(Body::from_stream(broken))
}

/// Can HTTP carry what this fault answers? If not, why.
pub(crate) fn check(fault: &Fault) -> Result<(), String> {
    if let Some(code) = fault.status {
        status(code).ok_or_else(|| format!("status: {code} is not 200 to 599"))?;
        if BODILESS.contains(&code) && (fault.body.is_some() || fault.text.is_some()) {
            return Err(format!("status: a {code} has no body"));
        }
    }
    for (name, value) in &fault.headers {
        let Ok(parsed) = name.parse::<HeaderName>() else {
            return Err(format!("headers: {name:?} is no header name"));
        };
        if FRAMING.contains(&parsed) {
            return Err(format!("headers: {name:?} is the server's to say"));
        }
        HeaderValue::from_str(value).map_err(|_| {
            format!("headers: the value of {name:?} has a character that HTTP does not carry")
        })?;
    }
    Ok(())
}

/// A status that ends a request. One below 200 is no answer yet, and would leave the caller waiting.
fn status(code: u16) -> Option<StatusCode> {
    StatusCode::from_u16(code).ok().filter(|_| (200..600).contains(&code))
}
