//! Whether Splynx answers, and is set up for payments.

use super::{Checks, Verdict, permissions, remedy};
use crate::cli::currency::{Answer, compare};
use crate::cli::entry_points::{hidden, missing, shipped};
use crate::cli::wiring::{MODULE, World};
use crate::config::{Config, module_settings};

/// Checks the way to Splynx, and what payments need there.
pub(super) async fn check(world: &World, config: &Config, checks: &mut Checks) {
    match world.splynx.check().await {
        Ok(check) if check.good => checks.good("Splynx API", check.message),
        Ok(check) => {
            checks.bad("Splynx API", check.message, "check [splynx] api_key and api_secret");
        }
        Err(error) => {
            let remedy = remedy::splynx(&error);
            return checks.splynx_failed("Splynx API", Verdict::Bad, &error, remedy);
        }
    }
    module_settings(world, config, checks).await;
    permissions::check(world, checks).await;
    entry_points(world, checks).await;
    match world.splynx.filter_works().await {
        Ok(true) => checks.good("Splynx search", "a key that does not exist finds nothing"),
        Ok(false) => checks.warn(
            "Splynx search",
            "the filter by receipt number is ignored",
            "payments are searched page by page, which is slow but safe",
        ),
        Err(error) => {
            checks.splynx_failed("Splynx search", Verdict::Bad, &error, "allow Payments[index]");
        }
    }
    payment_method(world, checks).await;
    fee_category(world, checks).await;
    currency(world, checks).await;
}

/// What `serve` will take over at its start, so that all other checks are about the rules it will follow.
async fn module_settings(world: &World, config: &Config, checks: &mut Checks) {
    // That they may not be read is told with the permissions.
    let Ok(settings) = world.app.billing.module_settings().await else { return };
    let (rules, warnings) = module_settings::overlay(config, &settings);
    for warning in warnings {
        let remedy = "correct it in Config > Integrations > Modules list > Splynx BitPay add-on, or empty it";
        checks.bad("module settings", warning, remedy);
    }
    world.app.set_rules(rules);
}

async fn payment_method(world: &World, checks: &mut Checks) {
    let wanted = world.app.rules().payment_method_id;
    match world.splynx.payment_methods().await {
        Ok(methods) => match methods.iter().find(|method| method.id == wanted) {
            Some(method) if method.active => {
                checks.good("payment method", format!("{wanted} {}", method.name));
            }
            Some(method) => {
                let found = format!("{wanted} {} is not active", method.name);
                checks.bad(
                    "payment method",
                    found,
                    "activate it in Config > Finance > Payment methods",
                );
            }
            None => {
                let found = format!("there is no payment method {wanted}");
                checks.bad("payment method", found, "set [payments] payment_method_id");
            }
        },
        Err(error) => {
            let remedy = "allow PaymentMethods[index]";
            checks.splynx_failed("payment method", Verdict::Warning, &error, remedy);
        }
    }
}

async fn currency(world: &World, checks: &mut Checks) {
    let ours = world.app.rules().currency;
    match compare(&world.splynx, ours).await {
        Ok(Answer::Same) => checks.good("currency", ours.code()),
        Ok(Answer::Different(difference)) => {
            checks.bad("currency", difference.sentence(), &difference.remedy());
        }
        Ok(Answer::Untold) => {
            checks.good("currency", format!("{ours}; Splynx does not tell its own"));
        }
        Err(error) => {
            checks.splynx_failed("currency", Verdict::Warning, &error, "allow Config[index]");
        }
    }
}

/// A fee on a proforma or a refill becomes a transaction, which carries a category.
async fn fee_category(world: &World, checks: &mut Checks) {
    let fee = &world.app.rules().fee;
    if fee.percent.is_zero() {
        return;
    }
    let wanted = fee.category;
    let all = match world.splynx.transaction_categories().await {
        Ok(all) => all,
        Err(error) => {
            let remedy = "allow TransactionCategories[index]";
            return checks.splynx_failed("fee category", Verdict::Warning, &error, remedy);
        }
    };
    if let Some(category) = all.iter().find(|category| category.id == wanted) {
        return checks.good("fee category", format!("{wanted} {}", category.name));
    }
    let known = all.iter().map(|it| format!("{} {}", it.id, it.name));
    let known = known.collect::<Vec<_>>().join(", ");
    let remedy = format!("set [payments] transaction_fee_category to one of: {known}");
    checks.bad("fee category", format!("there is no transaction category {wanted}"), &remedy);
}

async fn entry_points(world: &World, checks: &mut Checks) {
    // That they may not be read is told with the permissions.
    let Ok(points) = world.splynx.entry_points().await else { return };
    let hidden = hidden(&points);
    if hidden.is_empty() {
        checks.good("entry points", "all that customers and admins click on are there");
    } else {
        let module = if missing(&points).len() == shipped().len() {
            format!("none is there, probably not even the module {MODULE}; ")
        } else {
            String::new()
        };
        checks.warn(
            "entry points",
            format!("{module}missing or switched off: {}", hidden.join(", ")),
            "run `splynx-bitpay install-splynx` on the Splynx server (it adds them, or says what to click), or \
             switch them on in Config > Integrations > Modules list > Edit entry points; without them nobody \
             sees the pages",
        );
    }
}
