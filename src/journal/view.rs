//! What people ask a journal, as views over its records.
//!
//! Amounts stand twice: in whole millionths (`_micros`), which sum without loss, and as decimal
//! text under the plain name. Times are UTC.

use std::fmt::Write as _;

/// What stands in a column.
#[derive(Debug, Clone, Copy)]
enum Is {
    /// A column of `records` or another expression.
    Sql(&'static str),
    /// A field of the body.
    Field(&'static str),
    /// Millionths of a dollar or contract, twice.
    Amount(&'static str),
    /// Ten-thousandths of a dollar.
    Price(&'static str),
    /// Nanoseconds, from an expression.
    Time(&'static str),
    /// A market's number in a field; its id at the venue.
    Market(&'static str),
}

use Is::{Amount, Field, Market, Price, Sql, Time};

struct View {
    name: &'static str,
    columns: &'static [(&'static str, Is)],
    from: &'static str,
}

const ORDER: &str = "records WHERE kind = 'placed'";
const EVIDENCE: &str = "records WHERE kind = 'reported'";
const FILL: &str = "records WHERE kind = 'reported' AND body ->> '$.evidence.is' = 'fill'";
const LEGS: &str = "(SELECT seq, trade, at_nanos, leg.key AS place, leg.value AS body \
    FROM records, json_each(records.body, '$.plan.legs') AS leg WHERE records.kind = 'opened')";
const CASH: &str = "(SELECT seq, at_nanos, records.body ->> '$.venue' AS venue, \
    purse.value AS body \
    FROM records, json_each(records.body, '$.purses') AS purse \
    WHERE kind = 'reported' AND records.body ->> '$.report' = 'cash')";
const TRADE: &str = "records WHERE kind = 'opened'";
/// The last state that a trade moved to.
const STATE: &str = "(SELECT moved.body ->> '$.to' FROM records AS moved \
    WHERE moved.trade = records.trade AND moved.kind = 'moved' ORDER BY moved.seq DESC LIMIT 1)";

/// How long an answer was waited for.
const WAITED: &str = "(SELECT (heard.at_nanos - sent.at_nanos) / 1000000.0 FROM sent \
    WHERE sent.number = heard.request)";

const VIEWS: [View; 18] = [
    View {
        name: "trades",
        columns: &[
            ("seq", Sql("seq")),
            ("trade", Sql("trade")),
            ("at", Time("at_nanos")),
            ("pair", Field("plan.pair")),
            ("kind", Field("plan.kind")),
            ("stages", Field("plan.stages")),
            ("state", Sql(STATE)),
            ("quantity", Amount("plan.quantity_micros")),
            ("profit", Amount("plan.profit_micros")),
            ("loss_max", Amount("plan.loss_max_micros")),
            ("reserve", Amount("plan.reserve_micros")),
        ],
        from: TRADE,
    },
    View {
        name: "decisions",
        columns: &[
            ("seq", Sql("seq")),
            ("trade", Sql("trade")),
            ("at", Time("at_nanos")),
            ("leg", Sql("place")),
            ("venue", Field("venue")),
            ("market", Market("market")),
            ("outcome", Field("outcome")),
            ("limit_price", Price("limit_units")),
            ("size_in", Field("size")),
            ("size", Amount("size_micros")),
            ("quantity", Amount("quantity_micros")),
            ("cost_max", Amount("cost_max_micros")),
            ("fee_max", Amount("fee_max_micros")),
        ],
        from: LEGS,
    },
    View {
        name: "intents",
        columns: &[
            ("seq", Sql("seq")),
            ("intent", Sql("intent")),
            ("trade", Sql("trade")),
            ("at", Time("at_nanos")),
            ("venue", Field("venue")),
            ("market", Market("market")),
            ("outcome", Field("outcome")),
            ("action", Field("action")),
            ("limit_price", Price("limit_units")),
            ("size_in", Field("size")),
            ("size", Amount("size_micros")),
            ("lifetime", Field("lifetime")),
            ("purpose", Field("purpose")),
        ],
        from: ORDER,
    },
    View {
        name: "order_names",
        columns: &[("seq", Sql("seq")), ("intent", Sql("intent")), ("id", Field("order_id"))],
        from: "records WHERE kind = 'named'",
    },
    View {
        name: "reports",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("at_nanos")),
            ("report", Field("report")),
            ("intent", Sql("intent")),
            ("venue", Field("venue")),
            ("market", Market("market")),
            ("evidence", Field("evidence.is")),
            ("reason", Field("evidence.reason")),
            ("code", Field("evidence.code")),
            ("text", Sql("coalesce(body ->> '$.evidence.text', body ->> '$.text')")),
            ("body", Sql("body")),
        ],
        from: EVIDENCE,
    },
    View {
        name: "fills",
        columns: &[
            ("seq", Sql("seq")),
            ("intent", Sql("intent")),
            ("order_id", Field("order_id")),
            ("venue_trade", Field("evidence.venue_trade")),
            ("finality", Field("evidence.finality")),
            ("quantity", Amount("evidence.quantity_micros")),
            ("money", Amount("evidence.money_micros")),
            ("fee", Amount("evidence.fee_micros")),
            ("fee_from", Field("evidence.fee_from")),
            ("filled", Time("(body ->> '$.evidence.at_nanos')")),
            ("heard", Time("at_nanos")),
        ],
        from: FILL,
    },
    View {
        name: "transitions",
        columns: &[
            ("seq", Sql("seq")),
            ("trade", Sql("trade")),
            ("at", Time("at_nanos")),
            ("state", Field("to")),
            ("why", Field("why")),
        ],
        from: "records WHERE kind = 'moved'",
    },
    View {
        name: "merges",
        columns: &[
            ("seq", Sql("seq")),
            ("trade", Sql("trade")),
            ("at", Time("at_nanos")),
            ("market", Market("market")),
            ("quantity", Amount("quantity_micros")),
        ],
        from: "records WHERE kind = 'merged'",
    },
    View {
        name: "settlements",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("(body ->> '$.at_nanos')")),
            ("venue", Field("venue")),
            ("market", Field("id")),
            ("yes_pays", Amount("yes_pays_micros")),
            ("paid", Amount("paid_micros")),
        ],
        from: "records WHERE kind = 'reported' AND body ->> '$.report' = 'settled'",
    },
    View {
        name: "movements",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("(body ->> '$.at_nanos')")),
            ("told_at", Time("at_nanos")),
            ("venue", Field("venue")),
            ("id", Field("id")),
            ("what", Field("as")),
            ("amount", Amount("amount_micros")),
            ("fee", Amount("fee_micros")),
        ],
        from: "records WHERE kind = 'reported' AND body ->> '$.report' = 'moved'",
    },
    View {
        name: "bookings",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("at_nanos")),
            ("venue", Field("venue")),
            ("line", Field("line")),
            ("amount", Amount("amount_micros")),
            ("why", Field("why")),
        ],
        from: "records WHERE kind = 'booked'",
    },
    View {
        name: "adoptions",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("at_nanos")),
            ("venue", Field("venue")),
            ("market", Market("market")),
            ("outcome", Field("outcome")),
            ("quantity", Amount("quantity_micros")),
        ],
        from: "records WHERE kind = 'adopted'",
    },
    View {
        name: "balances",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("at_nanos")),
            ("venue", Sql("venue")),
            ("shard", Field("shard")),
            ("cash", Amount("cash_micros")),
        ],
        from: CASH,
    },
    View {
        name: "incidents",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("at_nanos")),
            ("name", Field("name")),
            ("trade", Sql("trade")),
            ("text", Field("text")),
        ],
        from: "records WHERE kind = 'incident'",
    },
    View {
        name: "halts",
        columns: &[
            ("seq", Sql("seq")),
            ("at", Time("at_nanos")),
            ("event", Sql("kind")),
            ("pair", Field("scope.pair")),
            ("venue", Field("scope.venue")),
            ("why", Field("why")),
        ],
        from: "records WHERE kind IN ('halted', 'resumed')",
    },
    View {
        name: "requests",
        columns: &[
            ("number", Sql("number")),
            ("at", Time("at_nanos")),
            ("venue", Sql("venue")),
            ("intent", Sql("intent")),
            ("kind", Sql("kind")),
            ("method", Sql("method")),
            ("url", Sql("url")),
            ("body", Sql("body")),
        ],
        from: "sent",
    },
    View {
        name: "replies",
        columns: &[
            ("request", Sql("request")),
            ("at", Time("at_nanos")),
            ("after_ms", Sql(WAITED)),
            ("status", Sql("status")),
            ("body", Sql("body")),
        ],
        from: "heard",
    },
    View {
        name: "accepted_pairs",
        columns: &[
            ("pair", Sql("pair")),
            ("fingerprint", Sql("fingerprint")),
            ("at", Time("at_nanos")),
        ],
        from: "acceptances",
    },
];

fn column(sql: &mut String, name: &str, is: Is) -> std::fmt::Result {
    match is {
        Sql(text) => write!(sql, "{text} AS {name}"),
        Field(path) => write!(sql, "body ->> '$.{path}' AS {name}"),
        Amount(path) => {
            let raw = format!("(body ->> '$.{path}')");
            write!(
                sql,
                "{raw} AS {name}_micros, CASE WHEN {raw} IS NOT NULL THEN printf('%s%d.%06d', \
                 iif({raw} < 0, '-', ''), abs({raw} / 1000000), abs({raw} % 1000000)) END AS {name}"
            )
        }
        Price(path) => {
            let raw = format!("(body ->> '$.{path}')");
            write!(sql, "printf('0.%04d', {raw}) AS {name}")
        }
        Time(raw) => write!(
            sql,
            "CASE WHEN {raw} IS NOT NULL THEN printf('%s.%09dZ', \
             strftime('%Y-%m-%dT%H:%M:%S', {raw} / 1000000000, 'unixepoch'), \
             {raw} % 1000000000) END AS {name}"
        ),
        Market(path) => {
            write!(sql, "(SELECT id FROM markets WHERE number = body ->> '$.{path}') AS {name}")
        }
    }
}

/// Drops all views and makes them anew.
pub(super) fn create_all() -> String {
    let mut sql = String::new();
    for View { name, columns, from } in &VIEWS {
        // Writing into a string does not fail.
        let _ = write!(sql, "DROP VIEW IF EXISTS {name};\nCREATE VIEW {name} AS SELECT ");
        for (place, (name, is)) in columns.iter().enumerate() {
            sql.push_str(if place == 0 { "" } else { ", " });
            let _ = column(&mut sql, name, *is);
        }
        let _ = writeln!(sql, " FROM {from};");
    }
    sql
}

/// The names of all views.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VIEWS.iter().map(|view| view.name)
}
