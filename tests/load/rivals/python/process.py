"""Writes the orders of a batch with Powertools' batch processor: record by record, each in its own transaction."""

import json
import os
from collections import Counter
from datetime import datetime, timezone

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from boto3.dynamodb.types import TypeSerializer

logger = Logger(service="process")
metrics = Metrics(namespace="OrderIntake", service="process")
processor = BatchProcessor(event_type=EventType.SQS)
dynamodb = boto3.client("dynamodb")
serialize = TypeSerializer().serialize
orders = os.environ["ORDERS_TABLE"]
articles = os.environ["ARTICLES_TABLE"]


def write(record):
    placed = json.loads(record.body)
    order = placed["order"]
    quantities = Counter()
    for line in order["lines"]:
        quantities[line["sku"]] += line["quantity"]
    row = {
        "id": placed["id"],
        "status": "confirmed",
        "client": placed["client"],
        "placed_at": placed["placed_at"],
        "processed_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "fingerprint": placed["fingerprint"],
        "total": sum(line["quantity"] * line["unit_price"] for line in order["lines"]),
        "order": order,
    }
    put = {
        "TableName": orders,
        "Item": {name: serialize(value) for name, value in row.items()},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    updates = [
        {
            "Update": {
                "TableName": articles,
                "Key": {"sku": {"S": sku}},
                "UpdateExpression": "SET in_stock = in_stock - :taken",
                "ConditionExpression": "in_stock >= :taken",
                "ExpressionAttributeValues": {":taken": {"N": str(pieces)}},
            }
        }
        for sku, pieces in quantities.items()
    ]
    dynamodb.transact_write_items(TransactItems=[{"Put": put}, *updates])
    metrics.add_metric(name="Confirmed", unit=MetricUnit.Count, value=1)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event, context):
    return process_partial_response(event=event, record_handler=write, processor=processor, context=context)
