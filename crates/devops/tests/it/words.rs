//! Astra's own words, in every shape that its errors come in.

use astra_devops::{Answer, Call, Error, Method, error::Class};
use proptest::prelude::*;

use crate::script::text;

#[test]
fn every_shape_of_error_is_said_in_its_own_words() {
    let cases: &[(&str, &str)] = &[
        (
            r#"{"errors":[{"ID":340012,"message":"invalid token format"}]}"#,
            "invalid token format (error 340012)",
        ),
        (
            r#"{"errors":[{"ID":2000011,"message":"unsupported database tier"},{"ID":2000013,"message":"unsupported region"}]}"#,
            "unsupported database tier (error 2000011); unsupported region (error 2000013)",
        ),
        (r#"{"errors":[{"id":7,"message":"lower case"}]}"#, "lower case (error 7)"),
        (r#"{"errors":[{"message":"no id"}]}"#, "no id"),
        (r#"{"errors":["only text"]}"#, "only text"),
        (r#"{"errors":[{"message":"","description":"the other field"}]}"#, "the other field"),
        (r#"{"errors":[]}"#, r#"{"errors":[]}"#),
        (r#"{"errors":null}"#, r#"{"errors":null}"#),
        (r#"{"errors":[{"ID":1}]}"#, r#"{"errors":[{"ID":1}]}"#),
        (
            r#""error occurred trying to add principals in Gcp""#,
            "error occurred trying to add principals in Gcp",
        ),
        (r#""""#, "an empty body"),
        ("unable to get role for organization", "unable to get role for organization"),
        ("null", "null"),
        (r#"{"errors":[{"description":"no key","internalCode":"a","internalTxId":"b"}]}"#, "no key"),
        (
            r#"{"description":"Organization: x does not have any CMKs"}"#,
            "Organization: x does not have any CMKs",
        ),
        (r#"{"message":"no Route matched with those values"}"#, "no Route matched with those values"),
        (
            "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>\n<h1>nginx</h1></body></html>",
            "an HTML page: 502 Bad Gateway nginx",
        ),
        ("<html></html>", "an HTML page:"),
        ("\u{feff}  <HTML><body>x", "an HTML page: x"),
        ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an HTML page: AccessDenied"),
        ("<head>x", "an HTML page: x"),
        ("a < b", "a < b"),
        ("<3", "<3"),
        ("", "an empty body"),
        (" \r\n\t", "an empty body"),
        ("one\r\ntwo\u{1b}[31mthree\0four\u{202e}evif\u{2028}six", "one two [31mthree four evif six"),
        (r#"{"errors":[{"ID":1,"mess"#, r#"{"errors":[{"ID":1,"mess"#),
        ("42", "42"),
        ("[1,2]", "[1,2]"),
        ("true", "true"),
    ];
    for (body, words) in cases {
        assert_eq!(text(400, body).words(), *words, "{body}");
    }
}

#[test]
fn a_long_body_is_cut_and_a_broken_one_is_still_said() {
    let words = text(500, &"ä ".repeat(50_000)).words();
    assert_eq!(words.chars().count(), 300);
    assert!(words.ends_with('…'));
    assert_eq!(text(500, &"x".repeat(300)).words(), "x".repeat(300));
    assert_eq!(text(500, &"x".repeat(301)).words(), "x".repeat(299) + "…");
    assert_eq!(Answer { body: vec![b'a', 0xff, b'b'], ..Answer::empty(500) }.words(), "a\u{fffd}b");
}

#[test]
fn what_a_404_says_is_told_apart() {
    let cases = [
        // body, none yet, unknown
        (r#""access list not found""#, true, false),
        ("no access list", true, false),
        ("null", true, false),
        (r#"{"errors":[{"ID":2000029,"message":"database not found"}]}"#, false, true),
        (r#"{"errors":[{"ID":340018,"message":"Resource not found: token with identifier"}]}"#, false, false),
        (r#"{"errors":[]}"#, false, false),
        (r#"{"message":"no Route matched with those values"}"#, false, false),
        (r#"{"errors":[{"ID":"#, false, false),
        ("<html></html>", false, false),
        ("<!doctype html><p>gone", false, false),
        ("<Error><Code>NoSuchKey</Code></Error>", false, false),
        ("404 page not found\n", false, false),
        ("default backend - 404", false, false),
        ("", false, false),
        ("[]", false, false),
    ];
    for (body, none_yet, unknown) in cases {
        let answer = text(404, body);
        assert_eq!((answer.is_plain_404(), answer.is_unknown()), (none_yet, unknown), "{body}");
        assert!(!text(400, body).is_plain_404() && !text(200, body).is_unknown(), "only a 404: {body}");
    }
}

#[test]
fn the_class_tells_whose_word_it_is() {
    let call = Call::new(Method::Delete, &["v2"], "p");
    let (json, page) = (r#""no""#, "<html><body>no</body></html>");
    let cases = [
        (400, Class::Invalid, Class::Transient),
        (401, Class::Unauthorized, Class::Transient),
        (403, Class::Forbidden, Class::Transient),
        (404, Class::NotFound, Class::Transient),
        (408, Class::Transient, Class::Transient),
        (409, Class::Conflict, Class::Transient),
        (422, Class::Invalid, Class::Transient),
        (425, Class::Transient, Class::Transient),
        (429, Class::Throttled, Class::Throttled),
        (302, Class::Transient, Class::Transient),
        (500, Class::Transient, Class::Transient),
        (503, Class::Transient, Class::Transient),
    ];
    for (status, astra, proxy) in cases {
        for (body, class) in [(json, astra), (page, proxy)] {
            let error = Error::refused(&call, &text(status, body));
            assert_eq!(error.class(), class, "{status} {body}");
            assert_eq!(error.may_have_taken_effect(), class == Class::Transient, "{status} {body}");
        }
    }
}

#[test]
fn an_error_says_what_was_tried_and_what_to_do() {
    let call = Call::new(Method::Get, &["v2", "access-lists"], "accesslist-read");
    let cases = [
        (
            401,
            "null",
            "GET /v2/access-lists was answered 401: null (the token is not valid, or its role lacks the permission accesslist-read: Astra does not tell which)",
        ),
        (
            401,
            r#"{"errors":[{"ID":340012,"message":"invalid token format"}]}"#,
            "GET /v2/access-lists was answered 401: invalid token format (error 340012) (check that the token is valid and that its role has the permission accesslist-read)",
        ),
        (
            403,
            r#""forbidden""#,
            "GET /v2/access-lists was answered 403: forbidden (the token's role lacks the permission accesslist-read, or the organization's DevOps API access list does not have the operator's address)",
        ),
        (
            403,
            "<html>blocked</html>",
            "GET /v2/access-lists was answered 403: an HTML page: blocked (a proxy or firewall answered in Astra's place: check the way to the API)",
        ),
        (409, r#""busy""#, "GET /v2/access-lists was answered 409: busy"),
        (
            302,
            "",
            "GET /v2/access-lists was answered 302: an empty body (Astra's API does not redirect: check its URL and the proxies on the way)",
        ),
    ];
    for (status, body, message) in cases {
        assert_eq!(Error::refused(&call, &text(status, body)).to_string(), message);
    }
}

proptest! {
    /// Any bytes: no panic, one line, never empty, at most 300 characters.
    #[test]
    fn any_body_has_words(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        let answer = Answer { body, ..Answer::empty(404) };
        let words = answer.words();
        prop_assert!(!words.is_empty());
        prop_assert!(words.chars().count() <= 300);
        prop_assert!(!words.chars().any(char::is_control));
        prop_assert!(!(answer.is_plain_404() && answer.is_unknown()));
    }
}

#[test]
fn a_proxy_is_only_suspected_where_a_page_came() {
    let call = Call::new(Method::Get, &["v2"], "p");
    let said = |body: &str| Error::refused(&call, &text(408, body)).to_string();
    assert_eq!(said("too slow"), "GET /v2 was answered 408: too slow");
    assert!(
        said("<html>busy</html>")
            .ends_with("(a proxy or firewall answered in Astra's place: check the way to the API)")
    );
}
