"""Accepts an order with Powertools: event handler, validation, logger, metrics."""

import hashlib
import json
import os
import re
import uuid
from datetime import datetime, timezone

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.metrics import MetricUnit

SKU = re.compile(r"[A-Za-z0-9._-]{1,64}")
CURRENCY = re.compile(r"[A-Z]{3}")

logger = Logger(service="ingest")
metrics = Metrics(namespace="OrderIntake", service="ingest")
app = APIGatewayRestResolver()
sqs = boto3.client("sqs")
queue_url = os.environ["QUEUE_URL"]


@app.post("/orders")
def place():
    order = app.current_event.json_body
    fault = fault_of(order)
    if fault:
        return answer(422, {"message": fault})
    client = app.current_event.request_context.identity.api_key_id or "anonymous"
    canonical = {
        "lines": [{key: line[key] for key in ("sku", "quantity", "unit_price")} for line in order["lines"]],
        "currency": order["currency"],
    }
    if "reference" in order:
        canonical["reference"] = order["reference"]
    fingerprint = json.dumps(canonical, separators=(",", ":"), ensure_ascii=False).encode()
    placed = {
        "type": "order.placed",
        "version": 1,
        "id": str(uuid.uuid4()),
        "client": client,
        "placed_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "fingerprint": hashlib.sha256(fingerprint).hexdigest(),
        "order": canonical,
    }
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=json.dumps(placed),
        MessageGroupId=hashlib.sha256(client.encode()).hexdigest()[:32],
    )
    logger.info("queued", order_id=placed["id"])
    metrics.add_metric(name="Queued", unit=MetricUnit.Count, value=1)
    return answer(202, {"id": placed["id"], "status": "queued"})


def fault_of(order):
    # Validated by hand: Powertools' validation compiles the schema anew for each event, which takes ten times as long as the
    # rest.
    lines = order.get("lines") if isinstance(order, dict) else None
    if not isinstance(lines, list) or not 1 <= len(lines) <= 50:
        return "an order has 1 to 50 lines"
    if not matches(CURRENCY, order.get("currency")):
        return "currency must be an ISO 4217 code"
    for line in lines:
        if not isinstance(line, dict) or not matches(SKU, line.get("sku")):
            return "sku must be 1 to 64 of A-Z a-z 0-9 . _ -"
        if not within(line.get("quantity"), 1, 1_000_000):
            return "quantity must be 1 to 1,000,000"
        if not within(line.get("unit_price"), 0, 1_000_000_000_000):
            return "unit_price must be 0 to 1,000,000,000,000"
    return None


def matches(pattern, text):
    return isinstance(text, str) and pattern.fullmatch(text)


def within(number, least, most):
    return type(number) is int and least <= number <= most


def answer(status, body):
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=json.dumps(body))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event, context):
    return app.resolve(event, context)
