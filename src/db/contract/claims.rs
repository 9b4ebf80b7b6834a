//! Clicks: one open key, one attempt.

use super::*;
use crate::ports::store::StoreError;

fn keyed(n: u128) -> Attempt {
    Attempt { open_key: Some("key".to_owned()), ..attempt(n) }
}

pub(super) async fn a_second_click_finds_the_attempt_of_the_first(world: World) {
    let first = world.created(keyed(1)).await;
    assert_eq!(first, keyed(1));
    let second = world.store.claim(&keyed(2), at(180)).await.unwrap();
    assert_eq!(second, Claim::Existing(first));
    assert_eq!(world.store.ledger(keyed(2).id).await.unwrap(), None);
    let other = Attempt { open_key: Some("other key".to_owned()), ..attempt(3) };
    world.created(other).await;
}

pub(super) async fn an_attempt_is_reused_only_while_it_is_of_use(world: World) {
    use State as S;
    let enough = Some(opened(1, at(180)));
    let too_short = Some(opened(1, at(179)));
    let cases = [
        (S::Opening, None, true),
        (S::AwaitingPayment, enough.clone(), true),
        (S::AwaitingPayment, too_short.clone(), false),
        (S::Confirming, too_short, true),
        (S::Settled, enough.clone(), false),
        (S::Recorded, enough.clone(), false),
        (S::Expired, enough.clone(), false),
        (S::Refused, enough, false),
    ];
    for (n, (state, opened, usable)) in (0_u128..).zip(cases) {
        let key = Some(format!("key {n}"));
        let opened = opened.map(|it| Opened { invoice: invoice_id(n), ..it });
        let old = Attempt { state, opened, open_key: key.clone(), ..attempt(2 * n) };
        let old = world.created(old).await;
        let new = Attempt { open_key: key, ..attempt(2 * n + 1) };
        let claim = world.store.claim(&new, at(180)).await.unwrap();
        if usable {
            assert_eq!(claim, Claim::Existing(old), "{state:?}");
        } else {
            assert_eq!(claim, Claim::Created(new), "{state:?}");
            assert_eq!(world.attempt(old.id).await.open_key, None);
        }
    }
}

pub(super) async fn the_older_holder_cannot_write_its_key_back(world: World) {
    let expired = Attempt { state: State::Expired, ..keyed(1) };
    let held = world.created(expired).await;
    world.created(keyed(2)).await;
    assert!(!world.store.apply(&Change::of(held.clone())).await.unwrap());
    assert_eq!(world.attempt(held.id).await.open_key, None);
}

pub(super) async fn attempts_without_a_key_never_meet(world: World) {
    world.created(attempt(1)).await;
    world.created(attempt(2)).await;
}

pub(super) async fn two_attempts_never_share_a_hook(world: World) {
    world.created(attempt(1)).await;
    let same_hook = Attempt { hook: Hook::new(1), ..keyed(2) };
    let same_token = Attempt { result_token: ResultToken::new(1), ..keyed(3) };
    for twin in [same_hook, same_token] {
        let error = world.store.claim(&twin, at(0)).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
}
