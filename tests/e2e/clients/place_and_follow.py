"""A client as `openapi-python-client` generates it places an order and follows it to its outcome.

place_and_follow.py ADDRESS, with the generated package `order_intake` on the path.
"""

import sys
import time
import uuid
from urllib.parse import parse_qsl, urlsplit

from order_intake import AuthenticatedClient
from order_intake.api.description import get_description
from order_intake.api.orders import place_order, place_orders
from order_intake.api.outcomes import get_order, get_orders
from order_intake.models import (
    AcceptedOrder,
    AcceptedOrders,
    Currency,
    InvalidOrder,
    KeyReused,
    NewEntry,
    NewLine,
    NewOrder,
    NewOrders,
    Outcome,
    Outcomes,
    QueuedOrder,
    RefusedOrder,
    SettledOrder,
)

DEADLINE = time.monotonic() + 60


def order(sku: str, quantity: int) -> NewOrder:
    return NewOrder(lines=[NewLine(sku=sku, quantity=quantity, unit_price=1250)], currency=Currency.EUR)


def wait(response) -> None:
    """Waits for as long as `Retry-After` says."""
    assert time.monotonic() < DEADLINE, "no outcome within a minute"
    time.sleep(int(response.headers["Retry-After"]))


def hints(response) -> dict[str, str]:
    """What the location says in addition to the id: when the order was placed, and its fingerprint."""
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def main(address: str) -> None:
    client = AuthenticatedClient(address, token="python", prefix="", auth_header_name="x-api-key")
    described = get_description.sync(client=client)
    assert described.openapi.startswith("3.1"), described

    key = str(uuid.uuid4())
    placed = place_order.sync_detailed(client=client, body=order("cup", 2), idempotency_key=key)
    assert placed.status_code == 202 and isinstance(placed.parsed, QueuedOrder), placed
    again = place_order.sync(client=client, body=order("cup", 2), idempotency_key=key)
    assert again == placed.parsed, again
    wait(placed)
    while isinstance(
        (found := get_order.sync_detailed(placed.parsed.id, client=client, **hints(placed))).parsed, QueuedOrder
    ):
        wait(found)
    settled = found.parsed
    assert isinstance(settled, SettledOrder) and settled.status == "confirmed", found
    assert settled.total == 2500 and settled.order.lines[0].sku == "cup", settled

    other = place_order.sync_detailed(client=client, body=order("cup", 3), idempotency_key=key)
    assert other.parsed == placed.parsed, other
    reused = get_order.sync(other.parsed.id, client=client, **hints(other))
    assert isinstance(reused, KeyReused) and reused.type_ == "idempotency-key-reused", reused

    invalid = place_order.sync(client=client, body=order("cup", 0))
    assert isinstance(invalid, InvalidOrder) and invalid.errors[0].pointer == "/lines/0/quantity", invalid

    entries = [NewEntry(order=order("cup", 1)), NewEntry(order=order("cup", 0)), NewEntry(order=order("unheard-of", 1))]
    batch = place_orders.sync_detailed(client=client, body=NewOrders(orders=entries))
    assert isinstance(batch.parsed, AcceptedOrders) and batch.parsed.accepted == 2, batch
    first, second, third = batch.parsed.results
    assert isinstance(first, AcceptedOrder) and isinstance(third, AcceptedOrder), batch
    assert isinstance(second, RefusedOrder) and second.status == 422, second
    wait(batch)
    ids = hints(batch)["ids"].split(",")
    assert [one.split(".")[0] for one in ids] == [str(first.id), str(third.id)], ids
    while "Retry-After" in (read := get_orders.sync_detailed(client=client, ids=ids)).headers:
        wait(read)
    assert isinstance(read.parsed, Outcomes) and all(isinstance(one, Outcome) for one in read.parsed.results), read
    outcomes = [one.status for one in read.parsed.results]
    assert outcomes == ["confirmed", "rejected"], read
    print("the generated Python client: 1 order placed and confirmed, of 3 more 1 confirmed, 1 rejected, 1 refused")


main(sys.argv[1])
