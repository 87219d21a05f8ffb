//! Slack's signature (<https://docs.slack.dev/authentication/verifying-requests-from-slack>): HMAC-SHA256 over
//! `v0:<time>:<raw body>`, keyed with the signing secret as it is written, in the header `X-Slack-Signature`.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::Refusal;

/// When the request was signed, in whole seconds since 1970.
pub const TIMESTAMP: &str = "x-slack-request-timestamp";
/// The signature.
pub const SIGNATURE: &str = "x-slack-signature";
/// How far the time of signing may lie from now, in seconds.
pub const TOLERANCE: u64 = 300;

const VERSION: &str = "v0";

/// Whether Slack sent this body just now. Several secrets are tried, so that a secret can be replaced while requests arrive;
/// which one fitted takes no longer than another to find out. Nothing of the body is decoded.
pub fn verify(
    body: &[u8],
    headers: &HeaderMap,
    secrets: &[SecretString],
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let timestamp = single(headers, TIMESTAMP)?;
    let signature = single(headers, SIGNATURE)?;
    let signature = decode(signature).ok_or(Refusal::Malformed)?;
    let signed_at = seconds(timestamp).ok_or(Refusal::Malformed)?;
    if now.timestamp().abs_diff(signed_at) > TOLERANCE {
        return Err(Refusal::Stale);
    }
    let message = message(body, timestamp);
    let mut fits = false;
    for secret in secrets {
        fits |= hmac::verify(&key(secret), &message, &signature).is_ok();
    }
    if fits { Ok(()) } else { Err(Refusal::Forged) }
}

/// The signature of a body as Slack makes it at `timestamp`, in seconds since 1970. For tests and for the fake of Slack.
pub fn sign(body: &[u8], timestamp: i64, secret: &SecretString) -> String {
    let tag = hmac::sign(&key(secret), &message(body, &timestamp.to_string()));
    format!("{VERSION}={}", hex::encode(tag))
}

fn key(secret: &SecretString) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())
}

fn message(body: &[u8], timestamp: &str) -> Vec<u8> {
    [VERSION.as_bytes(), b":", timestamp.as_bytes(), b":", body].concat()
}

/// A header that must be there exactly once: with two, which one counts would be a matter of taste.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Refusal::Unsigned)?;
    match values.next() {
        None => value.to_str().map_err(|_| Refusal::Malformed),
        Some(_) => Err(Refusal::Malformed),
    }
}

/// Lower-case hexadecimal behind the version, as Slack writes it; nothing else is taken for it.
fn decode(signature: &str) -> Option<Vec<u8>> {
    let digits = signature.strip_prefix(VERSION)?.strip_prefix('=')?;
    let lower = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits.len() == 64 && lower).then(|| hex::decode(digits).ok())?
}

fn seconds(timestamp: &str) -> Option<i64> {
    let digits = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| timestamp.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    /// Slack's own example, from its documentation of request signing.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIME: i64 = 1_531_420_618;
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const EXPECTED: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn headers(timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TIMESTAMP, HeaderValue::from_str(timestamp).unwrap());
        headers.insert(SIGNATURE, HeaderValue::from_str(signature).unwrap());
        headers
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn check(body: &[u8], timestamp: &str, signature: &str, now: i64) -> Result<(), Refusal> {
        verify(body, &headers(timestamp, signature), &[secret(SECRET)], at(now))
    }

    #[test]
    fn slacks_own_example_is_believed() {
        assert_eq!(sign(BODY.as_bytes(), TIME, &secret(SECRET)), EXPECTED);
        assert_eq!(check(BODY.as_bytes(), "1531420618", EXPECTED, TIME), Ok(()));
    }

    #[test]
    fn a_second_known_signature_is_made_alike() {
        assert_eq!(
            sign(b"test-body", TIME, &secret("fa2c05deeef5a4077494e89f54394de0")),
            "v0=baa91ef62d346e56607bbdd278a8acd570b91226854f15a382f43d33be42f666"
        );
    }

    #[test]
    fn a_request_is_believed_for_five_minutes_either_way() {
        for (skew, expected) in [
            (0, Ok(())),
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(Refusal::Stale)),
            (-301, Err(Refusal::Stale)),
        ] {
            assert_eq!(
                check(BODY.as_bytes(), "1531420618", EXPECTED, TIME + skew),
                expected
            );
        }
    }

    #[test]
    fn what_slack_would_not_write_is_refused() {
        let upper = format!("v0={}", EXPECTED[3..].to_uppercase());
        let v1 = EXPECTED.replace("v0=", "v1=");
        for signature in [upper.as_str(), &v1, "v0=", "", &EXPECTED[3..], &EXPECTED[..66]] {
            assert_eq!(
                check(BODY.as_bytes(), "1531420618", signature, TIME),
                Err(Refusal::Malformed),
                "{signature}"
            );
        }
        for timestamp in [
            "",
            "soon",
            "-1531420618",
            "+1531420618",
            "1531420618.0",
            "99999999999999999999",
        ] {
            assert_eq!(
                check(BODY.as_bytes(), timestamp, EXPECTED, TIME),
                Err(Refusal::Malformed),
                "{timestamp}"
            );
        }
    }

    #[test]
    fn an_unsigned_request_is_refused_and_so_is_one_signed_twice() {
        let mut headers = headers("1531420618", EXPECTED);
        headers.append(SIGNATURE, HeaderValue::from_static(EXPECTED));
        let secrets = [secret(SECRET)];
        assert_eq!(
            verify(BODY.as_bytes(), &headers, &secrets, at(TIME)),
            Err(Refusal::Malformed)
        );
        headers.remove(SIGNATURE);
        assert_eq!(
            verify(BODY.as_bytes(), &headers, &secrets, at(TIME)),
            Err(Refusal::Unsigned)
        );
    }

    #[test]
    fn either_of_two_secrets_will_do_while_one_replaces_the_other() {
        let headers = headers("1531420618", EXPECTED);
        let secrets = [secret("the new one"), secret(SECRET)];
        assert_eq!(verify(BODY.as_bytes(), &headers, &secrets, at(TIME)), Ok(()));
        assert_eq!(
            verify(BODY.as_bytes(), &headers, &secrets[..1], at(TIME)),
            Err(Refusal::Forged)
        );
        assert_eq!(
            verify(BODY.as_bytes(), &headers, &[], at(TIME)),
            Err(Refusal::Forged)
        );
    }

    proptest! {
        #[test]
        fn what_is_signed_is_believed_and_one_flipped_bit_is_not(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            key in "[ -~]{1,40}",
            bit in any::<prop::sample::Index>(),
        ) {
            let secret = secret(&key);
            let signature = sign(&body, TIME, &secret);
            let headers = headers(&TIME.to_string(), &signature);
            let secrets = [secret];
            prop_assert_eq!(verify(&body, &headers, &secrets, at(TIME)), Ok(()));
            if !body.is_empty() {
                let mut changed = body.clone();
                let bit = bit.index(body.len() * 8);
                changed[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(
                    verify(&changed, &headers, &secrets, at(TIME)),
                    Err(Refusal::Forged)
                );
            }
            let later = self::headers(&(TIME + 1).to_string(), &signature);
            prop_assert_eq!(verify(&body, &later, &secrets, at(TIME)), Err(Refusal::Forged));
        }
    }
}
