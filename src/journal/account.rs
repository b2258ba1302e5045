//! Whose orders a journal holds, and that one trader at a time trades for an account.
//!
//! A file belongs to the account that first traded with it. Another account's fills would look like
//! contracts that are held, and its orders would bear the ids of this one's. Two files cannot trade
//! one account either: a lock for each wallet and key lies outside both.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::{Error, file};

/// Whose orders a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Nobody's: they are filled on this machine.
    Paper,
    /// Accounts at the venues.
    Live {
        /// The address that pays at Polymarket.
        wallet: String,
        /// The id of the Kalshi key.
        kalshi_key: String,
    },
    /// Accounts at embedded exchanges, which draw their Kalshi keys.
    Embedded {
        /// The id of the Kalshi key.
        kalshi_key: String,
    },
}

/// How sure a trader is that a journal is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It says the same account as before.
    Same,
    /// Its Kalshi key is a new one of the same account, as a person said.
    NewKalshiKey,
}

impl Account {
    fn name(&self) -> String {
        match self {
            Self::Paper => "paper".to_owned(),
            Self::Live { wallet, kalshi_key } => {
                format!("{}, kalshi key {kalshi_key}", wallet_name(wallet))
            }
            Self::Embedded { kalshi_key } => format!("embedded exchanges, kalshi key {kalshi_key}"),
        }
    }

    /// What one trader at a time may trade with.
    fn seats(&self) -> Vec<(String, String)> {
        let kalshi = |key: &str| (format!("kalshi key {key}"), format!("kalshi-{key}"));
        match self {
            Self::Paper => Vec::new(),
            Self::Live { wallet, kalshi_key } => {
                let wallet = (format!("wallet {wallet}"), format!("wallet-{wallet}"));
                vec![wallet, kalshi(kalshi_key)]
            }
            Self::Embedded { kalshi_key } => vec![kalshi(kalshi_key)],
        }
    }

    /// Takes the locks of the account, in a folder that all traders of this user share.
    pub(super) fn lock(&self, folder: &Path) -> Result<Vec<File>, Error> {
        let seats = self.seats().into_iter();
        seats
            .map(|(what, name)| {
                let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
                let plain: String =
                    name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
                let path = folder.join(format!("{plain}.lock"));
                file::make_folder(&path)?;
                file::lock(&path)?.map_err(|pid| Error::Traded { what, pid })
            })
            .collect()
    }

    /// Makes the journal this account's, or refuses.
    pub(super) fn claim(&self, connection: &Connection, claim: Claim) -> Result<(), Error> {
        let found: Option<String> = connection
            .query_row("SELECT value FROM meta WHERE key = 'account'", [], |row| row.get(0))
            .optional()?;
        let asked = self.name();
        match (&found, self) {
            (None, _) => {}
            (Some(found), _) if *found == asked => return Ok(()),
            (Some(found), Self::Live { wallet, kalshi_key }) => {
                let own = wallet_name(wallet);
                // Journals of the first version name the wallet alone.
                let is_first = *found == own;
                let is_other_key = found.starts_with(&format!("{own}, "));
                match claim {
                    _ if is_first => {}
                    Claim::NewKalshiKey if is_other_key => {}
                    Claim::Same if is_other_key => {
                        let (found, asked) = (found.clone(), kalshi_key.clone());
                        return Err(Error::OtherKey { found, asked });
                    }
                    _ => return Err(Error::OtherAccount { found: found.clone(), asked }),
                }
            }
            (Some(found), _) => return Err(Error::OtherAccount { found: found.clone(), asked }),
        }
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('account', ?1)", [&asked])?;
        Ok(())
    }
}

fn wallet_name(wallet: &str) -> String {
    format!("live, wallet {wallet}")
}

#[cfg(test)]
mod tests {
    use super::super::{Durability, Journal};
    use super::*;

    fn live(wallet: &str, key: &str) -> Account {
        Account::Live { wallet: wallet.to_owned(), kalshi_key: key.to_owned() }
    }

    fn embedded(key: &str) -> Account {
        Account::Embedded { kalshi_key: key.to_owned() }
    }

    struct Desk(tempfile::TempDir);

    impl Desk {
        fn open(&self, name: &str, account: &Account, claim: Claim) -> Result<Journal, Error> {
            let (path, locks) = (self.0.path().join(name), self.0.path().join("state"));
            let opened = Journal::open_for(&path, (account, claim), Durability::Process, &locks);
            opened.map(|(journal, _)| journal)
        }
    }

    #[test]
    fn a_journal_takes_no_other_account_than_its_first() {
        let accounts =
            [Account::Paper, live("0xa", "k1"), live("0xb", "k1"), embedded("k1"), embedded("k2")];
        for first in &accounts {
            let desk = Desk(tempfile::tempdir().unwrap());
            drop(desk.open("a.db", first, Claim::Same).unwrap());
            for other in &accounts {
                let opened = desk.open("a.db", other, Claim::Same);
                assert_eq!(opened.is_ok(), first == other, "{first:?}, then {other:?}");
                if let Err(error) = opened {
                    assert!(error.to_string().contains("--journal"), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_new_kalshi_key_is_taken_when_a_person_says_that_the_account_is_the_same() {
        let desk = Desk(tempfile::tempdir().unwrap());
        let open = |account: &Account, claim| desk.open("a.db", account, claim).map(drop);
        open(&live("0xa", "k1"), Claim::Same).unwrap();
        let error = open(&live("0xa", "k2"), Claim::Same).unwrap_err();
        assert!(matches!(error, Error::OtherKey { .. }), "{error:?}");
        assert!(error.to_string().contains("--new-kalshi-key"), "{error}");
        assert!(open(&live("0xb", "k2"), Claim::NewKalshiKey).is_err(), "that is another wallet");
        open(&live("0xa", "k2"), Claim::NewKalshiKey).unwrap();
        open(&live("0xa", "k2"), Claim::Same).unwrap();
        open(&live("0xa", "k1"), Claim::Same).unwrap_err();
    }

    #[test]
    fn two_journals_cannot_trade_one_account() {
        let desk = Desk(tempfile::tempdir().unwrap());
        let held = desk.open("a.db", &live("0xa", "k1"), Claim::Same).unwrap();
        let pid = std::process::id().to_string();
        for (account, what) in [
            (live("0xa", "k1"), "wallet 0xa"),
            (live("0xa", "k2"), "wallet 0xa"),
            (live("0xb", "k1"), "kalshi key k1"),
            (embedded("k1"), "kalshi key k1"),
        ] {
            let error = desk.open("b.db", &account, Claim::Same).unwrap_err();
            assert_eq!(error, Error::Traded { what: what.to_owned(), pid: pid.clone() });
        }
        desk.open("c.db", &Account::Paper, Claim::Same).unwrap();
        drop(held);
        desk.open("d.db", &live("0xa", "k1"), Claim::Same).unwrap();
    }

    #[test]
    fn a_journal_that_somebody_holds_is_not_touched() {
        let desk = Desk(tempfile::tempdir().unwrap());
        let path = desk.0.path().join("a.db");
        let held = file::lock(&file::lock_path(&path)).unwrap().unwrap();
        let error = desk.open("a.db", &Account::Paper, Claim::Same).unwrap_err();
        assert!(matches!(error, Error::Held { .. }), "{error:?}");
        assert!(!path.exists(), "no schema is brought up to date behind a trader's back");
        drop(held);
    }
}
