//! Connections and their secrets.

use secrecy::ExposeSecret as _;

use super::super::connections::ConnectionRow;
use super::*;
use crate::ports::store::StoreError;

/// All of a connection, to be compared.
fn shown(connection: &Connection) -> String {
    let secret = |secret: &Option<SecretString>| {
        secret.as_ref().map(|secret| secret.expose_secret().to_owned())
    };
    let secrets = (secret(&connection.secrets.private_key), secret(&connection.secrets.token));
    format!("{connection:?} {secrets:?}")
}

pub(super) async fn a_connection_reads_back_with_its_secrets(world: World) {
    use ConnectionStatus as S;
    let mut written = Vec::new();
    let statuses = [S::Pairing, S::Active, S::Retired, S::Failed, S::Erased];
    for (n, status) in (10_u128..).zip(statuses) {
        let connection = Connection {
            status,
            environment: if n % 2 == 0 { Environment::Test } else { Environment::Production },
            secrets: match n % 4 {
                _ if status == S::Erased => ConnectionSecrets::default(),
                0 => ConnectionSecrets { token: None, ..connection(n).secrets },
                1 => ConnectionSecrets { private_key: None, ..connection(n).secrets },
                _ => connection(n).secrets,
            },
            activated_at: (n % 2 == 0).then_some(at(1)),
            retired_at: (n % 3 == 0).then_some(at(2)),
            failure: (n % 3 == 1).then(|| "The code is \"used\" up.".to_owned()),
            created_at: at(i64::try_from(n).unwrap()),
            ..connection(n)
        };
        world.store.add_connection(&connection, &Actor::Worker).await.unwrap();
        written.push(connection);
    }
    for connection in &written {
        let read = world.store.connection(connection.id).await.unwrap().unwrap();
        assert_eq!(shown(&read), shown(connection));
    }
    let newest_first: Vec<String> =
        world.store.connections().await.unwrap().iter().map(shown).collect();
    let expected: Vec<String> =
        written.iter().rev().map(shown).chain([shown(&connection(1))]).collect();
    assert_eq!(newest_first, expected);
    assert!(world.store.connection(connection_id(99)).await.unwrap().is_none());
}

pub(super) async fn secrets_are_stored_only_sealed(world: World) {
    let work = |conn: &mut AnyConnection| {
        use diesel::prelude::*;
        let secrets = super::super::schema::connections::secrets;
        Ok(super::super::schema::connections::table
            .select(secrets.assume_not_null())
            .first::<Vec<u8>>(conn)?)
    };
    let sealed = world.db().read(work).await.unwrap();
    assert!(!contains(&sealed, b"private-key-1") && !contains(&sealed, b"api-token-1"));
    if let Place::Sqlite(folder) = &world.place {
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let content = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!contains(&content, b"private-key-1") && !contains(&content, b"api-token-1"));
        }
    }
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

pub(super) async fn sealed_secrets_cannot_be_moved_to_another_connection(world: World) {
    world.store.add_connection(&connection(2), &Actor::Worker).await.unwrap();
    world.execute(&format!(
        "UPDATE connections SET secrets = (SELECT secrets FROM connections WHERE id = '{}')",
        connection_id(2)
    ));
    assert!(world.store.connection(connection_id(2)).await.is_ok());
    let moved = world.store.connection(connection_id(1)).await.unwrap_err();
    assert!(matches!(moved, StoreError::Inconsistent { column: "secrets", .. }), "{moved}");
}

fn active(n: u128, since: i64) -> Connection {
    Connection { status: ConnectionStatus::Active, activated_at: Some(at(since)), ..connection(n) }
}

pub(super) async fn a_connection_that_becomes_active_retires_the_others(world: World) {
    assert!(world.store.active_connection().await.unwrap().is_none());
    world.store.change_connection(&active(1, 10), &Actor::Worker).await.unwrap();
    world.store.add_connection(&connection(2), &Actor::Worker).await.unwrap();
    assert_eq!(world.store.active_connection().await.unwrap().unwrap().id, connection_id(1));

    world.store.change_connection(&active(2, 20), &Actor::Worker).await.unwrap();
    assert_eq!(world.store.active_connection().await.unwrap().unwrap().id, connection_id(2));
    let old = world.store.connection(connection_id(1)).await.unwrap().unwrap();
    assert_eq!((old.status, old.retired_at), (ConnectionStatus::Retired, Some(at(20))));
    assert!(old.secrets.token.is_some());

    world.store.add_connection(&active(3, 30), &Actor::Worker).await.unwrap();
    assert_eq!(world.store.active_connection().await.unwrap().unwrap().id, connection_id(3));
}

pub(super) async fn a_connection_that_is_not_there_cannot_be_changed(world: World) {
    let error = world.store.change_connection(&active(5, 10), &Actor::Worker).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    // The others were not retired for it either.
    world.store.change_connection(&active(1, 10), &Actor::Worker).await.unwrap();
    assert!(world.store.change_connection(&active(5, 20), &Actor::Worker).await.is_err());
    assert_eq!(world.store.active_connection().await.unwrap().unwrap().id, connection_id(1));
}

pub(super) async fn secrets_are_erased_when_the_last_attempt_is_over(world: World) {
    world.store.change_connection(&active(1, 10), &Actor::Worker).await.unwrap();
    world.created(attempt(1)).await;
    let over = attempt(1).monitor_until;
    assert_eq!(world.store.erase_retired(over).await.unwrap(), 0, "it is still active");

    world.store.add_connection(&active(2, 20), &Actor::Worker).await.unwrap();
    assert_eq!(world.store.erase_retired(over - TimeDelta::seconds(1)).await.unwrap(), 0);
    assert_eq!(world.store.erase_retired(over).await.unwrap(), 1);
    assert_eq!(world.store.erase_retired(over).await.unwrap(), 0);

    let erased = world.store.connection(connection_id(1)).await.unwrap().unwrap();
    assert_eq!(erased.status, ConnectionStatus::Erased);
    assert!(erased.secrets.private_key.is_none() && erased.secrets.token.is_none());
    let kept = world.store.active_connection().await.unwrap().unwrap();
    assert_eq!(shown(&kept), shown(&active(2, 20)));
}

pub(super) async fn what_is_erased_stays_erased(world: World) {
    let retired = Connection { status: ConnectionStatus::Retired, ..connection(1) };
    world.store.change_connection(&retired, &Actor::Worker).await.unwrap();
    assert_eq!(world.store.erase_retired(at(0)).await.unwrap(), 1);
    let error = world.store.change_connection(&active(1, 10), &Actor::Worker).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    // Not even the schema lets an erased connection have secrets.
    let with_secrets = Connection { status: ConnectionStatus::Erased, ..connection(6) };
    assert!(world.store.add_connection(&with_secrets, &Actor::Worker).await.is_err());
    let row = ConnectionRow::seal(&with_secrets, &SealKey::from_bytes([1; 32]), &SystemEntropy);
    assert!(row.is_ok());
}
