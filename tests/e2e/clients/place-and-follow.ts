// A client by the types of `openapi-typescript` places an order and follows it to its outcome.
// node place-and-follow.js ADDRESS

import createClient from "openapi-fetch";
import type { components, paths } from "./order-intake.js";

type NewOrder = components["schemas"]["NewOrder"];
type Outcome = components["schemas"]["Outcome"];

const deadline = Date.now() + 60_000;

function check(holds: boolean, seen: unknown): asserts holds {
  if (!holds) throw new Error(JSON.stringify(seen));
}

async function wait(response: Response): Promise<void> {
  check(Date.now() < deadline, "no outcome within a minute");
  const seconds = Number(response.headers.get("Retry-After"));
  check(seconds >= 2, `Retry-After: ${seconds}`);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

// What the location says in addition to the id: when the order was placed, and its fingerprint.
const hints = (response: Response): Record<string, string> =>
  Object.fromEntries(new URL(response.headers.get("Location") ?? "", response.url).searchParams);

const order = (sku: string, quantity: number): NewOrder => ({
  lines: [{ sku, quantity, unit_price: 1250 }],
  currency: "EUR",
});

const address = process.argv[2];
check(address !== undefined, "no address");
const client = createClient<paths>({ baseUrl: address, headers: { "x-api-key": "typescript" } });

const described = await client.GET("/openapi.json");
check(described.data?.openapi.startsWith("3.1") === true, described.data);

const header = { "Idempotency-Key": crypto.randomUUID() };
const placed = await client.POST("/orders", {
  params: { header },
  body: order("cup", 2),
});
check(placed.response.status === 202 && placed.data !== undefined, placed);
const { id } = placed.data;
await wait(placed.response);
let total: number | undefined;
while (total === undefined) {
  const found = await client.GET("/orders/{id}", { params: { path: { id }, query: hints(placed.response) } });
  check(found.data !== undefined, found.error);
  if (found.data.status === "queued") {
    await wait(found.response);
    continue;
  }
  check(found.data.status === "confirmed" && found.data.order.lines[0]?.sku === "cup", found.data);
  total = found.data.total;
}
check(total === 2500, total);

const other = await client.POST("/orders", { params: { header }, body: order("cup", 3) });
check(other.data?.id === id, other);
const reused = await client.GET("/orders/{id}", { params: { path: { id }, query: hints(other.response) } });
check(reused.error?.type === "idempotency-key-reused", reused);

const invalid = await client.POST("/orders", { body: order("cup", 0) });
check(invalid.error?.type === "invalid-order" && "errors" in invalid.error, invalid);
check(invalid.error.errors[0]?.pointer === "/lines/0/quantity", invalid.error);

const batch = await client.POST("/orders/batch", {
  body: { orders: [{ order: order("cup", 1) }, { order: order("cup", 0) }, { order: order("unheard-of", 1) }] },
});
check(batch.data?.accepted === 2, batch);
const accepted = batch.data.results.flatMap((result) => ("id" in result ? [result.id] : []));
const ids = hints(batch.response)["ids"]?.split(",") ?? [];
check(accepted.length === 2 && ids.every((one, n) => one.split(".")[0] === accepted[n]), ids);
await wait(batch.response);
let read = await client.GET("/orders", { params: { query: { ids } } });
while (read.response.headers.has("Retry-After")) {
  await wait(read.response);
  read = await client.GET("/orders", { params: { query: { ids } } });
}
const outcomes: Outcome["status"][] = [];
for (const result of read.data?.results ?? []) {
  check(result.status !== "queued" && typeof result.status === "string", result);
  outcomes.push(result.status);
}
check(outcomes.join() === "confirmed,rejected", read);
console.log("the TypeScript client: 1 order placed and confirmed, of 3 more 1 confirmed, 1 rejected, 1 refused");
