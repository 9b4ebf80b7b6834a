//! What a store must do, whichever database it is: one list of tests, run on SQLite and on PostgreSQL.
//!
//! **Invariant:** a story knows no database; it goes through the port, and through [`World`] where the port ends.

mod claims;
mod connections;
mod held;
mod hints;
mod journal;
mod leases;
mod moving;
mod opening;
mod people;
mod races;
mod samples;
mod steps;
mod telling;
mod threads;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use rust_decimal::Decimal;
use secrecy::SecretString;
use tempfile::TempDir;

use super::{
    AnyConnection, DatabaseUrl, Db, Migrations, Missing, OpenError, Options, Role, SealKey,
};
use crate::domain::actor::Actor;
use crate::domain::attempt::{Attempt, Opened, State, Terms};
use crate::domain::connection::{
    Connection, ConnectionSecrets, ConnectionStatus, Environment, ProcessorKind,
};
use crate::domain::credit::{Credit, Target, credit_key};
use crate::domain::ids::{
    AttemptId, CustomerId, DocumentNumber, Hook, ProcessorInvoiceId, ResultToken,
};
use crate::domain::money::{Currency, Money};
use crate::domain::payable::{DocumentKind, DocumentRef, Payable};
use crate::domain::posting::{Posting, PostingKind, PostingState};
use crate::domain::review::{Review, ReviewReason};
use crate::ports::clock::Clock;
use crate::ports::entropy::SystemEntropy;
use crate::ports::store::{Change, Claim, Ledger, Store};
use crate::sim::postgres::{Database, Server};
use crate::sim::simulate::disk::DiskPort;

use held::Held;
use samples::*;

/// Stories `everywhere` go through the port alone and are played on the disk of the simulated world (docs/adr/0005) as
/// well: that disk must not be kinder than the real ones, or the simulation proves nothing. The others need a database.
macro_rules! contract {
    ($($story:ident: {
        $(everywhere [$($shared:ident),* $(,)?])?
        $(databases [$($own:ident),* $(,)?])?
    })*) => {
        mod sqlite {
            $($(played! { $story on Sqlite: $($shared)* })? $(played! { $story on Sqlite: $($own)* })?)*
        }
        mod postgresql {
            $($(played! { $story on Postgresql: $($shared)* })? $(played! { $story on Postgresql: $($own)* })?)*
        }
        mod simulated {
            $($(played! { $story on Simulated: $($shared)* })?)*
        }
    };
}

macro_rules! played {
    ($story:ident on $kind:ident: $($test:ident)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                super::$story::$test(super::World::new(super::Kind::$kind).await).await;
            }
        )*
    };
}

contract! {
    opening: {
        everywhere [what_was_committed_is_there_after_a_restart]
        databases [
            a_database_sealed_with_another_key_is_refused,
            processes_that_open_a_new_database_at_once_all_succeed,
            migrations_that_must_be_done_are_named_and_not_run,
            who_may_only_make_a_new_database_leaves_an_older_one_alone,
            the_schema_is_what_the_queries_believe,
            a_value_that_cannot_be_is_named_by_its_place,
            a_hook_that_a_constraint_names_is_not_told,
        ]
    }
    connections: {
        everywhere [
            a_connection_reads_back_with_its_secrets,
            a_connection_that_becomes_active_retires_the_others,
            a_connection_that_is_not_there_cannot_be_changed,
            secrets_are_erased_when_the_last_attempt_is_over,
        ]
        databases [
            secrets_are_stored_only_sealed,
            sealed_secrets_cannot_be_moved_to_another_connection,
            what_is_erased_stays_erased,
        ]
    }
    claims: {
        everywhere [
            a_second_click_finds_the_attempt_of_the_first,
            an_attempt_is_reused_only_while_it_is_of_use,
            the_older_holder_cannot_write_its_key_back,
            attempts_without_a_key_never_meet,
            two_attempts_never_share_a_hook,
        ]
    }
    steps: {
        everywhere [
            a_step_from_an_old_version_changes_nothing,
            every_attempt_reads_back_as_it_was_written,
            every_posting_reads_back_as_it_was_written,
            credits_and_postings_are_changed_by_their_names,
            a_credit_key_exists_once,
            a_tranche_exists_once,
            a_credit_has_one_living_posting_of_a_kind,
            a_processor_invoice_belongs_to_one_attempt,
            a_refused_step_leaves_no_trace,
            a_step_that_mixes_currencies_is_refused,
            one_review_of_a_reason_is_open_at_a_time,
            every_review_reads_back_as_it_was_written,
        ]
    }
    hints: {
        everywhere [
            a_hint_for_an_unknown_hook_stores_nothing,
            a_hint_brings_the_next_look_forward_once,
            a_hint_never_delays_a_look_that_is_due_earlier,
            hints_bring_looks_no_closer_than_their_gap,
            a_hint_after_the_clock_was_set_back_is_not_kept_waiting,
            a_hint_after_the_claim_survives_the_step,
            a_hint_wakes_an_attempt_that_is_no_longer_watched,
            waking_makes_look_and_work_due,
            waking_ends_the_waiting_of_postings_and_changes_no_state,
        ]
        databases [
            a_hint_while_only_work_is_done_survives_the_step,
            a_served_hint_does_not_wake_again,
        ]
    }
    leases: {
        everywhere [
            the_looks_that_are_due_are_leased_oldest_first,
            the_oldest_money_is_worked_on_first,
            one_customers_money_is_worked_on_one_after_the_other,
            money_that_waits_for_a_person_holds_up_no_other,
            a_look_holds_up_a_customers_work_only_where_there_is_work_at_it,
            a_customer_with_many_payments_keeps_no_other_waiting,
            a_leased_attempt_is_not_leased_again,
            an_owner_whose_lease_ran_out_cannot_write,
            a_released_attempt_is_free_at_once,
            the_next_due_moment_respects_leases,
            what_a_wrong_clock_planned_far_ahead_is_due,
            what_a_wrong_clock_holds_is_free,
            all_leases_end_together,
        ]
        databases [
            what_is_due_is_found_by_an_index,
            a_look_is_counted_and_mere_work_is_not,
            a_row_that_cannot_be_read_stops_no_other,
        ]
    }
    people: {
        everywhere [
            attempts_are_listed_newest_first,
            the_list_is_filtered,
            one_text_finds_an_attempt_by_each_of_its_names,
            open_reviews_are_counted_by_attempt,
            the_figures_count_what_is_there,
            opened_attempts_are_read_page_by_page,
            the_last_good_value_is_remembered,
        ]
        databases [nonces_only_rise]
    }
    journal: {
        databases [
            every_step_is_written_down_with_who_and_what,
            what_changes_nothing_visible_writes_no_row,
            what_was_refused_is_not_written_down,
            what_people_do_is_written_down_under_their_name,
            a_step_that_ends_a_review_twice_is_refused_as_a_whole,
            connections_that_end_are_written_down,
            an_edited_row_is_found,
            a_missing_row_is_found,
            rows_in_another_order_are_found,
            an_inserted_row_is_found,
            a_tail_that_was_cut_off_is_found,
            an_end_that_was_moved_back_is_found,
            a_broken_chain_stops_nobody_and_stays_visible,
            another_key_finds_every_row_foreign,
            processes_that_write_at_once_make_one_chain,
            a_long_journal_is_verified_page_by_page,
            what_a_person_closed_is_not_opened_again_by_the_same_words,
        ]
    }
    races: {
        databases [
            simultaneous_clicks_get_one_attempt,
            of_simultaneous_steps_one_wins,
            two_processes_never_lease_one_attempt,
            simultaneous_hints_are_stored_once,
            a_hint_is_never_lost_to_a_step,
            nonces_of_two_processes_never_meet,
            simultaneous_activations_leave_one_active,
            values_remembered_at_once_do_not_clash,
        ]
    }
    telling: {
        databases [
            a_review_is_told_once_and_again_after_a_day,
            the_end_is_told_once_to_whom_the_beginning_was_told,
            what_fails_is_told_later_and_loses_nothing,
            many_topics_are_one_batch_with_a_count,
            of_two_senders_one_tells,
            what_ends_and_begins_again_before_it_is_told_goes_on,
            only_what_is_named_stays_when_a_kind_ends,
            late_money_and_duplicates_are_taken_up_and_end_by_themselves,
            a_day_has_one_proof_and_the_latest_wins,
            an_attempt_is_found_by_the_key_of_its_credit,
        ]
    }
    moving: {
        databases [
            no_table_and_no_column_is_forgotten,
            everything_is_moved_there_and_back,
            of_the_two_databases_only_the_new_one_can_be_used,
            a_move_that_was_cut_off_is_done_again_and_a_whole_one_is_not,
            nothing_is_written_over,
            a_wrong_key_moves_nothing,
            a_database_that_is_open_elsewhere_is_not_moved,
            a_copy_that_differs_is_no_move,
            a_broken_journal_stays_broken,
        ]
    }
    threads: {
        databases [
            one_failing_job_does_not_spoil_the_group,
            a_panicking_job_does_not_spoil_the_group,
            a_swallowed_error_is_not_mistaken_for_a_commit,
            a_reader_cannot_write,
            a_panicking_reader_goes_on,
            dropping_the_database_ends_the_queued_jobs_first,
        ]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgresql,
    Simulated,
}

#[derive(Debug)]
enum Place {
    Sqlite(TempDir),
    Postgresql(Database),
    /// The disk of the simulated world (docs/adr/0005): it must not be kinder than the real ones.
    Simulated,
}

/// A database of its own, open once.
#[derive(Debug)]
struct World {
    // Closed before its place goes.
    store: Held,
    clock: Arc<TestClock>,
    place: Place,
}

/// A clock that stands until it is told otherwise.
#[derive(Debug)]
struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap() = now;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Place {
    fn new(kind: Kind) -> Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        match kind {
            Kind::Simulated => Self::Simulated,
            Kind::Sqlite => Self::Sqlite(TempDir::new().unwrap()),
            Kind::Postgresql => {
                let server = SERVER.get_or_init(|| Server::start().unwrap());
                Self::Postgresql(server.fresh_database().unwrap())
            }
        }
    }

    fn url(&self) -> DatabaseUrl {
        let text = match self {
            Self::Sqlite(folder) => format!("sqlite://{}/test.db", folder.path().display()),
            Self::Postgresql(database) => database.url(),
            Self::Simulated => unreachable!("the simulated disk is reached through its port alone"),
        };
        DatabaseUrl::parse(&text).unwrap()
    }

    fn options(&self, clock: &Arc<TestClock>) -> Options {
        Options {
            url: self.url(),
            seal_key: SealKey::from_bytes([1; 32]),
            migrations: Migrations::Run,
            clock: Arc::<TestClock>::clone(clock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl World {
    async fn new(kind: Kind) -> Self {
        let place = Place::new(kind);
        let clock = Arc::new(TestClock(Mutex::new(at(0))));
        let store = match kind {
            Kind::Simulated => Held::Simulated(DiskPort::alone(Arc::<TestClock>::clone(&clock))),
            _ => Held::Db(Db::open(place.options(&clock)).await.unwrap()),
        };
        store.add_connection(&connection(1), &Actor::Worker).await.unwrap();
        Self { store, clock, place }
    }

    /// The database itself, where a story goes past the port.
    fn db(&self) -> &Db {
        match &self.store {
            Held::Db(db) => db,
            Held::Simulated(_) => unreachable!("this story is not played on the simulated disk"),
        }
    }

    fn options(&self) -> Options {
        self.place.options(&self.clock)
    }

    /// Opens the database once more, as another process would.
    async fn second(&self) -> Db {
        Db::open(self.options()).await.unwrap()
    }

    async fn reopen(self) -> Self {
        let Self { store, clock, place } = self;
        if matches!(store, Held::Simulated(_)) {
            return Self { store, clock, place };
        }
        drop(store);
        let store = Held::Db(Db::open(place.options(&clock)).await.unwrap());
        Self { store, clock, place }
    }

    /// Runs statements past the store.
    fn execute(&self, statements: &str) {
        match &self.place {
            Place::Postgresql(database) => database.run(statements).unwrap(),
            Place::Simulated => unreachable!("the simulated disk knows no SQL"),
            Place::Sqlite(_) => {
                AnyConnection::open(&self.place.url(), Role::Writer, Missing::Refuse)
                    .unwrap()
                    .batch_execute(statements)
                    .unwrap();
            }
        }
    }

    async fn created(&self, attempt: Attempt) -> Attempt {
        created(&*self.store, attempt).await
    }

    async fn ledger(&self, id: AttemptId) -> Ledger {
        self.store.ledger(id).await.unwrap().unwrap()
    }

    async fn attempt(&self, id: AttemptId) -> Attempt {
        self.ledger(id).await.attempt
    }

    /// Applies a step and returns the ledger after it.
    async fn applied(&self, change: Change) -> Ledger {
        assert!(self.store.apply(&change).await.unwrap());
        self.ledger(change.attempt.id).await
    }
}

async fn created(store: &dyn Store, attempt: Attempt) -> Attempt {
    match store.claim(&attempt, at(0)).await.unwrap() {
        Claim::Created(attempt) => attempt,
        Claim::Existing(other) => panic!("{} stands in the way of {}", other.id, attempt.id),
    }
}
