//! The tables as the queries see them: what `migrations/` makes, column by column.
//!
//! **Invariant:** both databases have exactly these columns, in any order; a test asks both of them.

diesel::table! {
    meta (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    nonces (key_id) {
        key_id -> Text,
        last -> BigInt,
    }
}

diesel::table! {
    connections (id) {
        id -> Text,
        processor -> Text,
        environment -> Text,
        base_url -> Text,
        status -> Text,
        sin -> Text,
        secrets -> Nullable<Binary>,
        created_at -> BigInt,
        activated_at -> Nullable<BigInt>,
        retired_at -> Nullable<BigInt>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    attempts (id) {
        id -> Text,
        hook -> Text,
        result_token -> Text,
        connection -> Text,
        processor -> Text,
        environment -> Text,
        customer -> BigInt,
        payable -> Text,
        document_id -> Nullable<BigInt>,
        document_number -> Nullable<Text>,
        currency -> Text,
        due_minor -> BigInt,
        price_minor -> BigInt,
        document_total -> Text,
        fee_gross_minor -> Nullable<BigInt>,
        fee_net -> Nullable<Text>,
        fee_vat_percent -> Nullable<Text>,
        fee_text -> Nullable<Text>,
        fee_category -> Nullable<BigInt>,
        created_at -> BigInt,
        state -> Text,
        invoice -> Nullable<Text>,
        checkout_url -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
        opened_at -> Nullable<BigInt>,
        open_key -> Nullable<Text>,
        settled_at -> Nullable<BigInt>,
        recorded_at -> Nullable<BigInt>,
        monitor_until -> BigInt,
        last_seen -> Nullable<Text>,
        look_at -> Nullable<BigInt>,
        work_at -> Nullable<BigInt>,
        failures -> BigInt,
        version -> BigInt,
        looks -> BigInt,
        last_look -> Nullable<BigInt>,
        lease_owner -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
        ready_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    hints (attempt, wake) {
        attempt -> Text,
        wake -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    credits (key) {
        key -> Text,
        attempt -> Text,
        connection -> Text,
        invoice -> Text,
        n -> BigInt,
        amount_minor -> BigInt,
        currency -> Text,
        target -> Text,
        date -> Text,
        made_at -> BigInt,
        by_hand -> BigInt,
    }
}

diesel::table! {
    postings (id) {
        id -> Text,
        attempt -> Text,
        credit -> Nullable<Text>,
        kind -> Text,
        place -> BigInt,
        state -> Text,
        not_before -> Nullable<BigInt>,
        begun_at -> Nullable<BigInt>,
        first_absent -> Nullable<BigInt>,
        search_at -> Nullable<BigInt>,
        splynx_id -> Nullable<BigInt>,
        splynx_ids -> Nullable<Text>,
        body -> Text,
        tries -> BigInt,
        first_begun_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    reviews (id) {
        id -> Text,
        attempt -> Text,
        reason -> Text,
        words -> Text,
        opened_at -> BigInt,
        closed_at -> Nullable<BigInt>,
        closed_by -> Nullable<Text>,
        closed_note -> Nullable<Text>,
    }
}

diesel::table! {
    alerts (channel, kind, subject) {
        channel -> Text,
        kind -> Text,
        subject -> Text,
        reason -> Text,
        attempt -> Nullable<Text>,
        words -> Text,
        since -> BigInt,
        told_at -> Nullable<BigInt>,
        times -> BigInt,
        closed_at -> Nullable<BigInt>,
        batch -> Nullable<Text>,
    }
}

diesel::table! {
    alert_channels (channel) {
        channel -> Text,
        batch -> Nullable<Text>,
        claimed_until -> Nullable<BigInt>,
        failures -> BigInt,
        next_try -> BigInt,
        last_told_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    proofs (day) {
        day -> Text,
        made_at -> BigInt,
        since -> BigInt,
        attempts -> BigInt,
        asked -> BigInt,
        listed -> BigInt,
        findings -> BigInt,
        agreed -> BigInt,
        sums -> Text,
    }
}

diesel::table! {
    journal (seq) {
        seq -> BigInt,
        at -> BigInt,
        attempt -> Nullable<Text>,
        who -> Text,
        what -> Text,
        words -> Text,
        previous -> Binary,
        mac -> Binary,
    }
}

diesel::joinable!(credits -> attempts (attempt));
diesel::joinable!(postings -> credits (credit));
diesel::allow_tables_to_appear_in_same_query!(
    alerts,
    attempts,
    connections,
    credits,
    hints,
    postings,
    reviews,
);
