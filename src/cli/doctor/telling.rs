//! Whether a person is told of what they must look at.
//!
//! **Invariant:** without `--test-alert` nobody is sent anything; that telling works is then shown by what got through
//! last.

use super::{Checks, remedy};
use crate::app::alerts::test_message;
use crate::cli::wiring::{self, World};
use crate::config::Config;
use crate::domain::alert::{Channel, ChannelState};
use crate::ports::PeerError;
use crate::ports::notifier::Notifier;
use crate::splynx::Mailer;

/// The name in the list.
const NAME: &str = "telling a person";

/// What to do while nobody is told.
const NOBODY: &str =
    "set alerts.mail_to or alerts.webhook_url in the configuration, then run `doctor --test-alert`";

/// What to do about a channel that was never used.
const TRY: &str = "`splynx-bitpay doctor --test-alert` sends a test message";

/// Looks at every configured way, and tries it if that is wanted.
pub(super) async fn check(world: &World, config: &Config, test: bool, checks: &mut Checks) {
    if !config.alerts.reach_somebody() {
        return checks.warn(
            NAME,
            "nobody is told: what a person must look at stands in the log only",
            NOBODY,
        );
    }
    let notifiers = match wiring::notifiers(config, world) {
        Ok(notifiers) => notifiers,
        Err(error) => {
            return checks.bad(
                NAME,
                format!("{error:#}"),
                "correct alerts.webhook_url in the configuration",
            );
        }
    };
    let states = world.app.store.channel_states().await.unwrap_or_default();
    for notifier in &notifiers {
        if test {
            try_out(world, notifier.as_ref(), checks).await;
        } else {
            let state = states.iter().find(|state| state.channel == notifier.channel());
            look(world, config, notifier.as_ref(), state, checks).await;
        }
    }
}

async fn try_out(world: &World, notifier: &dyn Notifier, checks: &mut Checks) {
    let message = test_message(&world.app.settings.public_url, world.app.clock.now());
    let to = notifier.destination();
    match notifier.tell(&message).await {
        Ok(()) => checks.good(NAME, format!("{to}: a test message was taken; see that it arrives")),
        Err(error) => checks.bad(NAME, format!("{to}: {error}"), advice(notifier.channel())),
    }
}

async fn look(
    world: &World,
    config: &Config,
    notifier: &dyn Notifier,
    state: Option<&ChannelState>,
    checks: &mut Checks,
) {
    let to = notifier.destination();
    if let Some(state) = state.filter(|state| state.failures > 0) {
        let why = state.last_error.as_deref().unwrap_or_default();
        let found = format!("{to}: the last {} tries failed: {why}", state.failures);
        return checks.bad(NAME, found, advice(notifier.channel()));
    }
    if notifier.channel() == Channel::Mail
        && let Some(address) = &config.alerts.mail_to
        && let Err(error) =
            Mailer::new(world.splynx.clone(), address.clone()).may_read_queue().await
    {
        let remedy = match error {
            PeerError::Refused { .. } => advice(Channel::Mail),
            ref other => remedy::splynx(other),
        };
        return checks.warn(NAME, format!("{to}: {error}"), remedy);
    }
    if let Some(at) = state.and_then(|state| state.last_told_at) {
        let day = at.format("%Y-%m-%d %H:%M UTC");
        checks.good(NAME, format!("{to}: the last message was taken {day}"));
    } else {
        let found = format!("{to}: nothing has been told yet");
        checks.add(NAME, super::Verdict::Good, found, TRY);
    }
}

fn advice(channel: Channel) -> &'static str {
    match channel {
        Channel::Mail => {
            r"Administration > API keys > Permissions: allow api\admin\config\Mail [index, add]; and look at Config > Main > Email"
        }
        Channel::Webhook | Channel::Log => "correct alerts.webhook_url, or bring its service back",
    }
}
