//! Telling a person what they must look at.
//!
//! **Invariant:** everything that stands is told through every configured channel, in one message per round however much
//! it is; what fails is tried again later and holds up nobody. No words of a message hold a secret.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::App;
use crate::domain::alert::{Alert, AlertKind, Batch, Topic};
use crate::ports::PeerError;
use crate::ports::alerts::Claim;
use crate::ports::notifier::{ApiKeyCheck, Line, Message, Notifier};
use crate::ports::store::StoreError;

/// How many topics of a message have words of their own; the others are counted.
const SHOWN: u32 = 20;

/// How long a message may take: longer than the time limit of every channel.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Pages of new topics taken up in one round; the next round goes on.
const PAGES: u32 = 100;

/// Takes up what stands now, then tells what is due through each channel.
///
/// # Errors
///
/// [`StoreError`]; a channel that fails is no error.
pub async fn round(
    app: &App,
    notifiers: &[Box<dyn Notifier>],
    repeat: TimeDelta,
) -> Result<(), StoreError> {
    for _ in 0..PAGES {
        if !app.store.gather_alerts(app.clock.now()).await? {
            break;
        }
    }
    for notifier in notifiers {
        tell_through(app, notifier.as_ref(), repeat).await?;
    }
    Ok(())
}

async fn tell_through(
    app: &App,
    notifier: &dyn Notifier,
    repeat: TimeDelta,
) -> Result<(), StoreError> {
    let channel = notifier.channel();
    let claim = Claim {
        channel,
        batch: format!("{}/{:032x}", app.settings.owner, app.entropy.random_u128()),
        now: app.clock.now(),
        repeat,
        lease: LEASE,
        shown: SHOWN,
    };
    let Some(batch) = app.store.claim_alerts(&claim).await? else {
        return Ok(());
    };
    let outcome = notifier.tell(&message(&app.settings.public_url, &batch)).await;
    let result = if outcome.is_ok() { "told" } else { "failed" };
    metrics::counter!(
        "splynx_bitpay_tellings_total", "channel" => channel.code(), "outcome" => result
    )
    .increment(1);
    match outcome {
        Ok(()) => {
            tracing::info!(
                channel = channel.code(),
                open = batch.open_count,
                over = batch.ended_count,
                "a person was told"
            );
            app.store.alerts_told(channel, &claim.batch, app.clock.now()).await
        }
        Err(error) => {
            tracing::warn!(channel = channel.code(), %error, "a person could not be told; later");
            let why = error.to_string();
            app.store.alerts_not_told(channel, &claim.batch, &why, app.clock.now()).await
        }
    }
}

/// Asks whether the processor and Splynx still know us, and takes up or ends what that means.
///
/// # Errors
///
/// [`StoreError`]; a peer that does not answer changes nothing.
pub async fn watch_peers(app: &App, splynx: &dyn ApiKeyCheck) -> Result<(), StoreError> {
    watch_connection(app).await?;
    let verdict = splynx.check_api_key().await;
    let words = |why: &PeerError| {
        format!("Splynx refuses the add-on's API key, so that no payment can be recorded: {why}.")
    };
    stand_or_end(app, AlertKind::ApiKey, "splynx", verdict, words).await
}

async fn watch_connection(app: &App) -> Result<(), StoreError> {
    let Some(connection) = app.store.active_connection().await? else {
        return app.store.end_alerts(AlertKind::Connection, &[], app.clock.now()).await.map(drop);
    };
    let verdict = match app.processors.of(&connection) {
        Ok(processor) => processor.check_token().await,
        Err(error) => Err(error),
    };
    let words = |why: &PeerError| {
        format!("The paired account is refused, so that nobody can pay: {why}. Pair again.")
    };
    stand_or_end(app, AlertKind::Connection, &connection.id.to_string(), verdict, words).await
}

async fn stand_or_end(
    app: &App,
    kind: AlertKind,
    subject: &str,
    verdict: Result<(), PeerError>,
    words: impl Fn(&PeerError) -> String + Send,
) -> Result<(), StoreError> {
    let now = app.clock.now();
    match verdict {
        Ok(()) => app.store.end_alerts(kind, &[], now).await.map(drop),
        Err(error @ PeerError::Refused { .. }) => {
            app.store.end_alerts(kind, &[subject.to_owned()], now).await?;
            app.store.raise_alert(&Topic::new(kind, subject, words(&error), now)).await
        }
        Err(_) => Ok(()),
    }
}

/// One message of a batch.
fn message(public_url: &str, batch: &Batch) -> Message {
    let list = format!("{public_url}/admin/attempts");
    let open = batch.open.iter().map(|alert| line(alert, &list, false));
    let ended = batch.ended.iter().map(|alert| line(alert, &list, true));
    let lines: Vec<Line> = open.chain(ended).collect();
    let subject = subject(batch);
    let mut text = vec![];
    for line in &lines {
        text.push(paragraph(line));
    }
    for (count, shown, what) in [
        (batch.open_count, batch.open.len(), "more that stand"),
        (batch.ended_count, batch.ended.len(), "more that are over"),
    ] {
        let rest = count.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
        if rest > 0 {
            text.push(format!("... and {rest} {what}."));
        }
    }
    text.push(format!("All payments: {list}"));
    Message {
        subject,
        text: text.join("\n"),
        open: batch.open_count,
        over: batch.ended_count,
        lines,
    }
}

fn subject(batch: &Batch) -> String {
    let name = "Splynx BitPay add-on";
    match (batch.open_count, batch.ended_count) {
        (0, over) => format!("{name}: {over} over"),
        (open, 0) => format!("{name}: {open} to look at"),
        (open, over) => format!("{name}: {open} to look at, {over} over"),
    }
}

fn line(alert: &Alert, list: &str, over: bool) -> Line {
    let topic = &alert.topic;
    let attempt = topic.attempt.map(|id| id.to_string());
    Line {
        kind: topic.kind.code(),
        reason: topic.reason.clone(),
        words: topic.words.clone(),
        link: attempt.as_ref().map_or_else(|| list.to_owned(), |id| format!("{list}/{id}")),
        attempt,
        since: topic.since,
        times: alert.times,
        over,
    }
}

fn paragraph(line: &Line) -> String {
    let state = match (line.over, line.times) {
        (true, _) => "OVER: ".to_owned(),
        (false, 0) => String::new(),
        (false, times) => format!("STILL OPEN (told {times} times): "),
    };
    format!("{state}{}: {}\n  since {}, {}", line.reason, line.words, at(line.since), line.link)
}

fn at(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A message that tells nothing but that telling works.
#[must_use]
pub fn test_message(public_url: &str, now: DateTime<Utc>) -> Message {
    let link = format!("{public_url}/admin/attempts");
    let words = "This is a test. The add-on can reach you.".to_owned();
    Message {
        subject: "Splynx BitPay add-on: test".to_owned(),
        text: format!("{words}\n{link}"),
        open: 0,
        over: 0,
        lines: vec![Line {
            kind: "test",
            reason: "test".to_owned(),
            words,
            attempt: None,
            link,
            since: now,
            times: 0,
            over: false,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::AttemptId;

    fn at_zero() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn alert(kind: AlertKind, words: &str, times: u32) -> Alert {
        let attempt = (kind == AlertKind::Review).then(|| AttemptId::new(at_zero(), 1));
        let topic = Topic { attempt, ..Topic::new(kind, "subject", words, at_zero()) };
        Alert { topic, times }
    }

    #[test]
    fn one_message_tells_what_is_new_what_stands_and_what_is_over() {
        let batch = Batch {
            open: vec![
                alert(AlertKind::Review, "Splynx refused.", 0),
                alert(AlertKind::Reconcile, "It failed.", 2),
            ],
            open_count: 502,
            ended: vec![alert(AlertKind::LateCredit, "Late.", 1)],
            ended_count: 1,
        };
        let message = message("https://isp.example/bitpay", &batch);
        let id = AttemptId::new(at_zero(), 1);
        assert_eq!(message.subject, "Splynx BitPay add-on: 502 to look at, 1 over");
        assert_eq!(
            message.text,
            format!(
                "review: Splynx refused.\n  since 2023-11-14T22:13:20Z, \
                 https://isp.example/bitpay/admin/attempts/{id}\n\
                 STILL OPEN (told 2 times): reconcile: It failed.\n  since 2023-11-14T22:13:20Z, \
                 https://isp.example/bitpay/admin/attempts\n\
                 OVER: late_credit: Late.\n  since 2023-11-14T22:13:20Z, \
                 https://isp.example/bitpay/admin/attempts\n\
                 ... and 500 more that stand.\n\
                 All payments: https://isp.example/bitpay/admin/attempts"
            )
        );
        assert_eq!((message.open, message.over, message.lines.len()), (502, 1, 3));
    }

    #[test]
    fn the_end_alone_has_a_subject_of_its_own() {
        let ended = vec![alert(AlertKind::Review, "Splynx refused.", 1)];
        let batch = Batch { ended, ended_count: 1, ..Batch::default() };
        assert_eq!(message("", &batch).subject, "Splynx BitPay add-on: 1 over");
    }
}
