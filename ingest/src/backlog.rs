//! Knows about how many orders wait on the queue, without ever making a request wait for it.

use crate::wait::wait;
use aws_sdk_sqs::{
    Client as Sqs,
    types::QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as InFlight,
    },
};
use events::Timestamp;
use function::sdk_error;
use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tracing::Instrument;

/// An environment asks the queue at most this often. With 5 s, those who came at the beginning of a spike were told to ask
/// again at once for too long: in the README's they sent 949 requests in one second, more than orders came.
const EVERY: Duration = Duration::from_secs(2);
/// A number that is older than this says nothing: Lambda may have frozen the environment for long.
const VALID: Duration = Duration::from_secs(30);

/// The orders on the queue, as far as this environment knows.
#[derive(Debug, Clone)]
pub struct Backlog {
    sqs: Sqs,
    url: String,
    per_second: f64,
    sample: Arc<Mutex<Sample>>,
}

#[derive(Debug, Default)]
struct Sample {
    /// The environment has answered a request.
    is_warm: bool,
    asked: Option<SystemTime>,
    waiting: Option<(u64, SystemTime)>,
}

impl Backlog {
    /// Asks the queue at `url`. All who wait together are to ask for `per_second` statuses at most.
    pub fn new(sqs: Sqs, url: String, per_second: f64) -> Self {
        let sample = Arc::default();
        Self {
            sqs,
            url,
            per_second,
            sample,
        }
    }

    /// Asks how many orders wait, beside the call that is under way, if it is time to. The first request of an environment
    /// doesn't: a cold start has enough to do.
    pub fn refresh(&self) {
        let now = SystemTime::now();
        let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !mem::replace(&mut sample.is_warm, true);
        let is_time = sample.asked.is_none_or(|asked| is_past(asked, EVERY, now));
        if is_first || !is_time {
            return;
        }
        sample.asked = Some(now);
        let backlog = self.clone();
        tokio::spawn(async move { backlog.ask().await }.in_current_span());
    }

    async fn ask(&self) {
        let get = self.sqs.get_queue_attributes().queue_url(&self.url);
        let get = get.attribute_names(Visible).attribute_names(InFlight);
        let waiting = match get.send().await {
            Ok(answer) => {
                let counts = answer.attributes.unwrap_or_default();
                let count = |name| counts.get(&name)?.parse::<u64>().ok();
                count(Visible).zip(count(InFlight))
            }
            Err(error) => {
                let error = sdk_error::text(&error);
                tracing::warn!(error, "could not read how many orders wait");
                None
            }
        };
        let waiting = waiting.map(|(visible, in_flight)| visible.saturating_add(in_flight));
        let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
        sample.waiting = waiting.map(|waiting| (waiting, SystemTime::now()));
    }

    /// The wait of a client whose order was accepted at `placed_at`, if that is known.
    pub fn wait(&self, placed_at: Option<Timestamp>) -> Duration {
        let now = SystemTime::now();
        let waiting = self
            .sample
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .waiting;
        let known = waiting.filter(|(_, at)| !is_past(*at, VALID, now));
        let age = placed_at.map(|placed_at| placed_at.until(now.into()));
        wait(
            known.map(|(waiting, _)| waiting),
            self.per_second,
            age,
            chance(),
        )
    }
}

/// True if so long has passed since `then`, or if the clock was set back.
fn is_past(then: SystemTime, span: Duration, now: SystemTime) -> bool {
    now.duration_since(then).is_ok_and(|passed| passed >= span) || then > now
}

fn chance() -> f64 {
    let mut random = [0; 4];
    // Without chance all clients wait the same.
    let drawn = getrandom::fill(&mut random);
    drawn.map_or(0.5, |()| {
        f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::config::{BehaviorVersion, Config};

    #[test]
    fn a_number_of_orders_is_used_for_half_a_minute() {
        let sqs = Sqs::from_conf(
            Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .build(),
        );
        let backlog = Backlog::new(sqs, "http://sqs/orders".to_owned(), 1.0);
        let unknown = backlog.wait(None);
        for (age, is_used) in [(0, true), (25, true), (31, false), (3600, false)] {
            let at = SystemTime::now() - Duration::from_secs(age);
            backlog.sample.lock().expect("no panic in here").waiting = Some((200, at));
            let wait = backlog.wait(None);
            assert_eq!(wait > 10 * unknown, is_used, "{age}: {wait:?}");
        }
    }

    #[test]
    fn a_time_is_past_once_its_span_is_or_if_the_clock_went_back() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let check = |then: u64, expected| {
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(then);
            assert_eq!(is_past(then, EVERY, now), expected, "{then:?}");
        };
        check(1000, false);
        check(999, false);
        check(998, true);
        check(0, true);
        check(1001, true);
    }
}
