use std::time::Duration;

use super::*;
use crate::domain::{Money, Quantity};
use crate::journal::Durability;
use crate::pairing::Legs;
use proptest::prelude::*;

fn with(text: &str) -> Result<Settings, Vec<Finding>> {
    load(Some(("my.toml", text)), &Overrides::default())
}

fn told(text: &str) -> Vec<String> {
    let findings = with(text).unwrap_err();
    let line = |it: &Finding| {
        let (at, what) = (&it.at, &it.what);
        format!("{}:{}:{} {what}; {}; {}", at.file, at.line, at.column, it.why, it.cure)
    };
    findings.iter().map(line).collect()
}

#[test]
fn the_defaults_are_what_is_documented() {
    let settings = load(None, &Overrides::default()).unwrap();
    let detect = &settings.detect;
    assert_eq!(detect.edge_min, Money::parse("0.005").unwrap());
    assert_eq!(detect.profit_min, Money::parse("0.05").unwrap());
    assert_eq!(detect.edge_max, Money::parse("0.10").unwrap());
    assert_eq!(detect.mids_apart_max, Money::parse("0.15").unwrap());
    assert_eq!(detect.contracts_max, Quantity::contracts(1_000));
    assert_eq!(detect.grown_by_percent, 25);
    assert_eq!(detect.kalshi_book_age_max, Duration::from_secs(12));
    assert_eq!(detect.polymarket_book_age_max, Duration::from_secs(5));
    assert_eq!(detect.feed_lag_max, Duration::from_secs(3));
    assert_eq!(detect.clock_offset_max, Duration::from_secs(2));
    assert_eq!(detect.batch_open_max, Duration::from_millis(250));
    assert_eq!(detect.near_close, Duration::from_secs(60));
    assert_eq!(detect.near_start, Duration::from_secs(60));
    assert_eq!(detect.fee_age_max, Duration::from_secs(86_400));
    let kalshi = &settings.kalshi;
    assert_eq!(kalshi.rest, "https://external-api.kalshi.com/trade-api/v2");
    assert_eq!(kalshi.ws, "wss://external-api-ws.kalshi.com/trade-api/ws/v2");
    assert_eq!(kalshi.key, None);
    assert_eq!((kalshi.poll_per_s, kalshi.markets_per_lane), (1, 500));
    assert_eq!(kalshi.order_group_contracts, Some(5_000));
    assert!(kalshi.weekly_pause);
    assert_eq!(kalshi.fee_grain, 100, "a ten-thousandth of a dollar");
    assert_eq!(kalshi.silence_max, Duration::from_secs(25));
    let polymarket = &settings.polymarket;
    assert_eq!(polymarket.ws, "wss://ws-subscriptions-clob.polymarket.com/ws");
    assert_eq!(polymarket.tokens_per_lane, 200);
    assert_eq!(polymarket.silence_max, Duration::from_secs(120), "quiet markets are not redialled");
    assert_eq!(polymarket.reconnect_planned, Duration::from_secs(1_200));
    assert_eq!(polymarket.ping_every, Duration::from_secs(5));
    assert_eq!(settings.mappings.dir, "mappings");
    assert_eq!(settings.log.level, Level::Warn);
    let trade = &settings.trade;
    assert_eq!(trade.mode, Mode::Paper, "nobody spends money by default");
    assert_eq!(trade.plan.legs, Legs::PolymarketFirst);
    assert_eq!(trade.plan.exit_gain_min, None);
    assert_eq!(trade.plan.answer_max, Duration::from_secs(2));
    let limits = &settings.limits;
    let dollars = |text: &str| Money::parse(text).unwrap();
    assert_eq!((limits.order, limits.total), (dollars("25"), dollars("1000")));
    assert_eq!((limits.open_trades, limits.rejections), (1, [3, 6, 10]));
    assert_eq!(settings.paper.cash, dollars("1000"));
    assert_eq!(settings.polymarket.conversions, Conversions::User);
    let journal = &settings.journal;
    assert_eq!(
        (journal.path.as_str(), journal.durability),
        ("journal/live.db", Durability::Process)
    );
    assert_ne!(journal.path, journal.paper_path, "real money and paper never share a file");
    let wallet = Wallet { key_file: None, kind: WalletKind::Eoa, address: None };
    assert_eq!(settings.polymarket.wallet, wallet);
}

#[test]
fn the_bounds_behind_each_default_are_the_bounds_that_are_checked() {
    let mut section = "";
    let mut numbers = 0;
    for line in DEFAULT_TEXT.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        let Some((key, rest)) = line.split_once(" = ") else { continue };
        let Some((_, bounds)) = rest.split_once(" # ") else { continue };
        let Some((least, most)) = bounds.trim().split_once(" to ") else { continue };
        numbers += 1;
        let quoted = rest.starts_with('"');
        let write = |value: &str| {
            let value = if quoted { format!("\"{value}\"") } else { value.to_owned() };
            format!("[{section}]\n{key} = {value}\n")
        };
        // A value at its bound may still contradict another key; it must not be out of bounds.
        for value in [least, most] {
            let findings = with(&write(value)).err().unwrap_or_default();
            let out = findings.iter().any(|finding| finding.why.starts_with("it may be"));
            assert!(!out, "{section}.{key} = {value}: {findings:?}");
        }
        let beyond = if quoted {
            (Money::parse(most).unwrap() + Money::from_micros(1)).to_string()
        } else {
            (most.parse::<i64>().unwrap() + 1).to_string()
        };
        let told = told(&write(&beyond));
        assert!(told[0].contains(&format!("it may be {least} to {most}")), "{told:?}");
        let told = told_below(&write(if quoted { "-0.000001" } else { "-1" }));
        assert!(told.contains(&format!("it may be {least} to {most}")), "{told}");
    }
    assert_eq!(numbers, 67, "every number states its bounds");
}

fn told_below(text: &str) -> String {
    told(text).concat()
}

#[test]
fn the_journal_waits_for_the_disk_when_it_is_told_to() {
    let settings = with("[journal]\npath = \"j.db\"\ndurability = \"power\"\n").unwrap();
    assert_eq!(settings.journal.path, "j.db");
    assert_eq!(settings.journal.durability, Durability::Power);
    let told = told("[journal]\npath = \"\"\ndurability = \"powr\"\n");
    assert!(told[0].starts_with("my.toml:2:8 `path` is \"\""), "{told:?}");
    assert!(
        told[1].contains("`durability` is \"powr\"") && told[1].contains("did you mean `power`")
    );
}

#[test]
fn a_users_file_overrides_single_keys() {
    let settings = with("[detect]\nedge_min = \"0.02\"\n\n[log]\nlevel = \"debug\"\n").unwrap();
    assert_eq!(settings.detect.edge_min, Money::parse("0.02").unwrap());
    assert_eq!(settings.log.level, Level::Debug);
    let mut expected = load(None, &Overrides::default()).unwrap();
    expected.detect.edge_min = settings.detect.edge_min;
    expected.log.level = Level::Debug;
    assert_eq!(settings, expected);
    assert_eq!(with("").unwrap(), load(None, &Overrides::default()).unwrap());
}

#[test]
fn all_mistakes_are_told_at_once_each_in_its_place() {
    let text = "\
[detect]
edge_mni = \"0.01\"
profit_min = 0.05
contracts_max = 0
feed_lag_ms_max = \"3000\"
grown_by_percent =

[kalshy]
rest = \"x\"

[polymarket]
ws = \"ws://example.com\"
tokens_per_lane = 201

[log]
level = \"inf\"
";
    let expected = [
        "my.toml:2:1 unknown key `edge_mni`; `detect` has no such key; did you mean `edge_min`?",
        "my.toml:3:14 `detect.profit_min` is the number 0.05; a decimal number in quotes belongs \
         here; write `profit_min = \"0.05\"`",
        "my.toml:4:17 `contracts_max` is 0; it may be 1 to 1000000000; write `contracts_max = …` \
         with a number from 1 to 1000000000",
        "my.toml:5:19 `detect.feed_lag_ms_max` is the text \"3000\"; a whole number without quotes \
         belongs here; write `feed_lag_ms_max = 3000`",
        "my.toml:6:19",
        "my.toml:8:2 unknown key `kalshy`; a file has no such key; did you mean `kalshi`?",
        "my.toml:12:6 `ws` is \"ws://example.com\"; only addresses of this machine may go without \
         encryption; write for example `wss://host/path`",
        "my.toml:13:19 `tokens_per_lane` is 201; it may be 2 to 200",
        "my.toml:16:9 `inf` is no log level; a level is one of `error`, `warn`, `info`, `debug`, \
         `trace`; did you mean `info`?",
    ];
    let told = told(text);
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
}

#[test]
fn values_that_contradict_each_other_are_refused_where_the_user_wrote() {
    let told = told("[detect]\nedge_min = \"0.2\"\n[polymarket]\nsilence_ms_max = 4000\n");
    assert!(told[0].starts_with("my.toml:2:12 `edge_min` is 0.200000 and `edge_max`"), "{told:?}");
    assert!(told[1].starts_with("my.toml:4:18 `ping_every_ms` is 5000 and"), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[test]
fn a_key_is_its_id_and_its_file() {
    let both = "[kalshi]\nkey_id = \"abc\"\nkey_file = \"k.pem\"\n";
    let key = with(both).unwrap().kalshi.key.unwrap();
    assert_eq!((key.id.as_str(), key.file.as_str()), ("abc", "k.pem"));
    let told = told("[kalshi]\nkey_id = \"abc\"\n");
    assert!(told[0].starts_with("my.toml:2:10 `key_id` is given without `key_file`"), "{told:?}");
    let file = Overrides { kalshi_key_file: Some("e.pem".into()), ..Overrides::default() };
    let key = load(Some(("my.toml", "[kalshi]\nkey_id = \"abc\"\n")), &file).unwrap().kalshi.key;
    assert_eq!(key.unwrap().file, "e.pem");
    let findings = load(None, &file).unwrap_err();
    assert_eq!(findings[0].at.file, OVERRIDES_NAME);
    assert_eq!(findings[0].what, "`key_file` is given without `key_id`");
    let empty = Overrides { kalshi_key_file: Some(String::new()), ..Overrides::default() };
    assert_eq!(load(None, &empty).unwrap().kalshi.key, None);
}

#[test]
fn overrides_go_before_the_file_and_are_checked_too() {
    let overrides = Overrides {
        mappings_dir: Some("elsewhere".into()),
        log_level: Some("warn".into()),
        ..Overrides::default()
    };
    let settings = load(Some(("my.toml", "[log]\nlevel = \"debug\"\n")), &overrides).unwrap();
    assert_eq!(settings.mappings.dir, "elsewhere");
    assert_eq!(settings.log.level, Level::Warn);
    let overrides = Overrides { log_level: Some("loud".into()), ..Overrides::default() };
    let findings = load(None, &overrides).unwrap_err();
    assert_eq!(findings[0].at.file, OVERRIDES_NAME);
    assert_eq!(findings[0].what, "`loud` is no log level");
}

#[test]
fn sections_of_the_wrong_kind_are_findings() {
    let told = told("detect = 3\n");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("my.toml:1:10 `detect` is the whole number 3; a table belongs"));
}

proptest! {
    #[test]
    fn no_text_panics(
        text in "\\PC{0,120}|(\\[(detect|log)\\]\n)?[a-z_]{0,9} = [\"0-9.a\n-]{0,9}",
    ) {
        if let Err(findings) = with(&text) {
            prop_assert!(!findings.is_empty());
        }
    }
}
