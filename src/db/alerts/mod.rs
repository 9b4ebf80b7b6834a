//! The tables `alerts` and `alert_channels`: what was told through which channel.
//!
//! **Invariant:** a topic has a row for every channel from its first moment, so that a channel that is configured later
//! tells what stands; a channel is claimed before anything is sent through it.

mod gather;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::Db;
use super::cell::{Row, millis};
use super::connection::AnyConnection;
use super::failure::{Failure, is_unique_violation};
use super::schema::{alert_channels, alerts};
use crate::domain::alert::{Alert, AlertKind, Batch, Channel, ChannelState, Topic, pause_after};
use crate::domain::ids::AttemptId;
use crate::ports::alerts::{AlertStore, Claim};
use crate::ports::store::StoreError;

/// What is over and was told through a channel that is not configured any more is kept for so long.
const KEPT: TimeDelta = TimeDelta::days(7);

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = alerts)]
struct AlertRow {
    channel: String,
    kind: String,
    subject: String,
    reason: String,
    attempt: Option<String>,
    words: String,
    since: i64,
    times: i64,
}

impl AlertRow {
    fn of(topic: &Topic, channel: Channel) -> Self {
        Self {
            channel: channel.code().to_owned(),
            kind: topic.kind.code().to_owned(),
            subject: topic.subject.clone(),
            reason: topic.reason.clone(),
            attempt: topic.attempt.map(|id| id.to_string()),
            words: topic.words.clone(),
            since: millis(topic.since),
            times: 0,
        }
    }

    fn into_alert(self) -> Result<Alert, StoreError> {
        let row = Row { table: "alerts", key: &self.subject };
        let attempt = self.attempt.as_deref().map(|id| row.read("attempt", AttemptId::parse(id)));
        Ok(Alert {
            topic: Topic {
                kind: row.read("kind", AlertKind::from_code(&self.kind))?,
                subject: self.subject.clone(),
                reason: self.reason.clone(),
                attempt: attempt.transpose()?,
                words: self.words.clone(),
                since: row.time("since", self.since)?,
            },
            times: row.count("times", self.times)?,
        })
    }
}

/// The name of the half of a batch that is over.
fn over(batch: &str) -> String {
    format!("{batch}/over")
}

#[async_trait]
impl AlertStore for Db {
    async fn gather_alerts(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        // Nearly always there is nothing to do, and reading keeps no payment waiting.
        if !self.read(move |conn| gather::is_needed(conn, now)).await? {
            return Ok(false);
        }
        self.write(move |conn| gather::gather(conn, now)).await
    }

    async fn raise_alert(&self, topic: &Topic) -> Result<(), StoreError> {
        let topic = topic.clone();
        self.write(move |conn| raise(conn, &topic)).await
    }

    async fn end_alerts(
        &self,
        kind: AlertKind,
        standing: &[String],
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let standing = standing.to_vec();
        let is_there = {
            let standing = standing.clone();
            move |conn: &mut AnyConnection| {
                let mut query = alerts::table.filter(alerts::kind.eq(kind.code())).into_boxed();
                query = query.filter(alerts::closed_at.is_null());
                if !standing.is_empty() {
                    query = query.filter(alerts::subject.ne_all(standing.clone()));
                }
                let count: i64 = query.count().get_result(conn)?;
                Ok(count > 0)
            }
        };
        if !self.read(is_there).await? {
            return Ok(0);
        }
        self.write(move |conn| end(conn, kind, &standing, now)).await
    }

    async fn claim_alerts(&self, claim: &Claim) -> Result<Option<Batch>, StoreError> {
        let peeked = claim.clone();
        if !self.read(move |conn| is_due(conn, &peeked)).await? {
            return Ok(None);
        }
        let claim = claim.clone();
        self.write(move |conn| claim_due(conn, &claim)).await
    }

    async fn alerts_told(
        &self,
        channel: Channel,
        batch: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let batch = batch.to_owned();
        self.write(move |conn| told(conn, channel, &batch, now)).await
    }

    async fn alerts_not_told(
        &self,
        channel: Channel,
        batch: &str,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (batch, why) = (batch.to_owned(), why.to_owned());
        self.write(move |conn| not_told(conn, channel, &batch, &why, now)).await
    }

    async fn standing_alerts(&self) -> Result<Vec<(AlertKind, i64)>, StoreError> {
        self.read(standing).await
    }

    async fn channel_states(&self) -> Result<Vec<ChannelState>, StoreError> {
        self.read(channel_states).await
    }
}

/// Takes up a topic for every channel.
fn raise(conn: &mut AnyConnection, topic: &Topic) -> Result<(), Failure> {
    let there = alerts::table
        .filter(alerts::kind.eq(topic.kind.code()))
        .filter(alerts::subject.eq(topic.subject.clone()));
    // One that had ended, and whose end was not told yet, goes on as if it had not.
    let again = diesel::update(there)
        .set((alerts::words.eq(topic.words.clone()), alerts::closed_at.eq(None::<i64>)))
        .execute(conn)?;
    if again == Channel::ALL.len() {
        return Ok(());
    }
    for channel in Channel::ALL {
        let row = AlertRow::of(topic, channel);
        let added = conn.transaction(|conn| -> Result<(), Failure> {
            diesel::insert_into(alerts::table).values(row).execute(conn)?;
            Ok(())
        });
        match added {
            // Another process, or an earlier moment, took it up for this channel.
            Err(Failure::Query(error)) if is_unique_violation(&error) => {}
            other => other?,
        }
    }
    Ok(())
}

fn end(
    conn: &mut AnyConnection,
    kind: AlertKind,
    standing: &[String],
    now: DateTime<Utc>,
) -> Result<u64, Failure> {
    let mut over = diesel::update(alerts::table)
        .set(alerts::closed_at.eq(millis(now)))
        .filter(alerts::kind.eq(kind.code()))
        .filter(alerts::closed_at.is_null())
        .into_boxed();
    if !standing.is_empty() {
        over = over.filter(alerts::subject.ne_all(standing.to_vec()));
    }
    let ended = over.execute(conn)?;
    forget(conn, now)?;
    let topics = ended.checked_div(Channel::ALL.len()).unwrap_or_default();
    Ok(u64::try_from(topics).unwrap_or_default())
}

/// Of what nobody was told nobody needs to hear the end.
fn forget(conn: &mut AnyConnection, now: DateTime<Utc>) -> Result<(), Failure> {
    let unheard = alerts::told_at.is_null().or(alerts::closed_at.le(millis(now - KEPT)));
    diesel::delete(alerts::table.filter(alerts::closed_at.is_not_null()).filter(unheard))
        .execute(conn)?;
    Ok(())
}

fn is_due(conn: &mut AnyConnection, claim: &Claim) -> Result<bool, Failure> {
    let (channel, now) = (claim.channel.code(), millis(claim.now));
    let free: i64 = alert_channels::table
        .filter(alert_channels::channel.eq(channel))
        .filter(alert_channels::next_try.le(now))
        .filter(alert_channels::claimed_until.is_null().or(alert_channels::claimed_until.le(now)))
        .count()
        .get_result(conn)?;
    if free == 0 {
        return Ok(false);
    }
    let stands = alerts::closed_at
        .is_null()
        .and(alerts::told_at.is_null().or(alerts::told_at.le(millis(claim.now - claim.repeat))));
    let is_over = alerts::closed_at.is_not_null().and(alerts::told_at.is_not_null());
    let due: Option<String> = alerts::table
        .filter(alerts::channel.eq(channel))
        .filter(stands.or(is_over))
        .select(alerts::subject)
        .first(conn)
        .optional()?;
    Ok(due.is_some())
}

/// The channel first: of two senders that come at once, one finds it taken.
fn claim_due(conn: &mut AnyConnection, claim: &Claim) -> Result<Option<Batch>, Failure> {
    let (channel, now) = (claim.channel.code(), millis(claim.now));
    let free = alert_channels::table
        .filter(alert_channels::channel.eq(channel))
        .filter(alert_channels::next_try.le(now))
        .filter(alert_channels::claimed_until.is_null().or(alert_channels::claimed_until.le(now)));
    let taken = diesel::update(free)
        .set((
            alert_channels::batch.eq(claim.batch.clone()),
            alert_channels::claimed_until.eq(millis(claim.now + claim.lease)),
        ))
        .execute(conn)?;
    if taken == 0 {
        return Ok(None);
    }
    let own = || alerts::channel.eq(channel);
    let again = alerts::told_at.is_null().or(alerts::told_at.le(millis(claim.now - claim.repeat)));
    diesel::update(alerts::table.filter(own()).filter(alerts::closed_at.is_null()).filter(again))
        .set(alerts::batch.eq(claim.batch.clone()))
        .execute(conn)?;
    let heard = alerts::closed_at.is_not_null().and(alerts::told_at.is_not_null());
    diesel::update(alerts::table.filter(own()).filter(heard))
        .set(alerts::batch.eq(over(&claim.batch)))
        .execute(conn)?;
    let (open, open_count) = half(conn, &claim.batch, claim.shown)?;
    let (ended, ended_count) = half(conn, &over(&claim.batch), claim.shown)?;
    if open_count == 0 && ended_count == 0 {
        release(conn, claim.channel, &claim.batch)?;
        return Ok(None);
    }
    Ok(Some(Batch { open, open_count, ended, ended_count }))
}

/// The first of a batch, new ones first, and how many there are.
fn half(conn: &mut AnyConnection, batch: &str, shown: u32) -> Result<(Vec<Alert>, u64), Failure> {
    let of_batch = || alerts::table.filter(alerts::batch.eq(batch.to_owned()));
    let rows: Vec<AlertRow> = of_batch()
        .order((alerts::times, alerts::since, alerts::subject))
        .limit(i64::from(shown))
        .select(AlertRow::as_select())
        .load(conn)?;
    let count: i64 = of_batch().count().get_result(conn)?;
    let shown = rows.into_iter().map(AlertRow::into_alert).collect::<Result<_, _>>()?;
    Ok((shown, u64::try_from(count).unwrap_or_default()))
}

fn release(conn: &mut AnyConnection, channel: Channel, batch: &str) -> Result<(), Failure> {
    let own = alert_channels::table
        .filter(alert_channels::channel.eq(channel.code()))
        .filter(alert_channels::batch.eq(batch.to_owned()));
    diesel::update(own)
        .set((
            alert_channels::batch.eq(None::<String>),
            alert_channels::claimed_until.eq(None::<i64>),
        ))
        .execute(conn)?;
    Ok(())
}

fn told(
    conn: &mut AnyConnection,
    channel: Channel,
    batch: &str,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let at = millis(now);
    let none = None::<String>;
    diesel::update(alerts::table.filter(alerts::batch.eq(batch.to_owned())))
        .set((
            alerts::told_at.eq(at),
            alerts::times.eq(alerts::times + 1),
            alerts::batch.eq(none.clone()),
        ))
        .execute(conn)?;
    let ended = || alerts::table.filter(alerts::batch.eq(over(batch)));
    diesel::delete(ended().filter(alerts::closed_at.is_not_null())).execute(conn)?;
    // What began again while its end was being told is news.
    diesel::update(ended())
        .set((alerts::told_at.eq(None::<i64>), alerts::times.eq(0), alerts::batch.eq(none)))
        .execute(conn)?;
    let own = alert_channels::table.filter(alert_channels::channel.eq(channel.code()));
    diesel::update(own)
        .set((
            alert_channels::failures.eq(0),
            alert_channels::next_try.eq(0),
            alert_channels::last_told_at.eq(at),
            alert_channels::last_error.eq(None::<String>),
        ))
        .execute(conn)?;
    release(conn, channel, batch)
}

fn not_told(
    conn: &mut AnyConnection,
    channel: Channel,
    batch: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let own = || {
        alert_channels::table
            .filter(alert_channels::channel.eq(channel.code()))
            .filter(alert_channels::batch.eq(batch.to_owned()))
    };
    let failures: Option<i64> = own().select(alert_channels::failures).first(conn).optional()?;
    let Some(failures) = failures.map(|failures| failures.saturating_add(1)) else {
        // The claim ran out and another sender has it.
        return Ok(());
    };
    let pause = pause_after(u32::try_from(failures).unwrap_or(u32::MAX));
    diesel::update(own())
        .set((
            alert_channels::failures.eq(failures),
            alert_channels::next_try.eq(millis(now + pause)),
            alert_channels::last_error.eq(why.to_owned()),
        ))
        .execute(conn)?;
    release(conn, channel, batch)
}

/// Every topic has a row for every channel; one of them is enough to count it.
fn standing(conn: &mut AnyConnection) -> Result<Vec<(AlertKind, i64)>, Failure> {
    let counted: Vec<(String, i64)> = alerts::table
        .filter(alerts::channel.eq(Channel::Log.code()))
        .filter(alerts::closed_at.is_null())
        .group_by(alerts::kind)
        .select((alerts::kind, diesel::dsl::count_star()))
        .load(conn)?;
    let of = |kind: AlertKind| {
        counted.iter().find(|(code, _)| code == kind.code()).map_or(0, |(_, count)| *count)
    };
    Ok(AlertKind::ALL.map(|kind| (kind, of(kind))).to_vec())
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = alert_channels)]
struct ChannelRow {
    channel: String,
    failures: i64,
    last_told_at: Option<i64>,
    last_error: Option<String>,
}

fn channel_states(conn: &mut AnyConnection) -> Result<Vec<ChannelState>, Failure> {
    let rows: Vec<ChannelRow> = alert_channels::table
        .order(alert_channels::channel)
        .select(ChannelRow::as_select())
        .load(conn)?;
    let read = |channel: ChannelRow| {
        let row = Row { table: "alert_channels", key: &channel.channel };
        Ok(ChannelState {
            channel: row.read("channel", Channel::from_code(&channel.channel))?,
            last_told_at: row.optional_time("last_told_at", channel.last_told_at)?,
            failures: row.count("failures", channel.failures)?,
            last_error: channel.last_error.clone(),
        })
    };
    Ok(rows.into_iter().map(read).collect::<Result<_, StoreError>>()?)
}
