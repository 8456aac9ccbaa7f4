//! The token is in no text that anybody could read.

use std::{error::Error as StdError, fmt::Write as _, sync::Arc};

use astra_devops::{
    Answer, Call, Client, Method, Token, http::HttpTransport, private_link::ListPrivateLinks,
    token::InvalidToken,
};
use proptest::prelude::*;
use serde_json::json;

use crate::script::{Line, Script, TOKEN};

/// Everything that can be printed of an error.
fn printed(error: &dyn StdError) -> String {
    let mut text = format!("{error:?} {error:#?}");
    let mut next = Some(error);
    while let Some(error) = next {
        write!(text, " {error} {error:?}").unwrap();
        next = error.source();
    }
    text
}

#[test]
fn what_cannot_be_a_token_is_refused_without_being_shown() {
    let cases = [
        ("", InvalidToken::Empty),
        ("AstraCS:a\n", InvalidToken::ControlCharacter),
        ("AstraCS:a\r\nX: y", InvalidToken::ControlCharacter),
        ("AstraCS:\0", InvalidToken::ControlCharacter),
        ("AstraCS: a", InvalidToken::NotPlain),
        (" AstraCS:a", InvalidToken::NotPlain),
        ("AstraCS:ü", InvalidToken::NotPlain),
    ];
    for (text, why) in cases {
        let error = Token::new(text).unwrap_err();
        assert_eq!(error, why, "{text:?}");
        assert!(!printed(&error).contains("AstraCS:a"), "{error}");
    }
    assert_eq!(Token::new(&"a".repeat(4097)).unwrap_err(), InvalidToken::TooLong);
    assert!(Token::new(&"a".repeat(4096)).is_ok());
    assert_eq!(Token::new(TOKEN).unwrap().expose(), TOKEN);
}

#[test]
fn equal_tokens_are_equal_and_hash_alike() {
    use std::collections::HashSet;
    let tokens: HashSet<Token> = ["a", "b", "a"].iter().map(|text| Token::new(text).unwrap()).collect();
    assert_eq!(tokens.len(), 2);
}

/// Every way in which a server could bring the token back.
fn echoes(token: &str) -> Vec<Answer> {
    let half = "x".repeat(300 - 20);
    vec![
        Answer::json(400, &json!({ "errors": [{ "ID": 1, "message": format!("bad token {token}!") }] })),
        Answer::json(401, &json!(format!("Authorization: Bearer {token}"))),
        Answer::json(500, &json!({ "headers": { "authorization": [token] } })),
        // The quote is cut in the middle of the token.
        Answer { body: format!("{half} {token}").into_bytes(), ..Answer::empty(400) },
        Answer { body: format!("<html>{token}</html>").into_bytes(), ..Answer::empty(403) },
        // Answers that cannot be read: the parser's message quotes what it found.
        Answer::json(200, &json!({ "clusters": token })),
        Answer { body: format!("{token} {token}").into_bytes(), ..Answer::empty(200) },
    ]
}

#[tokio::test(start_paused = true)]
async fn a_server_that_echoes_the_token_does_not_bring_it_into_errors() {
    let secret = TOKEN.rsplit(':').next().unwrap();
    for text in [TOKEN, secret] {
        for answer in echoes(text) {
            let script = Script::new(vec![Line::Answer(answer.clone()); 3]);
            let error = script.client(1).send(&ListPrivateLinks).await.unwrap_err();
            let printed = printed(&error);
            assert!(!printed.contains(&secret[..8]), "{printed}");
            assert!(!script.sent().join(" ").contains(secret));
        }
    }
}

#[test]
fn a_part_of_the_token_is_hidden_as_the_whole_is() {
    let secret = TOKEN.rsplit(':').next().unwrap();
    for part in [&TOKEN[..50], &TOKEN[40..], &secret[3..15], &secret[secret.len() - 12..], TOKEN] {
        let mut answer = Answer::json(401, &json!(format!("token {part}… is not known")));
        answer.location = Some(format!("/login?token={part}&x=y"));
        let clean = answer.without(TOKEN);
        let said = format!("{} {}", clean.words(), clean.location.clone().unwrap());
        let piece =
            secret.as_bytes().windows(12).find(|piece| said.contains(std::str::from_utf8(piece).unwrap()));
        assert_eq!(piece, None, "{said}");
        assert!(
            said.starts_with("token ")
                && said.contains("… is not known /login?token=")
                && said.ends_with("&x=y"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn no_debug_output_has_it() {
    let token = Token::new(TOKEN).unwrap();
    let transport = Arc::new(HttpTransport::new("http://127.0.0.1:1", "test").unwrap());
    let client = Client::new(Arc::<HttpTransport>::clone(&transport), token.clone(), 1);
    // Nothing listens on port 1.
    let error = client.send_call(&Call::new(Method::Post, &["v2"], "p")).await.unwrap_err();
    let text = format!("{token:?} {token} {token:#?} {client:?} {transport:?} {}", printed(&error));
    assert!(!text.contains(&TOKEN[..10]) && !text.contains(&TOKEN[TOKEN.len() - 10..]), "{text}");
    assert_eq!(format!("{token:?} {token}"), "Token(…) …");
}

#[test]
fn short_texts_are_left_alone() {
    let answer = Answer::json(200, &json!({ "status": "active" }));
    assert_eq!(answer.clone().without("a"), answer);
    assert_eq!(answer.clone().without(""), answer);
}

proptest! {
    #[test]
    fn any_token_is_hidden(text in "[!-~]{16,120}", bad in "[!-~]{8,40}[ \n\u{80}-\u{ff}]") {
        let token = Token::new(&text).unwrap();
        prop_assert_eq!(format!("{token:?} {token}"), "Token(…) …");
        let error = printed(&Token::new(&bad).unwrap_err());
        prop_assert!(!error.contains(bad.trim()));
        for answer in echoes(&text) {
            let clean = answer.without(&text);
            let error = astra_devops::Error::refused(&Call::new(Method::Get, &["v2"], "p"), &clean);
            let start = text.get(..15).unwrap();
            prop_assert!(!printed(&error).contains(start), "{:?}", error);
            prop_assert!(!String::from_utf8_lossy(&clean.body).contains(&text));
        }
    }
}
