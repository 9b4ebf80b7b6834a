//! Lists, figures, remembered values and nonces.

use super::*;
use crate::domain::review::ReviewClosed;
use crate::ports::billing::Nonces as _;
use crate::ports::store::{AttemptFilter, Figures};

fn all() -> AttemptFilter {
    AttemptFilter { limit: 100, ..AttemptFilter::default() }
}

async fn listed(world: &World, filter: AttemptFilter) -> Vec<AttemptId> {
    let attempts = world.store.list(&filter).await.unwrap();
    attempts.into_iter().map(|attempt| attempt.id).collect()
}

pub(super) async fn attempts_are_listed_newest_first(world: World) {
    for (n, created) in [(1, 20), (2, 30), (3, 10), (4, 30)] {
        world.created(Attempt { created_at: at(created), ..attempt(n) }).await;
    }
    let id = |n| attempt(n).id;
    assert_eq!(listed(&world, all()).await, [id(4), id(2), id(1), id(3)]);
    let page = AttemptFilter { limit: 2, offset: 1, ..all() };
    assert_eq!(listed(&world, page).await, [id(2), id(1)]);
    assert_eq!(listed(&world, AttemptFilter::default()).await, []);
}

pub(super) async fn the_list_is_filtered(world: World) {
    let customer = Attempt { customer: CustomerId::new(8), ..attempt(1) };
    let state = Attempt { state: State::Refused, ..attempt(2) };
    let number = DocumentNumber::parse("INV/2'3").unwrap();
    let number = DocumentRef { number, ..document(DocumentKind::ProformaInvoice) };
    let number = Attempt { payable: Payable::Document(number), ..attempt(3) };
    let invoice = Attempt { opened: Some(opened(4, at(9))), ..attempt(4) };
    // 22:13:20 is when the tests begin: the next day begins 6400 seconds later.
    let day = Attempt { created_at: at(6400), ..attempt(5) };
    for attempt in [customer, state, number, invoice, day, attempt(6)] {
        world.created(attempt).await;
    }
    let reviewed = world.attempt(attempt(6).id).await;
    let review = review(1, &reviewed, ReviewReason::Refused);
    world.applied(Change { reviews: vec![review.clone()], ..Change::of(reviewed) }).await;

    let id = |n| attempt(n).id;
    let only = |filter| listed(&world, filter);
    let tomorrow = at(6400).date_naive();
    assert_eq!(only(AttemptFilter { customer: Some(CustomerId::new(8)), ..all() }).await, [id(1)]);
    assert_eq!(only(AttemptFilter { state: Some(State::Refused), ..all() }).await, [id(2)]);
    let number = Some("INV/2'3".to_owned());
    assert_eq!(only(AttemptFilter { document: number, ..all() }).await, [id(3)]);
    assert_eq!(only(AttemptFilter { invoice: Some(invoice_id(4)), ..all() }).await, [id(4)]);
    assert_eq!(only(AttemptFilter { day: Some(tomorrow), ..all() }).await, [id(5)]);
    assert_eq!(only(AttemptFilter { day: tomorrow.pred_opt(), ..all() }).await.len(), 5);
    assert_eq!(only(AttemptFilter { under_review: true, ..all() }).await, [id(6)]);
    let both = AttemptFilter { state: Some(State::Refused), day: Some(tomorrow), ..all() };
    assert_eq!(only(both).await, []);

    let closed = ReviewClosed { at: at(9), by: "Admin".to_owned(), note: String::new() };
    assert!(world.store.close_review(review.id, &closed).await.unwrap());
    assert_eq!(only(AttemptFilter { under_review: true, ..all() }).await, []);
}

pub(super) async fn one_text_finds_an_attempt_by_each_of_its_names(world: World) {
    let number = |number: &str| {
        let number = DocumentNumber::parse(number).unwrap();
        Payable::Document(DocumentRef { number, ..document(DocumentKind::Invoice) })
    };
    let customer = Attempt { customer: CustomerId::new(42), payable: Payable::TopUp, ..attempt(1) };
    let document = Attempt { payable: number("42"), ..attempt(2) };
    let invoice = Attempt { opened: Some(opened(4, at(9))), state: State::Expired, ..attempt(3) };
    for attempt in [customer, document, invoice] {
        world.created(attempt).await;
    }
    let id = |n| attempt(n).id;
    let about = |text: &str| AttemptFilter { about: Some(text.to_owned()), ..all() };
    assert_eq!(listed(&world, about("42")).await, [id(2), id(1)]);
    assert_eq!(listed(&world, about("invoice4")).await, [id(3)]);
    let own = id(3).to_string();
    assert_eq!(listed(&world, about(&own)).await, [id(3)]);
    assert_eq!(listed(&world, about(&own.to_lowercase())).await, [id(3)]);
    for stranger in ["", "4", "%", "42' OR '1'='1", "invoice", "99999999999999999999"] {
        assert_eq!(listed(&world, about(stranger)).await, [], "{stranger}");
    }
    let other = AttemptFilter { state: Some(State::Refused), ..about("42") };
    assert_eq!(listed(&world, other).await, [], "the other wishes hold as well");
}

pub(super) async fn open_reviews_are_counted_by_attempt(world: World) {
    let id = |n| attempt(n).id;
    for n in [1, 2, 3] {
        world.created(attempt(n)).await;
    }
    for (n, at, reason) in [
        (1, 1, ReviewReason::Refused),
        (2, 1, ReviewReason::Duplicate),
        (3, 2, ReviewReason::Refused),
    ] {
        let attempt = world.attempt(id(at)).await;
        let reviews = vec![review(n, &attempt, reason)];
        world.applied(Change { reviews, ..Change::of(attempt) }).await;
    }
    let mut counts = world.store.open_reviews(&[id(1), id(2), id(3)]).await.unwrap();
    counts.sort();
    assert_eq!(counts, [(id(1), 2), (id(2), 1)]);
    assert_eq!(world.store.open_reviews(&[id(2)]).await.unwrap(), [(id(2), 1)]);
    assert_eq!(world.store.open_reviews(&[]).await.unwrap(), []);

    let closed = ReviewClosed { at: at(9), by: "Admin".to_owned(), note: String::new() };
    let open = world.store.reviews(id(2)).await.unwrap();
    assert!(world.store.close_review(open[0].id, &closed).await.unwrap());
    assert_eq!(world.store.open_reviews(&[id(2)]).await.unwrap(), []);
}

fn count<T: PartialEq>(counts: &[(T, i64)], of: &T) -> i64 {
    counts.iter().find(|(what, _)| what == of).unwrap().1
}

pub(super) async fn the_figures_count_what_is_there(world: World) {
    let nothing = world.store.figures().await.unwrap();
    assert_eq!(nothing.attempts, State::ALL.map(|state| (state, 0)));
    assert_eq!(nothing.reviews, ReviewReason::ALL.map(|reason| (reason, 0)));
    assert_eq!((nothing.oldest_open_credit, nothing.unknown_postings), (None, 0));

    world.created(Attempt { state: State::Expired, ..attempt(2) }).await;
    let attempt = world.created(Attempt { state: State::Settled, ..attempt(1) }).await;
    let credit = credit(&attempt, 1, 1);
    world.clock.set(at(50));
    let change = Change {
        credits: vec![credit.clone()],
        reviews: vec![review(1, &attempt, ReviewReason::Duplicate)],
        ..Change::of(attempt)
    };
    let ledger = world.applied(change).await;
    let figures = world.store.figures().await.unwrap();
    assert_eq!(count(&figures.attempts, &State::Settled), 1);
    assert_eq!(count(&figures.attempts, &State::Expired), 1);
    assert_eq!(count(&figures.reviews, &ReviewReason::Duplicate), 1);
    assert_eq!(figures.oldest_open_credit, Some(at(50)), "its target is not decided");

    world.clock.set(at(90));
    let payment = posting(1, &credit, PostingKind::DocumentPayment);
    let unknown = PostingState::Unknown { begun_at: at(60), first_absent: None, search_at: at(70) };
    let change = Change {
        credits: vec![Credit { target: Target::Document, ..credit }],
        postings: vec![Posting { state: unknown, ..payment.clone() }],
        ..Change::of(ledger.attempt)
    };
    let ledger = world.applied(change).await;
    let figures = world.store.figures().await.unwrap();
    assert_eq!((figures.oldest_open_credit, figures.unknown_postings), (Some(at(50)), 1));

    let posted = Posting { state: PostingState::Posted { splynx_id: None }, ..payment };
    let status = posting(2, &ledger.credits[0], PostingKind::DocumentStatus);
    let change = Change { postings: vec![posted, status], ..Change::of(ledger.attempt) };
    world.applied(change).await;
    let figures: Figures = world.store.figures().await.unwrap();
    assert_eq!((figures.oldest_open_credit, figures.unknown_postings), (None, 0));
}

pub(super) async fn opened_attempts_are_read_page_by_page(world: World) {
    let created = world.created(attempt(1)).await;
    let unopened = world.created(attempt(2)).await;
    let opened = Attempt {
        state: State::AwaitingPayment,
        opened: Some(Opened {
            invoice: ProcessorInvoiceId::parse("first").unwrap(),
            checkout_url: "https://bitpay.com/invoice?id=first".to_owned(),
            expires_at: at(900),
            opened_at: at(0),
        }),
        ..created
    };
    let id = world.applied(Change::of(opened)).await.attempt.id;
    let page = |offset| world.store.opened_since(at(-1), 10, offset);
    let ids: Vec<_> = page(0).await.unwrap().iter().map(|ledger| ledger.attempt.id).collect();
    assert_eq!(ids, [id]);
    assert_ne!(id, unopened.id);
    assert_eq!(page(1).await.unwrap(), []);
    assert_eq!(world.store.opened_since(at(1_000_000), 10, 0).await.unwrap(), []);
}

pub(super) async fn the_last_good_value_is_remembered(world: World) {
    assert_eq!(world.store.remembered("settings").await.unwrap(), None);
    for value in ["{}", "{\"a\":1}", "{\"a\":1}"] {
        world.store.remember("settings", value).await.unwrap();
        assert_eq!(world.store.remembered("settings").await.unwrap().as_deref(), Some(value));
    }
    // No name reaches the check value of the seal.
    world.store.remember("seal_check", "x").await.unwrap();
    assert_eq!(world.store.remembered("other").await.unwrap(), None);
    world.reopen().await;
}

pub(super) async fn nonces_only_rise(world: World) {
    let next = |key, floor| world.db().next(key, floor);
    assert_eq!(next("key", 100).await.unwrap(), 100);
    assert_eq!(next("key", 100).await.unwrap(), 101);
    assert_eq!(next("key", 50).await.unwrap(), 102);
    assert_eq!(next("key", 500).await.unwrap(), 500);
    assert_eq!(next("other key", 7).await.unwrap(), 7);
    let used_up = next("key", i64::MAX).await.unwrap();
    assert_eq!(used_up, i64::MAX);
    assert!(next("key", 0).await.is_err());
}
