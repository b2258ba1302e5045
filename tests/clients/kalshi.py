#!/usr/bin/env python3
"""Lets Kalshi's official Python client trade at the embedded exchange.

Needs the package `kalshi_python_sync` (3.34 or later) and a running `crossbook sim --json`. Only the
base URL and the key differ from a client of the real exchange.

    kalshi.py --base URL --key-id ID --key-file PEM

Each argument may come from the environment instead: KALSHI_REST, KALSHI_KEY_ID, KALSHI_KEY_FILE.
Prints one line for each thing it checked; exits with 1 at the first thing that is not as it should
be.
"""

import argparse
import os
import sys
import time
import uuid
from decimal import Decimal

from kalshi_python_sync import Configuration, KalshiClient
from kalshi_python_sync.exceptions import ApiException


def check(what, holds, seen=None):
    if not holds:
        sys.exit(f"WRONG  {what}: {seen}")
    print(f"ok     {what}")


def refused(what, status, code, call):
    try:
        seen = call()
    except ApiException as error:
        holds = error.status == status and code in str(error.body)
        check(f"{what}: {status} {code}", holds, (error.status, error.body))
        return
    sys.exit(f"WRONG  {what}: accepted: {seen}")


def arguments():
    parser = argparse.ArgumentParser()
    for name, variable in [
        ("--base", "KALSHI_REST"),
        ("--key-id", "KALSHI_KEY_ID"),
        ("--key-file", "KALSHI_KEY_FILE"),
    ]:
        parser.add_argument(name, default=os.environ.get(variable))
    given = parser.parse_args()
    if None in (given.base, given.key_id, given.key_file):
        parser.error("base, key id and key file are needed")
    return given


def connect(given):
    configuration = Configuration(host=given.base)
    configuration.api_key_id = given.key_id
    with open(given.key_file, encoding="ascii") as file:
        configuration.private_key_pem = file.read()
    return KalshiClient(configuration)


def eventually(what, call, passes):
    """What rests at one moment may be taken at the next: some things need a few tries."""
    seen = None
    for _ in range(20):
        seen = call()
        if passes(seen):
            check(what, True)
            return seen
        time.sleep(0.2)
    sys.exit(f"WRONG  {what}: {seen}")


def public(client):
    status = client.get_exchange_status()
    shards = [shard.exchange_index for shard in status.exchange_index_statuses]
    check("exchange is active on both shards", status.trading_active and shards == [0, 2], shards)
    client.get_exchange_schedule()
    markets = client.get_markets(status="open").markets
    check("eight markets are open", len(markets) == 8, len(markets))
    first = next(market for market in markets if market.exchange_index == 0)
    coin = next(market for market in markets if market.exchange_index == 2)
    one = client.get_market(first.ticker).market
    check("a market by its ticker", one.ticker == first.ticker)
    client.get_event(first.event_ticker)
    client.get_series_list()
    book = client.get_market_orderbook(first.ticker).orderbook_fp
    bids = [Decimal(level[0]) for level in book.yes_dollars]
    check("a book has ascending bids", bids == sorted(bids) and len(bids) >= 10, bids)
    books = client.get_market_orderbooks([first.ticker, coin.ticker]).orderbooks
    check("two books in one request", len(books) == 2)
    client.get_trades(ticker=first.ticker)
    return first, coin


def account(client):
    limits = client.get_account_api_limits()
    check("write budget", limits.write.refill_rate == 100, limits)
    costs = client.get_account_endpoint_costs()
    check("default cost", costs.default_cost == 10, costs)
    keys = client.get_api_keys().api_keys
    check("an api key is listed", len(keys) == 1, keys)
    client.get_user_data_timestamp()
    balance = client.get_balance()
    parts = sum(Decimal(part.balance) for part in balance.balance_breakdown)
    check("balance is the sum of its shards", parts == Decimal(balance.balance_dollars), balance)
    check("balance in cents", balance.balance == int(parts * 100), balance)
    return parts


def place(client, market, side, count, price, force, **more):
    # Ten orders a second are the budget of the basic tier.
    time.sleep(0.12)
    return client.create_order_v2(
        ticker=market.ticker,
        client_order_id=more.pop("client_order_id", str(uuid.uuid4())),
        side=side,
        count=count,
        price=price,
        time_in_force=force,
        self_trade_prevention_type="taker_at_cross",
        exchange_index=market.exchange_index,
        **more,
    )


def resting(client, market):
    name = str(uuid.uuid4())
    made = place(client, market, "bid", "10.00", "0.0200", "good_till_canceled", client_order_id=name)
    check("a bid rests", (made.fill_count, made.remaining_count) == ("0.00", "10.00"), made)
    check("it keeps its client id", made.client_order_id == name, made)
    shown = client.get_order(made.order_id).order
    check("it is shown as resting", shown.status == "resting" and shown.book_side == "bid", shown)
    listed = client.get_orders(ticker=market.ticker, status="resting").orders
    check("it is listed", [order.order_id for order in listed] == [made.order_id], listed)
    client.get_order_queue_position(made.order_id)
    queue = client.get_order_queue_positions(market_tickers=market.ticker).queue_positions
    check("it has a place in the queue", queue[0].order_id == made.order_id, queue)
    value = client.get_portfolio_resting_order_total_value()
    check("it holds cash back", value.total_resting_order_value == 20, value)
    less = client.decrease_order_v2(order_id=made.order_id, reduce_to="6.00")
    check("it gets smaller", less.remaining_count == "6.00", less)
    amended = client.amend_order_v2(
        order_id=made.order_id, ticker=market.ticker, side="bid", price="0.0300", count="8.00"
    )
    check("it is amended", amended.remaining_count == "8.00", amended)
    refused(
        "its client id is taken", 409, "order_already_exists",
        lambda: place(
            client, market, "bid", "1.00", "0.0200", "good_till_canceled", client_order_id=name
        ),
    )
    gone = client.cancel_order_v2(order_id=made.order_id, market_ticker=market.ticker)
    check("it is cancelled", gone.reduced_by == "8.00", gone)
    refused("a second cancel", 404, "not_found", lambda: client.cancel_order_v2(made.order_id))
    check("it is shown as canceled", client.get_order(made.order_id).order.status == "canceled")


def refusals(client, market, other):
    force = "good_till_canceled"
    refused(
        "a price off the grid", 400, "invalid_price",
        lambda: place(client, market, "bid", "1.00", "0.0250", force),
    )
    refused(
        "more than the cash", 400, "insufficient_balance",
        lambda: place(client, market, "bid", "900000.00", "0.0200", force),
    )
    refused(
        "a fill or kill of too much", 409, "fill_or_kill_insufficient_resting_volume",
        lambda: place(client, market, "bid", "4000.00", "0.0200", "fill_or_kill"),
    )
    wrong = type("Wrong", (), {"ticker": other.ticker, "exchange_index": market.exchange_index})
    refused(
        "the wrong shard", 404, "market_not_found",
        lambda: place(client, wrong, "bid", "1.00", "0.0200", force),
    )
    # The best offer may move away at any moment, so the bid is above all of them.
    refused(
        "a post only that crosses", 400, "post only cross",
        lambda: place(client, market, "bid", "1.00", "0.9900", force, post_only=True),
    )
    nothing = place(client, market, "bid", "1.00", "0.0100", "immediate_or_cancel")
    zeros = (nothing.fill_count, nothing.remaining_count, nothing.average_fill_price)
    check("an IOC without a match has zeros", zeros == ("0.00", "0.00", None), nothing)


def batches(client, market):
    order = {
        "ticker": market.ticker, "side": "bid", "count": "1.00", "price": "0.0200",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
        "exchange_index": market.exchange_index,
    }
    time.sleep(0.3)
    made = client.batch_create_orders_v2(orders=[order, {**order, "price": "0.0155"}]).orders
    check("a batch takes what is good", made[0].order_id and made[1].error, made)
    ids = [{"order_id": made[0].order_id}, {"order_id": "nobody"}]
    gone = client.batch_cancel_orders_v2(orders=ids).orders
    check("a batch cancels what is there", gone[0].reduced_by == "1.00" and gone[1].error, gone)
    for price in ("0.0100", "0.0200"):
        place(client, market, "bid", "1.00", price, "good_till_canceled")
    client.cancel_all_orders()
    left = client.get_orders(status="resting").orders
    check("cancel all leaves nothing", left == [], left)


def flows(fills):
    """What fills cost in all, fees included, and the position that they leave."""
    cost, position = Decimal(0), Decimal(0)
    for fill in fills:
        sign = {"bid": 1, "ask": -1}[str(getattr(fill.book_side, "value", fill.book_side))]
        count = Decimal(fill.count_fp)
        cost += sign * count * Decimal(fill.yes_price_dollars) + Decimal(fill.fee_cost)
        position += sign * count
    return cost, position


def trade(client, market, before):
    made = eventually(
        "an IOC fills",
        lambda: place(client, market, "bid", "5.00", ceiling(client, market), "immediate_or_cancel"),
        lambda made: made.fill_count == "5.00",
    )
    fills = client.get_fills(order_id=made.order_id).fills
    count = sum(Decimal(fill.count_fp) for fill in fills)
    check("its fills add up", count == 5 and all(fill.is_taker for fill in fills), fills)
    cost = sum(Decimal(fill.count_fp) * Decimal(fill.yes_price_dollars) for fill in fills)
    fees = sum(Decimal(fill.fee_cost) for fill in fills)
    order = client.get_order(made.order_id).order
    shown = (Decimal(order.taker_fill_cost_dollars), Decimal(order.taker_fees_dollars))
    check("the order shows cost and fees", shown == (cost, fees), (shown, cost, fees))
    paid, held = flows(client.get_fills(ticker=market.ticker).fills)
    after = Decimal(client.get_balance().balance_dollars)
    check("the balance moved by cost and fees", before - after == paid, (before, after, paid))
    check("the position is long", position_of(client, market) == held >= 5, held)
    # Buying NO closes the position and frees a dollar a pair.
    eventually(
        "a reduce only sale closes it",
        lambda: place(
            client, market, "ask", "900.00", floor(client, market), "immediate_or_cancel",
            reduce_only=True,
        ),
        lambda _: position_of(client, market) == 0,
    )
    paid, held = flows(client.get_fills(ticker=market.ticker).fills)
    now = Decimal(client.get_balance().balance_dollars)
    check("the balance is what all fills say", (before - now, held) == (paid, 0), (before, now))
    client.get_settlements()
    return now


def position_of(client, market):
    positions = client.get_positions(ticker=market.ticker).market_positions
    return sum(Decimal(position.position_fp) for position in positions)


def ceiling(client, market):
    return client.get_market(market.ticker).market.yes_ask_dollars


def floor(client, market):
    return client.get_market(market.ticker).market.yes_bid_dollars


def groups(client, market):
    made = client.create_order_group(contracts_limit=10)
    group = made.order_group_id
    place(client, market, "bid", "1.00", "0.0200", "good_till_canceled", order_group_id=group)
    shown = client.get_order_group(group)
    check("a group knows its orders", len(shown.orders) == 1, shown)
    client.trigger_order_group(group)
    check("a trigger cancels them", client.get_order_group(group).orders == [])
    client.reset_order_group(group)
    client.update_order_group_limit(group, contracts_limit=20)
    listed = client.get_order_groups().order_groups
    check("groups are listed", [one.id for one in listed] == [group], listed)
    client.delete_order_group(group)
    check("a group goes", client.get_order_groups().order_groups == [])


def main():
    client = connect(arguments())
    first, coin = public(client)
    cash = account(client)
    for market in (first, coin):
        resting(client, market)
        time.sleep(1)
    refusals(client, first, coin)
    batches(client, first)
    time.sleep(1)
    cash = trade(client, first, cash)
    trade(client, coin, cash)
    groups(client, first)
    print("all of it is as the official client expects")


main()
