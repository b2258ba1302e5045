//! What goes wrong around a run: keys, venues, ports, markets, pipes, Ctrl-C.

use serde_json::Value;

use super::run::{PATIENCE, Running, arg, crossbook, run};
use super::sim::{Sim, Twist, closed_port, is_feed};

fn has_reason(record: &Value, words: &[&str]) -> bool {
    let reason = record["reason"].as_str().unwrap_or_default();
    words.iter().all(|word| reason.contains(word))
}

/// A key that was made for this test: well formed, and of nobody.
fn strangers_key(sim: &Sim) -> std::path::PathBuf {
    use ed25519_dalek::pkcs8::EncodePrivateKey as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let path = sim.folder.path().join("stranger.pem");
    key.write_pkcs8_pem_file(&path, ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF).unwrap();
    path
}

#[test]
fn a_refused_signature_is_a_state_that_says_what_to_check_and_is_tried_again() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let key = strangers_key(&sim);
    let wrong = Twist { key_file: Some(&key), ..Twist::default() };
    let mut watch = sim.watch(&sim.config(&wrong), &dir, &["--json"]);
    let words = ["refused the key or its signature", "INCORRECT_API_KEY_SIGNATURE", "key file"];
    watch.wait_record("kalshi down", |record| {
        is_feed(record, "kalshi", "down") && has_reason(record, &words)
    });
    watch.wait_error("markets that wait for it");
    watch.wait_record("polymarket live beside it", |r| is_feed(r, "polymarket", "live"));
    watch.wait_record("the next try", |record| is_feed(record, "kalshi", "down"));
    watch.interrupt();
    let ended = watch.finish(PATIENCE);
    let summary = ended.expect(130).summary();
    assert_eq!(summary["feeds"]["polymarket"]["books_whole"], 8, "{summary}");
    assert!(!ended.text().contains("market_missing"), "{}", ended.text());
    let told = ended.errors.matches("refused the key").count();
    assert!(told <= 4, "said {told} times:\n{}", ended.errors);
}

#[test]
fn an_unknown_key_id_is_told_as_such() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let unknown =
        Twist { key_id: Some("00000000-0000-0000-0000-000000000000"), ..Twist::default() };
    let mut watch = sim.watch(&sim.config(&unknown), &dir, &["--json"]);
    watch.wait_record("kalshi down", |record| {
        is_feed(record, "kalshi", "down") && has_reason(record, &["NOT_FOUND", "key id"])
    });
}

#[test]
fn a_venue_that_cannot_be_reached_is_tried_again_and_named() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let port = closed_port();
    let (kalshi, polymarket) =
        (format!("ws://127.0.0.1:{port}/trade-api/ws/v2"), format!("ws://127.0.0.1:{port}/ws"));
    let closed =
        Twist { kalshi_ws: Some(&kalshi), polymarket_ws: Some(&polymarket), ..Twist::default() };
    let mut watch = sim.watch(&sim.config(&closed), &dir, &["--json"]);
    let at = format!("ws://127.0.0.1:{port}: ");
    for _ in 0..2 {
        watch.wait_record("kalshi down", |record| {
            is_feed(record, "kalshi", "down")
                && has_reason(record, &[&at, "refused"])
                && record["retry_ms"].as_u64().is_some_and(|wait| wait <= 30_000)
        });
    }
    watch.interrupt();
    let summary = watch.finish(PATIENCE).expect(130).summary();
    assert!(summary["rejections"]["feed_not_live"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["opportunities"]["opened"], 0);
}

#[test]
fn a_silent_rest_service_is_told_once_and_not_for_each_market() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let rest = format!("http://127.0.0.1:{}", closed_port());
    let closed = Twist { rest: Some(&rest), ..Twist::default() };
    let mut watch = sim.watch(&sim.config(&closed), &dir, &["--json", "--seconds", "10"]);
    watch.wait_record("kalshi down", |record| {
        is_feed(record, "kalshi", "down") && has_reason(record, &["kalshi", "cannot connect"])
    });
    let ended = watch.finish(PATIENCE);
    ended.expect(0);
    // Which venue is told first is a matter of luck.
    let polymarket = ended.records().into_iter().find(|r| is_feed(r, "polymarket", "down"));
    assert!(has_reason(&polymarket.unwrap(), &["polymarket", "cannot connect"]));
    let told = ended.errors.matches("asked again in").count();
    assert!(told <= 6, "said {told} times:\n{}", ended.errors);
}

#[test]
fn a_market_that_does_not_exist_costs_its_own_pairs_only() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| {
        text.replace("KXDEMORATES-27MAR-H0", "KXNOSUCH-27")
            .replace("0x5007b49a26ba20f8", "0x5007b49a26ba20f9")
            .replace("outcome = \"Harbor City\"", "outcome = \"Harbor\"")
    });
    let more = ["--json", "--seconds", "8"];
    let watch = sim.watch(&sim.config(&Twist::default()), &dir, &more);
    let ended = watch.finish(PATIENCE);
    let summary = ended.expect(0).summary();
    assert!(summary["rejections"]["below_threshold"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["pairs"], 5, "{summary}");
    for line in [
        "pair demo-rates-hold (",
        "pairs.toml:6) is not watched: kalshi knows no market KXNOSUCH-27",
        "pairs.toml:26) is not watched: polymarket knows no market 0x5007b49a26ba20f9",
        "no outcome `Harbor`; it has `Harbor City` and `Northfield`",
    ] {
        assert_eq!(ended.errors.matches(line).count(), 1, "`{line}` once in:\n{}", ended.errors);
    }
    let missing: Vec<_> =
        ended.records().into_iter().filter(|r| r["kind"] == "market_missing").collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    let kalshi = missing.iter().find(|record| record["venue"] == "kalshi").unwrap();
    assert_eq!(kalshi["pairs"], serde_json::json!(["demo-rates-hold"]));
}

#[test]
fn without_a_key_kalshi_is_polled_and_its_books_are_whole() {
    let sim = Sim::start();
    let dir =
        sim.mappings(|text| text[..text.find("\n[[pair]]\nid = \"demo-cpi").unwrap()].to_owned());
    let more = ["--json", "--seconds", "11"];
    let mut watch = sim.watch(&sim.config_without_key(), &dir, &more);
    watch.wait_record("what it costs", |record| {
        let text = record["text"].as_str().unwrap_or_default();
        record["kind"] == "note" && text.contains("no Kalshi key") && text.contains("as old as")
    });
    watch.wait_record("polled", |record| is_feed(record, "kalshi", "polled"));
    let summary = watch.finish(PATIENCE).expect(0).summary();
    assert_eq!(summary["feeds"]["kalshi"]["books_whole"], 2, "{summary}");
    assert_eq!(summary["pairs"], 2, "{summary}");
    assert!(summary["rejections"]["below_threshold"].as_u64().unwrap() > 0, "{summary}");
}

#[test]
fn a_key_that_could_also_trade_is_told_and_only_read_with() {
    let sim = Sim::start();
    let dir = sim.mappings(|text| text);
    let mut watch = sim.watch(&sim.config(&Twist::default()), &dir, &["--json"]);
    watch.wait_record("the word about the key", |record| {
        record["kind"] == "note" && record["text"].as_str().unwrap().contains("could also trade")
    });
    watch.interrupt();
    watch.finish(PATIENCE).expect(130);
}

#[test]
fn a_port_in_use_is_named() {
    let sim = Sim::start();
    let rest = sim.kalshi["rest"].as_str().unwrap();
    let port = rest.split(['/', ':']).nth(4).unwrap();
    let ended = run(&["sim", "--port", port]);
    ended.expect(1);
    assert!(ended.errors.contains(&format!("could not listen on 127.0.0.1:{port}")));
    assert!(ended.errors.contains("in use"), "{}", ended.errors);
    assert_eq!(ended.errors.lines().count(), 1, "{}", ended.errors);
    let beyond = run(&["sim", "--port", "65535"]);
    beyond.expect(2);
}

#[test]
fn ctrl_c_ends_every_command_with_130_and_a_summary() {
    let mut demo = Running::start(&["demo", "--json"]);
    demo.wait_record("kalshi live", |record| is_feed(record, "kalshi", "live"));
    demo.interrupt();
    let summary = demo.finish(PATIENCE).expect(130).summary();
    assert!(summary["market_digest"].is_string());

    let sim = Sim::start();
    let key_file = sim.kalshi["key_file"].as_str().unwrap().to_owned();
    assert!(std::path::Path::new(&key_file).exists());
    sim.running.interrupt();
    sim.running.finish(PATIENCE).expect(130);
    assert!(!std::path::Path::new(&key_file).exists(), "the run's folder is taken away");
}

#[test]
fn a_reader_that_goes_away_ends_the_run() {
    let mut demo = Running::spawn(crossbook(&["demo", "--json"]));
    demo.wait_line("a first line", |_| true);
    demo.close_stdout();
    demo.finish(PATIENCE).expect(0);
}

#[test]
fn a_key_file_of_the_wrong_kind_is_told_before_anything_is_connected() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let maps = folder.path().join("maps");
    std::fs::create_dir(&maps).unwrap();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/kalshi");
    let missing = folder.path().join("missing.pem");
    let cases = [
        (format!("{data}/key_ec.pem"), "elliptic-curve"),
        (format!("{data}/key_ec_pkcs8.pem"), "elliptic-curve"),
        (format!("{data}/key_encrypted.pem"), "encrypted"),
        (format!("{data}/key_public.pem"), "public key"),
        (format!("{data}/key_rsa_1024.pem"), "too small"),
        (format!("{data}/certificate.pem"), "certificate"),
        (format!("{data}/http_market.json"), "is not usable"),
        (arg(&missing).to_owned(), "cannot read the Kalshi key file"),
        (data.to_owned(), "cannot read the Kalshi key file"),
    ];
    for (file, words) in cases {
        let text = format!(
            "[kalshi]\nkey_id = \"00000000-0000-0000-0000-000000000000\"\nkey_file = \"{file}\"\n"
        );
        std::fs::write(&config, text).unwrap();
        let ended =
            run(&["watch", "--config", arg(&config), "--mappings", arg(&maps), "--log", "error"]);
        ended.expect(2);
        assert!(ended.errors.contains(words), "{file}: {}", ended.errors);
        assert!(ended.errors.contains(&file), "the file is named: {}", ended.errors);
        assert_eq!(ended.errors.lines().count(), 1, "one error: {}", ended.errors);
        assert!(ended.lines.is_empty());
    }
}
