"""Lets the venue's own Python client trade at the embedded Polymarket.

Nothing of the client is changed but the host. A shape or a route that it stumbles over is a fault
of the exchange. Needs `py-clob-client-v2`; host and key come from the command line or from the
environment (`POLYMARKET_CLOB`, `POLYMARKET_DATA`, `POLYMARKET_KEY_FILE`). Says what it checked and
ends with status 1 at the first thing that is not as it should be.
"""

import argparse
import json
import os
import sys
import time
import urllib.request
from decimal import Decimal

from py_clob_client_v2 import clob_types as types
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.exceptions import PolyApiException

CHAIN_ID = 137


SAID = set()


def check(what, held, seen=None):
    """Says what was checked, once; ends the run when it does not hold."""
    if not held:
        print(f"FAILED  {what}: {seen!r}")
        sys.exit(1)
    if what not in SAID:
        print(f"ok      {what}")
    SAID.add(what)


def refused(call):
    """The status and the body of a call that has to be refused."""
    try:
        answer = call()
    except PolyApiException as error:
        return error.status_code, error.error_msg
    return 200, answer


def until(what, question, seconds=15):
    """Asks until the answer is not empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            check(what, True)
            return answer
        time.sleep(0.1)
    check(what, False, "did not happen in time")


def read(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def keys(client):
    creds = client.create_or_derive_api_key()
    check("a key is made for the wallet", creds.api_key and creds.api_secret, creds.api_key)
    again = client.derive_api_key()
    check("deriving it gives the same key", again.api_key == creds.api_key, again.api_key)
    client.set_api_creds(creds)
    listed = client.get_api_keys()
    check("the key is listed", creds.api_key in listed["apiKeys"], listed)
    check("the account may trade", client.get_closed_only_mode()["closed_only"] is False)
    check("the version is 2", client.get_version() == 2, client.get_version())
    off = abs(int(client.get_server_time()) - time.time())
    check("the clock is right", off < 5, off)


def find_market(client):
    """A market with offers, and its cheapest offer of YES."""
    listed = client.get_sampling_markets()["data"]
    check("markets are listed", len(listed) > 0, listed)
    found = []
    for market in listed:
        token = market["tokens"][0]["token_id"]
        book = client.get_order_book(token)
        asks = [Decimal(level["price"]) for level in book["asks"]]
        bids = [Decimal(level["price"]) for level in book["bids"]]
        # Far from the ends an order of a few dollars is large enough, and a bid can stand below.
        if asks and bids and Decimal("0.15") < min(asks) < Decimal("0.85"):
            check("the last offer of a book is its best", asks[-1] == min(asks), book["asks"])
            check("the last bid of a book is its best", bids[-1] == max(bids), book["bids"])
            found.append(market)
    check("a market has offers to take", found)
    return found[0]


def rest(client, market, token):
    """A bid far below the book: placed, listed, cancelled."""
    order = types.OrderArgsV2(token_id=token, price=0.05, size=40, side="BUY")
    posted = client.create_and_post_order(order)
    check("a bid that rests is live", posted["status"] == "live" and posted["success"], posted)
    order_id = posted["orderID"]
    mine = client.get_open_orders(types.OpenOrderParams(market=market["condition_id"]))
    check("it is listed", [row["id"] for row in mine] == [order_id], mine)
    row = client.get_order(order_id)
    seen = (row["status"], row["side"], row["price"], row["original_size"], row["size_matched"])
    check("it reads as it was meant", seen == ("LIVE", "BUY", "0.05", "40", "0"), seen)
    gone = client.cancel_order(types.OrderPayload(orderID=order_id))
    check("it is cancelled", gone == {"canceled": [order_id], "not_canceled": {}}, gone)
    again = client.cancel_order(types.OrderPayload(orderID=order_id))
    check("it is cancelled once", order_id in again["not_canceled"], again)
    check("nothing is left", client.get_open_orders() == [])
    status, why = refused(lambda: client.post_order(client.create_order(
        types.OrderArgsV2(token_id=token, price=0.05, size=1, side="BUY"))))
    check("a bid below the minimum is refused", status == 400 and "lower than the minimum" in
          str(why), (status, why))


def collateral(client):
    params = types.BalanceAllowanceParams(asset_type=types.AssetType.COLLATERAL)
    client.update_balance_allowance(params)
    answer = client.get_balance_allowance(params)
    check("the exchange may move the collateral", all(
        int(allowed) > 0 for allowed in answer["allowances"].values()), answer)
    return Decimal(answer["balance"]) / 1_000_000


def shares(client, token):
    answer = client.get_balance_allowance(types.BalanceAllowanceParams(
        asset_type=types.AssetType.CONDITIONAL, token_id=token))
    return Decimal(answer["balance"]) / 1_000_000


def take(client, token):
    """A FAK that spends ten dollars; tries again when an agent was faster."""
    for _ in range(20):
        book = client.get_order_book(token)
        asks = [Decimal(level["price"]) for level in book["asks"]]
        order = types.MarketOrderArgsV2(
            token_id=token, amount=10, side="BUY", price=float(min(asks)), order_type="FAK")
        status, answer = refused(lambda: client.post_order(
            client.create_market_order(order), order_type="FAK"))
        if status == 200:
            check("a FAK matches", answer["status"] == "matched", answer)
            return answer
        check("a FAK that finds nothing is refused with 400", status == 400, (status, answer))
    check("a FAK found something", False, answer)


def settle(client, token, before, posted):
    spent, got = Decimal(posted["makingAmount"]), Decimal(posted["takingAmount"])
    check("it spent no more than it might", 0 < spent <= 10, posted)
    check("its trades are named", len(posted["tradeIDs"]) > 0, posted)
    for trade_id in posted["tradeIDs"]:
        def confirmed():
            found = client.get_trades(types.TradeParams(id=trade_id))
            return [t for t in found if t["status"] == "TRADE_STATUS_CONFIRMED"]
        trade = until("a trade is confirmed", confirmed)[0]
        check("it names our order", trade["taker_order_id"] == posted["orderID"], trade)
        check("it has a transaction", trade["transaction_hash"].startswith("0x"), trade)
        check("its makers add up to its size", sum(
            Decimal(maker["matched_amount"]) for maker in trade["maker_orders"])
            == Decimal(trade["size"]), trade)
    check("the shares are there", shares(client, token) == got, shares(client, token))
    paid = before - collateral(client)
    check("the fee was charged on top", 0 <= paid - spent < spent / 10, (paid, spent))
    return got


def positions(data, client, token, got):
    rows = read(f"{data}/v2/positions?user={client.get_address()}")["data"]
    mine = [row for row in rows if row["token_id"] == token]
    held = sum(Decimal(str(row["current_size"])) for row in mine)
    check("the position is listed", held == got, rows)
    approvals = read(f"{data}/v2/approvals?user={client.get_address()}")["data"]
    check("everything is approved", all(row["approved"] for row in approvals["contracts"]))


def sell(client, token, got):
    """Sells whole hundredths of what was bought."""
    amount = float(int(got * 100)) / 100
    for _ in range(20):
        bids = [Decimal(level["price"]) for level in client.get_order_book(token)["bids"]]
        order = types.MarketOrderArgsV2(
            token_id=token, amount=amount, side="SELL", price=float(max(bids)), order_type="FAK")
        status, answer = refused(lambda: client.post_order(
            client.create_market_order(order), order_type="FAK"))
        if status == 200:
            check("a SELL matches", answer["status"] == "matched", answer)
            return
    check("a SELL found something", False, answer)


def beat(client):
    first = client.post_heartbeat("")
    second = client.post_heartbeat(first["heartbeat_id"])
    check("heartbeats follow each other", second["heartbeat_id"] != first["heartbeat_id"], second)
    status, why = refused(lambda: client.post_heartbeat("00000000-0000-0000-0000-000000000000"))
    check("a wrong heartbeat is refused", status == 400, why)
    check("and names the right one", second["heartbeat_id"] in str(why), why)
    check("cancel-all finds nothing to cancel", client.cancel_all()["canceled"] == [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clob", default=os.environ.get("POLYMARKET_CLOB"))
    parser.add_argument("--data", default=os.environ.get("POLYMARKET_DATA"))
    parser.add_argument("--key-file", default=os.environ.get("POLYMARKET_KEY_FILE"))
    args = parser.parse_args()
    if not (args.clob and args.data and args.key_file):
        parser.error("--clob, --data and --key-file are needed")
    with open(args.key_file, encoding="ascii") as file:
        key = file.read().strip()
    client = ClobClient(args.clob, chain_id=CHAIN_ID, key=key)
    keys(client)
    market = find_market(client)
    token = market["tokens"][0]["token_id"]
    before = collateral(client)
    rest(client, market, token)
    check("a cancelled bid costs nothing", collateral(client) == before, collateral(client))
    posted = take(client, token)
    got = settle(client, token, before, posted)
    positions(args.data, client, token, got)
    sell(client, token, got)
    beat(client)
    print("all as it should be")


if __name__ == "__main__":
    main()
