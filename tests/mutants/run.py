#!/usr/bin/env python3
"""Breaks guards one by one in a copy of the tree, and shows what notices.

    tests/mutants/run.py [--seeds N] [NUMBER ...]

All mutants are built at once into target/mutants, each asleep until CROSSBOOK_MUTANT names it; so
one build serves them all. For each, the unit tests of the trading core and N seeds of the swarm
run; a mutant that neither notices is said to survive, and the exit code is 1.
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "mutants" / "tree"
BUILD = ROOT / "target" / "mutants" / "build"
PARTS = ["Cargo.toml", "Cargo.lock", "clippy.toml", "src", "tests", "benches", "mappings"]
# What is broken may loop, or ask for all memory there is.
TIME_MAX = 900
MEMORY_MAX = 8 << 30
UNITS = ["execute::", "risk::", "plan::", "engine::", "app::desk", "journal::"]

# What is broken, where, what stands there, and what stands there instead.
MUTANTS = [
    (
        "send before the journal has the intent",
        "src/app/desk/placing.rs",
        "            Ok(()) => {\n"
        "                let Order { intent, trade, purpose, .. } = *order;\n",
        "            Ok(()) if crate::mutant(1) => self.send(call, now),\n"
        "            Ok(()) => {\n"
        "                let Order { intent, trade, purpose, .. } = *order;\n",
    ),
    (
        "take a timeout for a refusal",
        "src/execute/order_state.rs",
        "            Evidence::Unclear(_) => News::Unclear,\n",
        "            Evidence::Unclear(_) if crate::mutant(2) => News::Refused,\n"
        "            Evidence::Unclear(_) => News::Unclear,\n",
    ),
    (
        "ignore what a BUY by collateral brought beyond its limit",
        "src/execute/order_state.rs",
        "        let mut booked = Booked { total: self.held(), ..Booked::default() };\n",
        "        let mut booked = Booked { total: self.held(), ..Booked::default() };\n"
        "        if crate::mutant(3) && let Size::Collateral(money) = self.order.size {\n"
        "            let most = money.buys_floor(self.order.limit);\n"
        "            booked.total.quantity = booked.total.quantity.min(most);\n"
        "        }\n",
    ),
    (
        "forget Polymarket's fees",
        "src/execute/order_state.rs",
        "                Fee::Computed(fee) => booked.fee_computed += fee,\n",
        "                Fee::Computed(_) if crate::mutant(4) => {}\n"
        "                Fee::Computed(fee) => booked.fee_computed += fee,\n",
    ),
    (
        "count a fill as often as it is told",
        "src/execute/order_state.rs",
        "        let Some(known) = self.fills.get_mut(&fill.trade) else {\n",
        "        if crate::mutant(5) && self.fills.contains_key(&fill.trade) {\n"
        "            let name = format!(\"{}-{}\", fill.trade, self.fills.len());\n"
        "            self.fills.insert(name, fill.clone());\n"
        "            return;\n"
        "        }\n"
        "        let Some(known) = self.fills.get_mut(&fill.trade) else {\n",
    ),
    (
        "hold an order to be gone as soon as one reading lacks it",
        "src/execute/order_state.rs",
        "                let first = *self.missing.get_or_insert(*as_of);\n",
        "                if crate::mutant(6) {\n"
        "                    return Some(News::Missing);\n"
        "                }\n"
        "                let first = *self.missing.get_or_insert(*as_of);\n",
    ),
    (
        "release what is reserved before the legs have ended",
        "src/execute/outlay.rs",
        "            let dollars = stands.max(Money::ZERO) + own.open() + held_back;\n",
        "            let held_back = if crate::mutant(7) { Money::ZERO } else { held_back };\n"
        "            let dollars = stands.max(Money::ZERO) + own.open() + held_back;\n",
    ),
    (
        "finish a leg while its hedge is unknown",
        "src/execute/trade.rs",
        "        self.is_open |= tracked.phase().is_open();\n",
        "        let forgets = crate::mutant(8) && tracked.phase() == OrderPhase::Unknown;\n"
        "        self.is_open |= tracked.phase().is_open() && !forgets;\n",
    ),
    (
        "take a match that failed for money",
        "src/execute/order_state.rs",
        "            (Finality::Matched | Finality::Confirmed, Finality::Failed) => {\n",
        "            (_, Finality::Failed) if crate::mutant(9) => {}\n"
        "            (Finality::Matched | Finality::Confirmed, Finality::Failed) => {\n",
    ),
    (
        "sell what is not confirmed",
        "src/execute/unwind.rs",
        "            Kind::Enter => quantity.min(held.saturating_sub(own.unconfirmed)),\n",
        "            Kind::Enter if crate::mutant(10) => quantity,\n"
        "            Kind::Enter => quantity.min(held.saturating_sub(own.unconfirmed)),\n",
    ),
    (
        "forget that Kalshi nets YES against NO",
        "src/execute/ledger.rs",
        "        if self.venue != Venue::Kalshi {\n            return Money::ZERO;\n",
        "        if self.venue != Venue::Kalshi || crate::mutant(11) {\n"
        "            return Money::ZERO;\n",
    ),
    (
        "approve beyond the limit of a venue",
        "src/risk/mod.rs",
        "            within(sums.venues[at], held, limits.venues[at], NoTrade::LimitVenue)?;\n",
        "            if !crate::mutant(12) {\n"
        "                within(sums.venues[at], held, limits.venues[at], NoTrade::LimitVenue)?;\n"
        "            }\n",
    ),
    (
        "let a halt stop what reduces",
        "src/risk/mod.rs",
        "        if !order.purpose.reduces() && !has_begun {\n",
        "        if crate::mutant(13) || !order.purpose.reduces() && !has_begun {\n",
    ),
    (
        "look again at only the first of the trades that a record changed",
        "src/execute/index.rs",
        "        for trade in trades.iter().filter_map(|id| self.trades.get(id)) {\n",
        "        let trades = if crate::mutant(14) { &trades[..trades.len().min(1)] } else { trades };\n"
        "        for trade in trades.iter().filter_map(|id| self.trades.get(id)) {\n",
    ),
    (
        "hold back again what was let go when the trade came to rest",
        "src/execute/outlay.rs",
        "            self.released = Some(self.accounts(orders).map(|own| own.paid()));\n        }\n",
        "            let paid = self.accounts(orders).map(|own| own.paid());\n"
        "            self.released = (!crate::mutant(15)).then_some(paid);\n        }\n",
    ),
    (
        "find room for anything",
        "src/engine/trade/floor.rs",
        "        self.risk.room(trade, exposure, self.now)\n",
        "        if crate::mutant(16) {\n"
        "            let all = crate::domain::Money::from_micros(1_000_000_000_000);\n"
        "            return Room { venues: [all; 2], all };\n"
        "        }\n"
        "        self.risk.room(trade, exposure, self.now)\n",
    ),
    (
        "lend the same room to all",
        "src/execute/executor.rs",
        "        self.has_borrowed |= draft.borrows;\n",
        "        self.has_borrowed |= draft.borrows && !crate::mutant(17);\n",
    ),
]

SWITCH = '''
/// Whether this mutant is awake.
pub fn mutant(number: u32) -> bool {
    static AWAKE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let read = || std::env::var("CROSSBOOK_MUTANT").ok().and_then(|text| text.parse().ok());
    *AWAKE.get_or_init(|| read().unwrap_or(0)) == number
}
'''


def make_tree():
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, COPY / part)
    for name, path, before, after in MUTANTS:
        file = COPY / path
        text = file.read_text()
        if text.count(before) != 1:
            sys.exit(f"mutant '{name}' fits {text.count(before)} places of {path}: mend run.py")
        file.write_text(text.replace(before, after))
    library = COPY / "src" / "lib.rs"
    library.write_text(library.read_text() + SWITCH)


def build():
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "test", "--locked", "--no-run", "--lib", "--test", "it"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(BUILD), "CARGO_TERM_COLOR": "never"}
    done = subprocess.run(command, cwd=COPY, env=environment, text=True, capture_output=True)
    if done.returncode:
        sys.exit(done.stderr)
    return [str(path) for path in re.findall(r"\(([^()\s]+/deps/[^()\s]+)\)", done.stderr)]


def fails(binary, arguments, number, seeds):
    environment = {
        **os.environ,
        "CROSSBOOK_MUTANT": str(number),
        "CROSSBOOK_SWARM_SEEDS": str(seeds),
        "RUST_BACKTRACE": "0",
    }
    try:
        done = subprocess.run(
            [binary, *arguments],
            cwd=COPY,
            env=environment,
            text=True,
            capture_output=True,
            timeout=TIME_MAX,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX)),
        )
    except subprocess.TimeoutExpired:
        return (True, ["a test that does not end"], [])
    named = re.findall(r"^    (\S+)$", done.stdout, re.M)
    rules = re.findall(r"seeds failed: (\{.*?\})$", done.stdout, re.M)
    return (done.returncode != 0, sorted(set(named)), rules)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=300, help="seeds of the swarm for each")
    parser.add_argument("numbers", nargs="*", type=int, help="only these mutants")
    chosen = parser.parse_args()
    make_tree()
    library, swarm = build()
    survived = []
    for number in [0, *(chosen.numbers or range(1, len(MUTANTS) + 1))]:
        name = MUTANTS[number - 1][0] if number else "nothing is broken"
        units = fails(library, UNITS, number, chosen.seeds)
        seeds = fails(swarm, ["swarm::every_rule"], number, chosen.seeds)
        by_unit = f"{len(units[1])} unit tests ({units[1][0]}, ...)" if units[0] else "no unit test"
        by_seed = f"the swarm {seeds[2][0] if seeds[2] else ''}" if seeds[0] else "no seed"
        print(f"{number:>2} {name}: {by_unit}; {by_seed}", flush=True)
        if bool(number) != (units[0] or seeds[0]):
            survived.append(number)
    if survived:
        sys.exit(f"not as they should be: {survived}")


if __name__ == "__main__":
    main()
