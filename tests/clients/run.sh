#!/usr/bin/env bash
# Lets both venues' own Python clients trade at the embedded exchanges.
#
# They read the protocols a third time, and none of us wrote that reading. Needs Python 3.9 or later
# with venv, and target/debug/crossbook. The clients go into the folder that CROSSBOOK_CLIENTS names,
# where the next run finds them again, or into a temporary one. Where PyPI cannot be reached this
# says so and succeeds; everything else that goes wrong fails.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Without the option pip takes a Kalshi client of another year for a Python before 3.13, which it
# asks for and does not need.
KALSHI_CLIENT='kalshi_python_sync==3.34.0'
KALSHI_NEEDS='cryptography lazy_imports pydantic python-dateutil typing_extensions urllib3'
POLYMARKET_CLIENT='py-clob-client-v2==1.2.1'

crossbook="${CARGO_TARGET_DIR:-target}/debug/crossbook"
work="$(mktemp -d)"
venv="${CROSSBOOK_CLIENTS:-$work}/venv"
sim=''

finish() {
  if [ -n "$sim" ]; then
    kill -INT "$sim" 2>/dev/null || true
    wait "$sim" || true
  fi
  rm -rf "$work"
}
trap finish EXIT

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

pip_install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
    "$@" >>"$work/pip.log" 2>&1
}

install() {
  # shellcheck disable=SC2086 # one word for each package
  pip_install "$POLYMARKET_CLIENT" $KALSHI_NEEDS \
    && pip_install --no-deps --ignore-requires-python "$KALSHI_CLIENT"
}

prepare() {
  local wanted="$POLYMARKET_CLIENT $KALSHI_CLIENT"
  if [ "$(cat "$venv/installed" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  python3 -m venv --clear "$venv" \
    || fail 'python3 with venv is needed (apt-get install python3-venv)'
  if ! install; then
    if grep -qE 'connection broken by|Max retries exceeded|Connection to .* timed out' \
      "$work/pip.log"; then
      echo 'skipped: PyPI cannot be reached'
      exit 0
    fi
    cat "$work/pip.log" >&2
    fail 'the clients could not be installed'
  fi
  printf '%s\n' "$wanted" >"$venv/installed"
}

# Prints a field of what the exchanges said at their start.
field() {
  "$venv/bin/python" - "$work/sim" "$1" "$2" <<'PYTHON'
import json, sys

path, venue, field = sys.argv[1:]
with open(path, encoding="utf-8") as lines:
    print(*(record[field] for record in map(json.loads, lines) if record["venue"] == venue))
PYTHON
}

start() {
  : >"$work/sim"
  "$crossbook" sim --json --port 0 >"$work/sim" 2>"$work/sim.log" &
  sim=$!
  for _ in {1..100}; do
    if [ "$(grep -c '"kind":"exchange"' "$work/sim")" = 2 ]; then
      return
    fi
    kill -0 "$sim" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/sim.log" >&2
  fail 'the embedded exchanges did not start'
}

trades() {
  echo "$1:"
  timeout 120 "$venv/bin/python" "tests/clients/$1.py" \
    || fail "$1: its own client did not find what it expects"
}

[ -x "$crossbook" ] || fail "$crossbook is missing: cargo build"
prepare
start
KALSHI_REST="$(field kalshi rest)"
KALSHI_KEY_ID="$(field kalshi key_id)"
KALSHI_KEY_FILE="$(field kalshi key_file)"
POLYMARKET_CLOB="$(field polymarket clob)"
POLYMARKET_DATA="$(field polymarket data)"
POLYMARKET_KEY_FILE="$(field polymarket wallet_key_file)"
export KALSHI_REST KALSHI_KEY_ID KALSHI_KEY_FILE
export POLYMARKET_CLOB POLYMARKET_DATA POLYMARKET_KEY_FILE
trades kalshi
trades polymarket
