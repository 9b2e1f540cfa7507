//! The schema: numbered migrations, forward only, one process at a time.

use checkout_engine::StoreError;
use deadpool_postgres::Object;
use tokio_postgres::types::Type;

use crate::error;

/// A step of the schema.
#[derive(Clone, Copy, Debug)]
struct Migration {
    version: i64,
    /// The oldest program, by the version that the program knows, that may use the schema after this step. A
    /// step that only adds leaves this as it was. A function that such a program calls stays as it is:
    /// another behaviour is a function of another name.
    oldest: i64,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    oldest: 1,
    sql: concat!(include_str!("../sql/0001.sql"), include_str!("../sql/functions.sql")),
}];

/// The version that this program knows.
pub(crate) const KNOWN: i64 = 1;

/// A step is tried so often again. Each time the database has waited for a second before.
const RACES: u32 = 10;

/// The name of the schema in the texts of this crate.
pub(crate) const DEFAULT: &str = "checkout";

/// A text of this crate for the schema of this name.
pub(crate) fn named(sql: &str, schema: &str) -> String {
    sql.replace("checkout.", &format!("{}.", quoted(schema)))
}

/// The name as it stands in SQL. Another name than the usual one may be a word of SQL, such as `user`.
fn quoted(schema: &str) -> String {
    if schema == DEFAULT { schema.to_owned() } else { format!("\"{schema}\"") }
}

/// # Errors
/// [`StoreError::Settings`] for a name that [`Options::schema`](crate::Options::schema) refuses.
pub(crate) fn check_name(schema: &str) -> Result<(), StoreError> {
    let is_first = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let is_rest = |byte: &u8| is_first(byte) || byte.is_ascii_digit();
    let bytes = schema.as_bytes();
    let fits = bytes.first().is_some_and(is_first) && bytes.iter().all(is_rest) && bytes.len() <= 48;
    if fits && !schema.starts_with("pg_") {
        return Ok(());
    }
    Err(StoreError::Settings(
        "Options::schema: the name is not 1 to 48 of a to z, 0 to 9 and _, with no digit and no pg_ first"
            .to_owned(),
    ))
}

fn lock(schema: &str) -> String {
    format!("SELECT pg_advisory_xact_lock(hashtextextended('checkout-store-postgres {schema}', 0));\n")
}

fn texts(steps: &[Migration], schema: &str, from: i64) -> String {
    let mut text = String::new();
    for step in steps.iter().filter(|step| step.version > from) {
        text.push_str(&named(step.sql, schema));
        let Migration { version, oldest, .. } = step;
        text.push_str(&format!(
            "UPDATE {}.schema_version SET version = {version}, oldest = {oldest};\n",
            quoted(schema)
        ));
    }
    text
}

/// The SQL that brings a schema from version `from` (0: from nothing) to the version of this program: for
/// those who change a database by hand, such as `psql -f`. One transaction, which changes nothing where the
/// schema has another version than `from`.
///
/// The version of a schema is in its table `schema_version`, and in [`StoreError::OlderSchema`].
///
/// # Errors
/// - [`StoreError::Settings`] for a name that [`Options::schema`](crate::Options::schema) refuses, and for a
///   negative version.
/// - [`StoreError::NewerSchema`] for a version that this program does not know.
///
/// ```
/// use checkout_engine::StoreError;
///
/// let sql = checkout_store_postgres::print("checkout", 0)?;
/// assert!(sql.starts_with("BEGIN;") && sql.ends_with("COMMIT;\n"));
/// let newer = checkout_store_postgres::print("checkout", 1_000);
/// assert!(matches!(newer, Err(StoreError::NewerSchema { found: 1_000, .. })));
/// # Ok::<(), StoreError>(())
/// ```
pub fn print(schema: &str, from: i64) -> Result<String, StoreError> {
    print_by(MIGRATIONS, schema, from)
}

/// The same for a program that knows these steps.
fn print_by(steps: &[Migration], schema: &str, from: i64) -> Result<String, StoreError> {
    check_name(schema)?;
    let known = newest(steps);
    if from < 0 {
        return Err(StoreError::Settings(format!(
            "a schema has no version {from}: the first is 0, for none"
        )));
    }
    if from > known {
        return Err(StoreError::NewerSchema { found: from, known });
    }
    let begins = if from == 0 {
        format!("CREATE SCHEMA {};\n", quoted(schema))
    } else {
        // A step that is made twice, or left out, may fail nowhere.
        let version = named("(SELECT version FROM checkout.schema_version)", schema);
        format!(
            "DO $$ BEGIN\n    IF {version} IS DISTINCT FROM {from} THEN\n        \
             RAISE EXCEPTION 'the schema has version %, and not {from}', {version};\n    END IF;\nEND $$;\n"
        )
    };
    Ok(format!("BEGIN;\n{}{begins}{}COMMIT;\n", lock(schema), texts(steps, schema, from)))
}

/// The SQL that gives a role the rights that a program needs at run time, which are no rights to change the
/// schema. The role's name is taken as it is: quote the name if the name needs quotes.
///
/// The default privileges are for what later versions add, and hold for what the role that runs this SQL
/// adds: run the SQL as the role that migrates.
///
/// # Errors
/// [`StoreError::Settings`] for a name that [`Options::schema`](crate::Options::schema) refuses.
///
/// ```
/// let sql = checkout_store_postgres::grants("checkout", "shop")?;
/// assert!(sql.contains("GRANT USAGE ON SCHEMA checkout TO shop;"));
/// # Ok::<(), checkout_engine::StoreError>(())
/// ```
pub fn grants(schema: &str, role: &str) -> Result<String, StoreError> {
    check_name(schema)?;
    let schema = quoted(schema);
    Ok(format!(
        "GRANT USAGE ON SCHEMA {schema} TO {role};\n\
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};\n\
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};\n\
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role};\n\
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};\n\
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {role};\n\
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT EXECUTE ON FUNCTIONS TO {role};\n"
    ))
}

/// Brings the schema to the version of this program, if `migrate` allows and the version is older. `next` is
/// one more step, which adds alone.
///
/// # Errors
/// [`StoreError::NewerSchema`] and [`StoreError::OlderSchema`], and those of the database.
pub(crate) async fn prepare(
    client: &mut Object,
    schema: &str,
    migrate: bool,
    next: Option<&'static str>,
) -> Result<(), StoreError> {
    let next = next.map(|sql| Migration { version: KNOWN + 1, oldest: KNOWN, sql });
    let steps: Vec<Migration> = MIGRATIONS.iter().copied().chain(next).collect();
    prepare_by(&steps, client, schema, migrate).await
}

/// The same for a program that knows these steps.
async fn prepare_by(
    steps: &[Migration],
    client: &mut Object,
    schema: &str,
    migrate: bool,
) -> Result<(), StoreError> {
    let known = newest(steps);
    let found = match client.query_typed(&version(schema), &[]).await {
        Ok(rows) => checked(rows.first(), known)?,
        Err(error) if error::is_missing(&error) => 0,
        Err(error) => return Err(error::of(&error, known)),
    };
    if found >= known {
        return Ok(());
    }
    let older = || StoreError::OlderSchema { found, known };
    if !migrate {
        return Err(older());
    }
    let mut races = 0;
    loop {
        return match advance(steps, client, schema).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error),
            // A program at work had one of the tables, and waited for another one. The program goes on, so
            // the step does too.
            Err(error) if error::is_race(&error) && races < RACES => {
                races += 1;
                continue;
            }
            Err(error) if error::is_right(&error) => Err(older()),
            Err(error) => Err(error::of(&error, known)),
        };
    }
}

fn newest(steps: &[Migration]) -> i64 {
    steps.last().map_or(0, |last| last.version)
}

fn version(schema: &str) -> String {
    named("SELECT version, oldest FROM checkout.schema_version", schema)
}

fn checked(row: Option<&tokio_postgres::Row>, known: i64) -> Result<i64, StoreError> {
    let Some(row) = row else { return Ok(0) };
    let corrupt = |_| StoreError::Corrupt { id: "schema_version".to_owned(), field: "version" };
    let (found, oldest): (i64, i64) = (row.try_get(0).map_err(corrupt)?, row.try_get(1).map_err(corrupt)?);
    if oldest > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    Ok(found)
}

/// One transaction, which holds the lock: other processes wait, and find the work done.
async fn advance(
    steps: &[Migration],
    client: &mut Object,
    schema: &str,
) -> Result<Result<(), StoreError>, tokio_postgres::Error> {
    let step = client.transaction().await?;
    step.batch_execute(&lock(schema)).await?;
    let name: &(dyn tokio_postgres::types::ToSql + Sync) = &schema;
    let there = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1), EXISTS (SELECT FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND relname = 'schema_version')";
    let rows = step.query_typed(there, &[(name, Type::TEXT)]).await?;
    let (has_schema, has_version) = match rows.first() {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (false, false),
    };
    if !has_schema {
        step.batch_execute(&format!("CREATE SCHEMA {}", quoted(schema))).await?;
    }
    let found = if has_version {
        match checked(step.query_typed(&version(schema), &[]).await?.first(), newest(steps)) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        }
    } else {
        0
    };
    step.batch_execute(&texts(steps, schema, found)).await?;
    step.commit().await.map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use std::env;
    use std::io::Write as _;

    /// Programs that know more: a step that adds, and a step that takes away.
    const THREE: [Migration; 3] = [
        MIGRATIONS[0],
        Migration { version: 2, oldest: 1, sql: "CREATE TABLE checkout.mood (id text PRIMARY KEY);" },
        Migration { version: 3, oldest: 2, sql: "DROP VIEW checkout.due;" },
    ];

    #[test]
    fn the_versions_count_up_and_no_step_refuses_the_version_before() {
        assert_eq!((newest(MIGRATIONS), MIGRATIONS[0].version, MIGRATIONS[0].oldest), (KNOWN, 1, 1));
        for (before, step) in MIGRATIONS.iter().zip(&MIGRATIONS[1..]) {
            assert_eq!(step.version, before.version + 1);
            assert!(before.oldest <= step.oldest && step.oldest <= before.version, "{step:?}");
        }
    }

    #[tokio::test]
    async fn programs_of_two_versions_share_a_schema_until_a_step_takes_away_what_one_of_them_uses() {
        // As in the other tests, nothing runs where no server is named.
        let Ok(url) = env::var("CHECKOUT_TEST_POSTGRES") else {
            let _ =
                writeln!(std::io::stderr(), "CHECKOUT_TEST_POSTGRES is not set: this test has run nothing");
            return;
        };
        let schema = format!("v_{}", std::process::id());
        let store = Options::new().schema(&schema).connect(&url).await.unwrap();
        let mut client = store.pool().get().await.unwrap();
        let (one, two, three) = (MIGRATIONS, &THREE[..2], &THREE[..]);

        // The older program first: the new program needs a step, which it may not make itself.
        let refused = prepare_by(two, &mut client, &schema, false).await;
        assert!(matches!(refused, Err(StoreError::OlderSchema { found: 1, known: 2 })), "{refused:?}");
        for (steps, migrate) in [(two, true), (one, true), (two, false), (one, false)] {
            prepare_by(steps, &mut client, &schema, migrate).await.unwrap();
        }
        // The new program first.
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
        for (steps, migrate) in [(two, true), (one, true), (two, false), (one, false)] {
            prepare_by(steps, &mut client, &schema, migrate).await.unwrap();
        }

        prepare_by(three, &mut client, &schema, true).await.unwrap();
        for migrate in [true, false] {
            prepare_by(two, &mut client, &schema, migrate).await.unwrap();
            let refused = prepare_by(one, &mut client, &schema, migrate).await;
            let Err(refused @ StoreError::NewerSchema { found: 3, known: 1 }) = refused else {
                panic!("{refused:?}");
            };
            assert!(refused.to_string().ends_with("run the newer program"), "{refused}");
        }
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    }

    #[test]
    fn the_rights_of_a_role_are_in_the_readme() {
        let readme = include_str!("../README.md");
        assert!(readme.contains(&format!("```sql\n{}```\n", grants(DEFAULT, "shop").unwrap())));
    }

    #[test]
    fn sql_is_printed_from_each_version_that_the_program_knows_and_from_no_other() {
        let steps = |from| {
            print_by(&THREE, "checkout", from)
                .map(|sql| THREE.map(|step| sql.contains(&named(step.sql, "checkout"))))
        };
        for (from, printed) in [
            (0, [true, true, true]),
            (1, [false, true, true]),
            (2, [false, false, true]),
            (3, [false, false, false]),
        ] {
            assert_eq!(steps(from).unwrap(), printed, "{from}");
        }
        assert!(matches!(steps(4), Err(StoreError::NewerSchema { found: 4, known: 3 })));
        assert!(matches!(steps(-1), Err(StoreError::Settings(text)) if text.contains("no version -1")));
    }

    #[tokio::test]
    async fn printed_sql_brings_a_schema_from_the_version_that_it_has_and_from_no_other() {
        let Ok(url) = env::var("CHECKOUT_TEST_POSTGRES") else {
            let _ =
                writeln!(std::io::stderr(), "CHECKOUT_TEST_POSTGRES is not set: this test has run nothing");
            return;
        };
        let schema = format!("p_{}", std::process::id());
        let store = Options::new().schema(&schema).connect(&url).await.unwrap();
        let mut client = store.pool().get().await.unwrap();
        let drop = format!("DROP SCHEMA {schema} CASCADE");
        let things = async |client: &Object| -> String {
            let things = "SELECT coalesce(string_agg(format('%s %s', c.relkind, c.relname), ', ' ORDER BY c.relname), '') \
                          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1";
            client.query_one(things, &[&schema]).await.unwrap().get(0)
        };
        prepare_by(&THREE, &mut client, &schema, true).await.unwrap();
        let whole = things(&client).await;
        for (from, steps) in [(0, 0), (1, 1), (2, 2)] {
            client.batch_execute(&drop).await.unwrap();
            if steps > 0 {
                let sql = print_by(&THREE[..steps], &schema, 0).unwrap();
                client.batch_execute(&sql).await.unwrap();
            }
            let before = things(&client).await;
            for other in (0..=3).filter(|other| *other != from) {
                let refused = client.batch_execute(&print_by(&THREE, &schema, other).unwrap()).await;
                assert!(refused.is_err(), "the SQL from {other} on a schema of {from}");
                client.batch_execute("ROLLBACK").await.unwrap();
                assert_eq!(things(&client).await, before, "the SQL from {other} on a schema of {from}");
            }
            client.batch_execute(&print_by(&THREE, &schema, from).unwrap()).await.unwrap();
            assert_eq!(things(&client).await, whole, "from {from}");
            prepare_by(&THREE, &mut client, &schema, false).await.unwrap();
        }
        client.batch_execute(&drop).await.unwrap();
    }

    #[tokio::test]
    async fn a_step_that_meets_programs_of_two_versions_at_work_in_a_deadlock_is_made_again() {
        let Ok(url) = env::var("CHECKOUT_TEST_POSTGRES") else {
            let _ =
                writeln!(std::io::stderr(), "CHECKOUT_TEST_POSTGRES is not set: this test has run nothing");
            return;
        };
        let schema = format!("d_{}", std::process::id());
        let store = Options::new().schema(&schema).connect(&url).await.unwrap();
        let (mut client, mut other) = (store.pool().get().await.unwrap(), store.pool().get().await.unwrap());
        let step =
            "ALTER TABLE checkout.news ADD COLUMN a bigint; ALTER TABLE checkout.event ADD COLUMN a bigint;";
        let two = [MIGRATIONS[0], Migration { version: 2, oldest: 1, sql: step }];

        // The step is the one that the database ends, since the other one never looks for deadlocks.
        other.batch_execute("SET deadlock_timeout = '1h'").await.unwrap();
        client.batch_execute("SET deadlock_timeout = '20ms'").await.unwrap();
        let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        let writes = other.transaction().await.unwrap();
        writes.batch_execute(&format!("LOCK {schema}.event IN ROW EXCLUSIVE MODE")).await.unwrap();
        let goes_on = async {
            let waits_for = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted AND relation = $2::text::regclass";
            loop {
                let event = format!("{schema}.event");
                let row = writes.query_one(waits_for, &[&pid, &event]).await.unwrap();
                if row.get::<_, i64>(0) == 1 {
                    break;
                }
            }
            writes.batch_execute(&format!("LOCK {schema}.news IN ROW EXCLUSIVE MODE")).await.unwrap();
            writes.commit().await.unwrap();
        };
        let (made, ()) = tokio::join!(prepare_by(&two, &mut client, &schema, true), goes_on);
        made.unwrap();
        let found = client.query_typed(&version(&schema), &[]).await.unwrap();
        assert_eq!(checked(found.first(), 2).unwrap(), 2);
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    }
}
