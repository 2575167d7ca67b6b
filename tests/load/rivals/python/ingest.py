"""Takes an order in, by Powertools: event handler, validation, logger, metrics."""

import hashlib
import json
import os
import uuid
from datetime import datetime, timezone

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.validation import SchemaValidationError, validate

ORDER = {
    "type": "object",
    "required": ["lines", "currency"],
    "additionalProperties": False,
    "properties": {
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "type": "object",
                "required": ["sku", "quantity", "unit_price"],
                "additionalProperties": False,
                "properties": {
                    "sku": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
                    "quantity": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
                    "unit_price": {"type": "integer", "minimum": 0, "maximum": 1_000_000_000_000},
                },
            },
        },
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "reference": {"type": "string", "maxLength": 64},
    },
}

logger = Logger(service="ingest")
metrics = Metrics(namespace="OrderIntake", service="ingest")
app = APIGatewayRestResolver()
sqs = boto3.client("sqs")
queue_url = os.environ["QUEUE_URL"]


@app.post("/orders")
def place():
    order = app.current_event.json_body
    try:
        validate(event=order, schema=ORDER)
    except SchemaValidationError as error:
        return answer(422, {"message": error.validation_message})
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


def answer(status, body):
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=json.dumps(body))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event, context):
    return app.resolve(event, context)
