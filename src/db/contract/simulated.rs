//! The stories that go through the port alone, on the disk of the simulated world (docs/adr/0005).
//!
//! **Invariant:** that disk must not be kinder than the real ones, or the simulation proves nothing.

macro_rules! stories {
    ($($story:ident: [$($test:ident),* $(,)?])*) => {
        $($(
            #[tokio::test]
            async fn $test() {
                super::$story::$test(super::World::new(super::Kind::Simulated).await).await;
            }
        )*)*
    };
}

stories! {
    opening: [what_was_committed_is_there_after_a_restart]
    connections: [
        a_connection_reads_back_with_its_secrets,
        a_connection_that_becomes_active_retires_the_others,
        a_connection_that_is_not_there_cannot_be_changed,
        secrets_are_erased_when_the_last_attempt_is_over,
    ]
    claims: [
        a_second_click_finds_the_attempt_of_the_first,
        an_attempt_is_reused_only_while_it_is_of_use,
        the_older_holder_cannot_write_its_key_back,
        attempts_without_a_key_never_meet,
        two_attempts_never_share_a_hook,
    ]
    steps: [
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
    hints: [
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
    leases: [
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
    people: [
        attempts_are_listed_newest_first,
        the_list_is_filtered,
        one_text_finds_an_attempt_by_each_of_its_names,
        open_reviews_are_counted_by_attempt,
        the_figures_count_what_is_there,
        opened_attempts_are_read_page_by_page,
        the_last_good_value_is_remembered,
    ]
}
