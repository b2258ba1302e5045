use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::domain::report::Listing;
use crate::domain::{Instance, IntentId, MarketIndex, OrderId, Timestamp, TradeId, Venue};
use crate::execute::Record;

use super::codec::tests::specimens;
use super::memory::{Disk, Memory};
use super::*;

fn named(intent: u64) -> Record {
    Record::Named { intent: IntentId(intent), id: OrderId(format!("order-{intent}")) }
}

fn moved(trade: u64) -> Record {
    let at = Timestamp::from_secs(1_795_341_600);
    Record::Moved { trade: TradeId(trade), to: "locked", why: String::new(), at }
}

fn open(path: &Path) -> (Journal, Replay) {
    Journal::open(path, Durability::Process).unwrap()
}

fn learn(journal: &Journal) {
    journal.learn(MarketIndex(0), Venue::Kalshi, "KX-A");
    journal.learn(MarketIndex(1), Venue::Polymarket, "0xb");
}

fn same_places(venue: Venue, _: &str) -> MarketIndex {
    MarketIndex(u32::from(venue == Venue::Polymarket))
}

fn all(replay: Replay) -> Vec<Record> {
    replay.records(same_places).collect::<Result<_, _>>().unwrap()
}

/// Runs `what` until it is true; it becomes true by the work of another thread.
fn eventually(mut what: impl FnMut() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(10), "never");
        std::thread::yield_now();
    }
}

#[test]
fn what_was_committed_is_replayed_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/journal.db");
    for durability in [Durability::Process, Durability::Power] {
        let (journal, before) = Journal::open(&path, durability).unwrap();
        let before = all(before);
        learn(&journal);
        let (head, tail) = (specimens(), vec![moved(4), named(7)]);
        journal.append(&head).unwrap();
        journal.commit(&tail).unwrap();
        drop(journal);
        let (_journal, after) = open(&path);
        assert_eq!(all(after), [before, head, tail].concat());
    }
}

#[test]
fn appended_records_are_written_when_the_journal_closes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = open(&path);
    for trade in 1..=500 {
        journal.append(&[moved(trade)]).unwrap();
    }
    drop(journal);
    let (_journal, replay) = open(&path);
    assert_eq!(replay.next_trade, TradeId(501), "a clean end skips no number");
    assert_eq!(all(replay).len(), 500);
}

#[test]
fn more_than_one_page_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let many: Vec<_> = (1..=2_500).map(named).collect();
    let (journal, _) = open(&path);
    journal.commit(&many).unwrap();
    drop(journal);
    let (_journal, replay) = open(&path);
    assert_eq!(all(replay), many);
}

#[test]
fn markets_are_found_by_name_when_their_places_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = open(&path);
    journal.learn(MarketIndex(40), Venue::Polymarket, "0xb");
    journal.learn(MarketIndex(41), Venue::Kalshi, "KX-A");
    let merged = |market| Record::Merged {
        trade: TradeId(1),
        market: MarketIndex(market),
        quantity: crate::domain::Quantity::contracts(1),
        at: Timestamp::ZERO,
    };
    journal.commit(&[merged(41), merged(40)]).unwrap();
    assert_eq!(
        journal.commit(&[merged(42)]),
        Err(Error::UnnamedMarket(MarketIndex(42))),
        "a market without a name could not be found again"
    );
    drop(journal);
    let (_journal, replay) = open(&path);
    assert_eq!(all(replay), [merged(0), merged(1)]);
}

#[test]
fn a_second_trader_is_told_who_holds_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = open(&path);
    let error = Journal::open(&path, Durability::Process).unwrap_err();
    let pid = std::process::id().to_string();
    assert_eq!(error, Error::Held { path: path.clone(), pid });
    drop(journal);
    open(&path);
}

#[test]
fn the_instance_is_drawn_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.db"), folder.path().join("other.db"));
    let first = open(&one).0.instance();
    assert_eq!(open(&one).0.instance(), first);
    assert_ne!(open(&other).0.instance(), first);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/journal.db");
    let (journal, _) = open(&path);
    journal.commit(&[named(1)]).unwrap();
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    let folder = std::fs::metadata(path.parent().unwrap()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_foreign_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(other);
    let error = Journal::open(&path, Durability::Process).unwrap_err();
    assert_eq!(error, Error::Foreign(path));
    let text = folder.path().join("text.db");
    std::fs::write(&text, "not a database, but long enough to be read as one".repeat(40)).unwrap();
    let error = Journal::open(&text, Durability::Process).unwrap_err();
    assert_eq!(error, Error::Foreign(text));
}

#[test]
fn a_journal_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(open(&path));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    drop(other);
    let error = Journal::open(&path, Durability::Process).unwrap_err();
    assert_eq!(error, Error::Newer { found: 99, known: schema::KNOWN });
    assert_eq!(read(&path).unwrap_err(), error);
}

#[test]
fn a_locked_database_breaks_it_until_the_lock_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = open(&path);
    journal.commit(&[named(1)]).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    assert!(matches!(journal.commit(&[named(2)]), Err(Error::Slow(_))));
    assert!(start.elapsed() < Duration::from_millis(300), "market data waits meanwhile");
    eventually(|| journal.probe() == Err(Error::Locked));
    assert_eq!(journal.append(&[named(3)]), Err(Error::Locked), "it says so until it is whole");
    assert_eq!(journal.probe(), Err(Error::Locked));
    other.execute_batch("ROLLBACK").unwrap();
    eventually(|| journal.probe().is_ok());
    journal.commit(&[named(4)]).unwrap();
    drop(journal);
    let (_journal, replay) = open(&path);
    assert_eq!(all(replay), (1..=4).map(named).collect::<Vec<_>>(), "nothing is lost or moved");
}

#[test]
fn a_writer_that_hangs_is_believed_again_only_when_it_has_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = open(&path);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let slow = journal.commit(&[named(1)]).unwrap_err();
    assert!(matches!(slow, Error::Slow(_)), "{slow:?}");
    for _ in 0..3 {
        assert_eq!(journal.probe(), Err(slow.clone()), "nothing has been written yet");
        assert_eq!(journal.append(&[]), Err(slow.clone()));
    }
    let start = Instant::now();
    assert_eq!(journal.commit(&[named(2)]), Err(slow), "it is not waited for again");
    assert!(start.elapsed() < Duration::from_millis(40));
    other.execute_batch("ROLLBACK").unwrap();
    eventually(|| journal.probe().is_ok());
    let count: i64 = other.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap();
    assert!(count >= 1, "what it was slow with is there");
    journal.commit(&[]).unwrap();
}

#[test]
fn how_far_listings_were_read_is_kept_in_their_place_among_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mark = |venue, listing, secs| Mark { venue, listing, until: Timestamp::from_secs(secs) };
    let (journal, replay) = open(&path);
    assert!(replay.marks.is_empty());
    journal.mark(mark(Venue::Kalshi, Listing::Fills, 5));
    journal.append(&[named(1)]).unwrap();
    journal.mark(mark(Venue::Polymarket, Listing::Settlements, 6));
    journal.mark(mark(Venue::Kalshi, Listing::Fills, 7));
    drop(journal);
    let (_journal, replay) = open(&path);
    let expected =
        [mark(Venue::Kalshi, Listing::Fills, 7), mark(Venue::Polymarket, Listing::Settlements, 6)];
    assert_eq!(replay.marks, expected);
}

#[test]
fn requests_and_replies_can_be_asked_for_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let at = |millis: i64| Timestamp::from_millis(1_795_341_600_000 + millis);
    for run in 0..2 {
        let (journal, _) = open(&path);
        let request = |number| Request {
            number,
            at: at(0),
            venue: Venue::Polymarket,
            intent: Some(IntentId(7)),
            kind: "place",
            method: "POST",
            url: "https://clob.example/order".to_owned(),
            body: Some(r#"{"order":{"salt":1,"signature":"0xfe"},"owner":"mine"}"#.to_owned()),
        };
        journal.note_requests([request(1), request(2)]);
        let body = r#"{"success":true}"#.to_owned();
        journal.note_reply(Reply { request: 2, at: at(12), status: Some(200), body });
        drop(journal);
        let connection = read(&path).unwrap();
        let asked: (i64, i64, String) = connection
            .query_row("SELECT max(number), intent, body FROM requests", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        let body = r#"{"order":{"salt":1,"signature":"withheld"},"owner":"withheld"}"#;
        assert_eq!(asked, (2 + 2 * run, 7, body.to_owned()), "numbers go on in the next run");
        let answered: (i64, i64, f64, String) = connection
            .query_row(
                "SELECT request, status, after_ms, body FROM replies ORDER BY request DESC",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .unwrap();
        assert_eq!(answered, (2 + 2 * run, 200, 12.0, r#"{"success":true}"#.to_owned()));
    }
}

#[test]
fn a_queue_that_does_not_move_says_so_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = open(&path);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let many: Vec<_> = (1..=20_000).map(named).collect();
    let full = journal.append(&many);
    assert!(matches!(full, Err(Error::QueueFull(20_000))), "{full:?}");
    other.execute_batch("ROLLBACK").unwrap();
    eventually(|| journal.probe().is_ok() && journal.commit(&[]).is_ok());
    drop(journal);
    let (_journal, replay) = open(&path);
    assert_eq!(all(replay), many);
}

#[test]
fn a_full_disk_is_named_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(open(&path));
    let mut connection = file::write(&path, Durability::Process).unwrap();
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = |connection: &rusqlite::Connection, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
    };
    limit(&connection, pages);
    // The second half joins the transaction of the first.
    let rows = |from| (from..from + 500).map(|intent| writer::Line::Record(named(intent)));
    let join = |taken| if taken == 500 { rows(501).collect() } else { Vec::new() };
    let mut batch = rows(1).collect();
    assert_eq!(writer::write(&mut connection, &mut batch, join), Err(Error::DiskFull));
    let left = batch.len();
    assert!(left == 500 || left == 1_000, "what was taken is still there: {left}");
    let count = |connection: &rusqlite::Connection| -> i64 {
        connection.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&connection), 0, "all or nothing");
    limit(&connection, 1_000_000);
    let mut batch = rows(1).collect();
    writer::write(&mut connection, &mut batch, join).unwrap();
    assert_eq!(count(&connection), 1_000);
}

#[test]
fn acceptances_are_kept_while_a_trader_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    assert_eq!(accepted(&path), Ok(Vec::new()));
    let acceptance = |fingerprint: &str, secs| Acceptance {
        pair: "fed".to_owned(),
        fingerprint: fingerprint.to_owned(),
        at: Timestamp::from_secs(secs),
        terms: format!("as of {secs}"),
    };
    let (journal, _) = open(&path);
    accept(&path, &acceptance("aa", 1)).unwrap();
    accept(&path, &acceptance("aa", 2)).unwrap();
    accept(&path, &acceptance("bb", 3)).unwrap();
    journal.commit(&[named(1)]).unwrap();
    let first = Acceptance { terms: "as of 2".to_owned(), ..acceptance("aa", 1) };
    assert_eq!(accepted(&path), Ok(vec![first, acceptance("bb", 3)]));
}

#[test]
fn every_view_answers_over_every_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = open(&path);
    learn(&journal);
    journal.commit(&specimens()).unwrap();
    journal.note_requests([Request {
        number: 1,
        at: Timestamp::ZERO,
        venue: Venue::Kalshi,
        intent: None,
        kind: "merge",
        method: "POST",
        url: String::new(),
        body: None,
    }]);
    let body = String::new();
    journal.note_reply(Reply { request: 1, at: Timestamp::ZERO, status: None, body });
    journal.commit(&[]).unwrap();
    accept(
        &path,
        &Acceptance {
            pair: String::new(),
            fingerprint: String::new(),
            at: Timestamp::ZERO,
            terms: String::new(),
        },
    )
    .unwrap();
    let connection = read(&path).unwrap();
    let ask = |sql: &str| -> String {
        connection.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|e| panic!("{sql}: {e}"))
    };
    for name in view::names() {
        assert_ne!(ask(&format!("SELECT CAST(count(*) AS TEXT) FROM {name}")), "0", "{name}");
        let mut statement = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let mut rows = statement.query([]).unwrap();
        while rows.next().unwrap().is_some() {}
    }
    assert_eq!(ask("SELECT quantity FROM fills"), "120.010000");
    assert_eq!(ask("SELECT fee FROM fills WHERE fee_from = 'formula'"), "-0.000001");
    assert_eq!(ask("SELECT heard FROM fills"), "2026-11-22T10:00:00.123456789Z");
    assert_eq!(ask("SELECT limit_price FROM intents"), "0.4321");
    assert_eq!(ask("SELECT market FROM settlements WHERE venue = 'kalshi'"), "0xabc");
    assert_eq!(ask("SELECT market FROM decisions WHERE leg = 1"), "0xb");
    assert_eq!(ask("SELECT state FROM trades"), "locked");
}

#[test]
fn memory_loses_what_comes_after_the_crash_and_nothing_before() {
    let instance = Instance([7; 16]);
    for writes in 0..=5 {
        let disk = Disk::new();
        let (memory, _) = Memory::open(&disk, instance);
        memory.learn(MarketIndex(0), Venue::Kalshi, "KX-A");
        disk.crash_after(writes);
        let kept = (1..=5).take_while(|intent| memory.commit(&[named(*intent)]).is_ok()).count();
        assert_eq!(kept, writes);
        let (memory, replay) = Memory::open(&disk, instance);
        assert_eq!(replay.next_intent, IntentId(writes as u64 + 1));
        assert_eq!(all(replay), (1..=writes as u64).map(named).collect::<Vec<_>>());
        memory.commit(&[moved(1)]).unwrap();
    }
}

#[test]
fn memory_keeps_what_a_broken_disk_does_not_take() {
    let disk = Disk::new();
    let (memory, _) = Memory::open(&disk, Instance([7; 16]));
    disk.fail(Some(Error::DiskFull));
    assert_eq!(memory.append(&[named(1)]), Err(Error::DiskFull));
    assert_eq!(memory.commit(&[named(2)]), Err(Error::DiskFull));
    assert_eq!(memory.probe(), Err(Error::DiskFull));
    disk.fail(None);
    memory.probe().unwrap();
    memory.append(&[named(3)]).unwrap();
    assert_eq!(disk.writes(), 2);
    drop(memory);
    let (_, replay) = Memory::open(&disk, Instance([7; 16]));
    assert_eq!(all(replay), [named(1), named(2)], "what was not committed dies with the process");
}

const CHILD_PATH: &str = "CROSSBOOK_JOURNAL_OF_THE_CHILD";

/// Not a test by itself: the process that the next test kills. It says each number that is
/// committed.
#[test]
#[ignore = "run by a_killed_process_has_kept_what_it_committed"]
fn child_that_commits_until_it_is_killed() {
    use std::io::Write as _;
    let Some(path) = std::env::var_os(CHILD_PATH) else { return };
    let (journal, replay) = open(Path::new(&path));
    let mut out = std::io::stdout();
    for intent in replay.next_intent.0.. {
        let pair = [named(intent), moved(intent)];
        journal.commit(&pair).unwrap();
        writeln!(out, "kept {intent}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_process_has_kept_what_it_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut told = Vec::new();
    for commits in [1, 20, 150] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["journal::tests::child_that_commits_until_it_is_killed", "--exact"])
            .args(["--ignored", "--nocapture"])
            .env(CHILD_PATH, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut lines = lines.filter_map(|line| {
            let (_, number) = line.rsplit_once("kept ")?;
            number.parse::<u64>().ok()
        });
        told.extend(lines.by_ref().take(commits));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said between our last look and its end.
        told.extend(lines);
    }
    let (_journal, replay) = open(&path);
    let (next_intent, next_trade) = (replay.next_intent, replay.next_trade);
    let found = all(replay);
    let intents: Vec<u64> = found
        .chunks(2)
        .map(|pair| match pair {
            [Record::Named { intent, .. }, Record::Moved { trade, .. }] => {
                assert_eq!(intent.0, trade.0, "both or neither");
                intent.0
            }
            other => panic!("half of a commit, or out of order: {other:?}"),
        })
        .collect();
    assert!(intents.is_sorted_by(|a, b| a < b), "no number twice, none out of order");
    let missing: Vec<_> = told.iter().filter(|intent| !intents.contains(intent)).collect();
    assert!(missing.is_empty(), "committed and gone: {missing:?}");
    assert!(told.len() >= 171 && intents.len() - told.len() <= 3, "one commit a life is unsaid");
    let last = intents.last().copied().unwrap();
    assert!(next_intent.0 > last + 1 && next_trade.0 > last + 1, "a power cut may have taken some");
}
