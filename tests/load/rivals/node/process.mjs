// Writes the orders of a batch with Powertools' batch processor: record by record, each in its own transaction.

import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { Logger } from "@aws-lambda-powertools/logger";
import { MetricUnit, Metrics } from "@aws-lambda-powertools/metrics";
import { DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";

const logger = new Logger({ serviceName: "process" });
const metrics = new Metrics({ namespace: "OrderIntake", serviceName: "process" });
const processor = new BatchProcessor(EventType.SQS);
const dynamodb = new DynamoDBClient({});
const { ORDERS_TABLE, ARTICLES_TABLE } = process.env;

async function write(record) {
  const { id, client, placed_at, fingerprint, order } = JSON.parse(record.body);
  const quantities = new Map();
  let total = 0;
  for (const { sku, quantity, unit_price } of order.lines) {
    quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
    total += quantity * unit_price;
  }
  const processed_at = new Date().toISOString();
  const row = { id, status: "confirmed", client, placed_at, processed_at, fingerprint, total, order };
  const Put = {
    TableName: ORDERS_TABLE,
    Item: marshall(row),
    ConditionExpression: "attribute_not_exists(id)",
  };
  const updates = [...quantities].map(([sku, pieces]) => ({
    Update: {
      TableName: ARTICLES_TABLE,
      Key: { sku: { S: sku } },
      UpdateExpression: "SET in_stock = in_stock - :taken",
      ConditionExpression: "in_stock >= :taken",
      ExpressionAttributeValues: { ":taken": { N: String(pieces) } },
    },
  }));
  await dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }, ...updates] }));
  metrics.addMetric("Confirmed", MetricUnit.Count, 1);
}

export async function handler(event, context) {
  logger.addContext(context);
  // Processed one after the other: in parallel, the transactions would conflict over the hot article.
  const options = { context, processInParallel: false };
  const response = await processPartialResponse(event, write, processor, options);
  metrics.publishStoredMetrics();
  return response;
}
