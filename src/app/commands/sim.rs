//! `crossbook sim`: the embedded exchanges alone, until Ctrl-C.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use crate::app::args::Sim;
use crate::app::embedded::{Embedded, Setup, Troubles};
use crate::app::exit::Exit;
use crate::app::shutdown;
use crate::ui::cli::record;

/// Runs the command.
pub fn run(args: &Sim) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(sim(args))
}

async fn sim(args: &Sim) -> anyhow::Result<Exit> {
    let (stopper, mut stopping) = shutdown::channel();
    shutdown::on_signals(stopper);
    let setup = Setup {
        seed: args.seed,
        steps: None,
        lasts: args.faults_within.map(Duration::from_secs),
        troubles: if args.faults { Troubles::Lasting } else { Troubles::None },
        port: args.port,
        images_max: 0,
    };
    let embedded = Embedded::start(&setup).await?;
    embedded.running.publish(embedded.configuration());
    for exchange in [embedded.kalshi_record(), embedded.polymarket_record()] {
        let text = if args.json { record::line(&exchange) + "\n" } else { people(&exchange) };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    let stop = stopping.wait().await;
    let Embedded { running, .. } = embedded;
    running.stop().await;
    Ok(stop.exit())
}

fn people(exchange: &Value) -> String {
    let mut text = format!("{}\n", exchange["venue"].as_str().unwrap_or_default());
    for (name, value) in exchange.as_object().into_iter().flatten() {
        match value {
            Value::String(value) if name != "kind" && name != "venue" => {
                text.push_str(&format!("  {name:<16} {value}\n"));
            }
            Value::Array(markets) => {
                for market in markets {
                    let title = market["title"].as_str().map(|title| format!("  {title}"));
                    let id = market.as_str().or_else(|| market["condition"].as_str());
                    let (id, title) = (id.unwrap_or_default(), title.unwrap_or_default());
                    text.push_str(&format!("  market           {id}{title}\n"));
                }
            }
            _ => {}
        }
    }
    text.push('\n');
    text
}
