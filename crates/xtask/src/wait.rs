//! Waiting for a condition that can only be asked for: again and again, until a deadline.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks until there is an answer; `what` says in the error what did not come.
///
/// `ask` returns `None` for "not yet"; its error ends the wait at once.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    every: Duration,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if start.elapsed() >= limit {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        thread::sleep(every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(1);

    #[test]
    fn asks_until_there_is_an_answer() {
        let mut left = 3;
        let answer = until("three", Duration::from_mins(1), TICK, || {
            left -= 1;
            Ok((left == 0).then_some("there"))
        });
        assert_eq!(answer.unwrap(), "there");
    }

    #[test]
    fn an_error_ends_the_wait_and_the_deadline_says_what_for() {
        let mut asked = 0;
        let error = until::<()>("x", Duration::from_mins(1), TICK, || {
            asked += 1;
            bail!("it died")
        });
        assert_eq!((error.unwrap_err().to_string().as_str(), asked), ("it died", 1));
        let late = until::<()>("the moon", Duration::ZERO, TICK, || Ok(None)).unwrap_err();
        assert_eq!(late.to_string(), "waited 0 s in vain for the moon");
    }
}
