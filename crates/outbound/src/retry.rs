//! When to try again, and how long to wait before.

use std::time::Duration;

use amebo_core::Environment;
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};

/// The longest wait that is sat out. A server that asks for more gets its answer handed to the caller, who can do better
/// than hold a task for minutes.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// How long the server asks to wait (RFC 9110 section 10.2.3, seconds or a date); a date that has passed asks for no wait.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = DateTime::<Utc>::from(httpdate::parse_http_date(value).ok()?);
    Some((until - now).to_std().unwrap_or(Duration::ZERO))
}

/// Whether the server says that the same request may succeed later. 529 is what Anthropic answers when overloaded.
pub(crate) fn is_temporary(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504 | 529)
}

/// How long to wait before attempt `attempt + 1` (from 0); `None` when the server asks for longer than we sit out.
pub(crate) fn wait(attempt: u32, asked: Option<Duration>, environment: &Environment) -> Option<Duration> {
    match asked {
        Some(asked) => (asked <= LONGEST_WAIT).then_some(asked),
        // Full jitter: clients that failed together do not come back together.
        None => Some(
            (FIRST_BACKOFF * 2_u32.saturating_pow(attempt.min(6)))
                .mul_f64(0.5 + environment.fraction() / 2.0),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use amebo_core::ManualClock;

    fn headers(retry_after: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::RETRY_AFTER, retry_after.parse().unwrap())])
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-20T08:00:00Z")
            .unwrap()
            .to_utc();
        assert_eq!(retry_after(&headers("7"), now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after(&headers("Fri, 20 Nov 2026 08:00:30 GMT"), now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            retry_after(&headers("Fri, 20 Nov 2026 07:00:00 GMT"), now),
            Some(Duration::ZERO)
        );
        for nonsense in ["soon", "-1", "NaN", "1e300"] {
            assert_eq!(retry_after(&headers(nonsense), now), None, "{nonsense}");
        }
    }

    #[test]
    fn waits_double_and_long_ones_are_not_sat_out() {
        let environment =
            Environment::replayable(Arc::new(ManualClock::starting_at(DateTime::UNIX_EPOCH)), 1);
        for attempt in 0..4 {
            let longest = FIRST_BACKOFF * 2_u32.pow(attempt);
            let wait = wait(attempt, None, &environment).unwrap();
            assert!(wait <= longest && wait >= longest / 2);
        }
        assert_eq!(wait(0, Some(Duration::from_hours(1)), &environment), None);
    }
}
