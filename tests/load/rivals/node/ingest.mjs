// Accepts an order: SDK v3, with Powertools' logger and metrics.

import { createHash, randomUUID } from "node:crypto";
import { Logger } from "@aws-lambda-powertools/logger";
import { MetricUnit, Metrics } from "@aws-lambda-powertools/metrics";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const logger = new Logger({ serviceName: "ingest" });
const metrics = new Metrics({ namespace: "OrderIntake", serviceName: "ingest" });
const sqs = new SQSClient({});
const QueueUrl = process.env.QUEUE_URL;

export async function handler(event, context) {
  logger.addContext(context);
  let order;
  try {
    order = JSON.parse(event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body);
  } catch (error) {
    return answer(400, { message: error.message });
  }
  const fault = faultOf(order);
  if (fault) {
    return answer(422, { message: fault });
  }
  const client = event.requestContext?.identity?.apiKeyId ?? "anonymous";
  const canonical = {
    lines: order.lines.map(({ sku, quantity, unit_price }) => ({ sku, quantity, unit_price })),
    currency: order.currency,
    reference: order.reference,
  };
  const placed = {
    type: "order.placed",
    version: 1,
    id: randomUUID(),
    client,
    placed_at: new Date().toISOString(),
    fingerprint: sha256(JSON.stringify(canonical)),
    order: canonical,
  };
  const MessageBody = JSON.stringify(placed);
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: sha256(client).slice(0, 32) }));
  logger.info("queued", { order_id: placed.id });
  metrics.addMetric("Queued", MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
  return answer(202, { id: placed.id, status: "queued" });
}

function faultOf(order) {
  if (!Array.isArray(order?.lines) || order.lines.length < 1 || order.lines.length > 50) {
    return "an order has 1 to 50 lines";
  }
  if (typeof order.currency !== "string" || !/^[A-Z]{3}$/.test(order.currency)) {
    return "currency must be an ISO 4217 code";
  }
  for (const { sku, quantity, unit_price } of order.lines) {
    if (typeof sku !== "string" || !/^[A-Za-z0-9._-]{1,64}$/.test(sku)) {
      return "sku must be 1 to 64 of A-Z a-z 0-9 . _ -";
    }
    if (!within(quantity, 1, 1e6) || !within(unit_price, 0, 1e12)) {
      return "quantity or unit_price is out of range";
    }
  }
}

const within = (number, least, most) => Number.isInteger(number) && number >= least && number <= most;
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const answer = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
