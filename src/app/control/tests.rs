use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::domain::Outcome;
use listen::{Listening, listen};

fn requests() -> Vec<Request> {
    let scopes = [Scope::All, Scope::Venue(Venue::Polymarket), Scope::Pair(PairId("p".to_owned()))];
    let mut all = vec![
        Request::Status,
        Request::CancelAll(None),
        Request::CancelAll(Some(Venue::Kalshi)),
        Request::CancelEverything(Venue::Polymarket),
        Request::Command(Command::Kill { why: "lunch".to_owned() }),
        Request::Command(Command::Flatten { loss_max: Money::parse("12.5").unwrap() }),
    ];
    let (venue, market) = (Venue::Polymarket, "0xabc".to_owned());
    for outcome in [None, Some(Outcome::Yes), Some(Outcome::No)] {
        all.push(Request::Look(Said::Adopt { venue, market: market.clone(), outcome }));
    }
    let shown = json!([{ "venue": "kalshi", "cash": "-1.5" }]);
    for said in [Said::Ignore { venue, market }, Said::AcceptCash { venue: Venue::Kalshi }] {
        all.push(Request::Rule { said, shown: shown.clone(), why: "counted".to_owned() });
    }
    let facts = crate::app::terms::Facts::default();
    let terms = Terms::new(crate::pairing::Limits::default(), [facts.clone(), facts]);
    all.push(Request::Accepted { fingerprint: "ab".to_owned(), terms });
    for scope in scopes {
        let why = "news".to_owned();
        all.push(Request::Command(Command::Halt { scope: scope.clone(), why }));
        all.push(Request::Command(Command::Resume { scope }));
    }
    all
}

#[test]
fn every_request_arrives_as_it_was_meant() {
    for request in requests() {
        let line = encode(&request).unwrap().to_string();
        assert_eq!(parse(&line), Ok(request), "{line}");
    }
}

#[test]
fn what_only_the_process_may_say_cannot_be_said_from_outside() {
    assert_eq!(encode(&Request::Command(Command::Reconciled)), None);
    for word in ["reconciled", "journal_whole", ""] {
        assert!(parse(&json!({ "do": word }).to_string()).is_err());
    }
}

#[test]
fn a_request_that_is_not_understood_does_nothing() {
    for line in [
        "",
        "halt",
        "{}",
        r#"{"do":"halt"}"#,
        r#"{"do":"halt","scope":{}}"#,
        r#"{"do":"halt","scope":{"pair":"a","venue":"kalshi"}}"#,
        r#"{"do":"halt","scope":{"venue":"kalschi"}}"#,
        r#"{"do":"resume","scope":"everything"}"#,
        r#"{"do":"flatten"}"#,
        r#"{"do":"flatten","loss_max":5}"#,
        r#"{"do":"flatten","loss_max":"-1"}"#,
        r#"{"do":"cancel-all","venue":"both"}"#,
        r#"{"do":"cancel-everything"}"#,
        r#"{"do":"accepted","fingerprint":"ab"}"#,
        r#"{"do":"look","what":"adopt","venue":"kalshi"}"#,
        r#"{"do":"look","what":"adopt","venue":"kalshi","market":"A","outcome":"maybe"}"#,
        r#"{"do":"look","what":"sell","venue":"kalshi","market":"A"}"#,
        r#"{"do":"rule","what":"accept-cash","venue":"kalshi"}"#,
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

/// A trader that obeys everything but a kill.
fn trader(journal: &Path) -> (tokio::runtime::Runtime, Listening) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let guard = runtime.enter();
    let (listening, mut asked) = listen(journal).unwrap();
    drop(guard);
    runtime.spawn(async move {
        while let Some(one) = asked.recv().await {
            let answer = match &one.request {
                Request::Command(Command::Kill { why }) => Err(format!("not for {why}")),
                Request::Status => {
                    let long = vec!["a difference that is told in a long line"; 5_000];
                    Ok(json!({ "state": "trading", "differences": long }))
                }
                other => Ok(json!({ "heard": format!("{other:?}") })),
            };
            one.answer.send(answer).unwrap();
        }
    });
    (runtime, listening)
}

#[test]
fn the_trader_hears_what_is_asked_and_its_answer_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j.db");
    let (_runtime, _listening) = trader(&journal);
    let status = ask::ask(&journal, &Request::Status).unwrap();
    assert_eq!(status["state"], "trading");
    assert_eq!(status["differences"].as_array().unwrap().len(), 5_000, "more than 64 KiB");
    for request in requests() {
        let answer = ask::ask(&journal, &request);
        match request {
            Request::Command(Command::Kill { .. }) => {
                assert_eq!(answer.unwrap_err().to_string(), "the trader refused: not for lunch");
            }
            Request::Status => {}
            heard => assert_eq!(answer.unwrap()["heard"], format!("{heard:?}")),
        }
    }
}

#[test]
fn only_the_owner_can_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j.db");
    let (runtime, listening) = trader(&journal);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&super::folder(&journal)), 0o700);
    assert_eq!(mode(&socket(&journal)), 0o600);
    drop(listening);
    std::fs::set_permissions(super::folder(&journal), PermissionsExt::from_mode(0o755)).unwrap();
    let _guard = runtime.enter();
    let error = listen(&journal).unwrap_err().to_string();
    assert!(error.contains("others may enter"), "{error}");
}

#[test]
fn a_trader_that_is_gone_is_told_as_such_and_its_socket_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j.db");
    let gone = |journal: &Path| {
        let error = ask::ask(journal, &Request::Status).unwrap_err().to_string();
        assert!(error.contains("nobody trades with the journal"), "{error}");
    };
    gone(&journal);
    let (runtime, listening) = trader(&journal);
    drop(listening);
    gone(&journal);
    drop(runtime);
    // Left behind by a process that was killed.
    drop(std::os::unix::net::UnixListener::bind(socket(&journal)).unwrap());
    gone(&journal);
    let (_runtime, _listening) = trader(&journal);
    ask::ask(&journal, &Request::Status).unwrap();
}
