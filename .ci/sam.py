"""Runs the functions by `sam local`, and checks what they answer and what `local` then holds. The arguments are SAM's.

Each step prints a line; the first that fails prints its output and ends the run."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

OPTIONS = sys.argv[1:]
BAD = [2, 4]  # The records of events/orders-batch.json that must come back.
LEFT = ("tea.assam_250g", "290")  # What the others leave of an article.
PATIENCE = 1800  # Seconds: `local` may have to be built, after what other lanes build.
passed = 0


def step(name, check, *arguments):
    """Counts a check that doesn't raise an error or return False."""
    global passed
    try:
        assert check(*arguments) is not False
    except Exception as error:
        print(getattr(error, "stdout", ""), getattr(error, "stderr", ""), error, f"FAIL {name}", sep="\n")
        print(f"{passed} passed, 1 failed")
        sys.exit(1)
    print(f"ok   {name}", flush=True)
    passed += 1


def printed(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def until(condition):
    """Returns whether the condition becomes true in time. Until a server listens, it raises an OSError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if condition():
                return True
        time.sleep(0.5)
    return False


@contextlib.contextmanager
def started(log, *command):
    """A process that ends with the block."""
    with open(log, "w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def bridge():
    """Returns the address at which containers reach this machine."""
    found = printed("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()
    # An engine that has just made the bridge may not report it.
    return found or re.search(r"inet ([\d.]+)", printed("ip", "-4", "-o", "address", "show", "docker0"))[1]


def invocations(services, options):
    """Invokes each function with the samples."""

    def invoked(function, sample):
        return json.loads(printed("sam", "local", "invoke", function, "-e", f"events/{sample}.json", *options))

    def answers(name, function, sample, status, holds=lambda body: True):
        def check():
            answer = invoked(function, sample)
            assert answer["statusCode"] == status and holds(json.loads(answer["body"])), answer

        step(name, check)

    def row(table, key, value):
        key = json.dumps({key: {"S": value}})
        get = ("aws", "dynamodb", "get-item", "--endpoint-url", services, "--table-name", table, "--key", key)
        return json.loads(printed(*get))["Item"]

    answers("a good order is accepted", "IngestFunction", "order", 202, lambda body: body["status"] == "queued")
    answers("one with a key, too", "IngestFunction", "idempotent-order", 202)
    for sample in ("order-http-api", "order-function-url", "order-base64"):
        answers(f"as {sample}, too", "IngestFunction", sample, 202)
    answers("an invalid order is refused", "IngestFunction", "invalid-order", 422, lambda body: body["errors"])
    for sample in ("not-json", "order-bad-base64", "order-not-utf8"):
        answers(f"{sample} is refused", "IngestFunction", sample, 400)
    name, results = "a batch is answered order by order", [202, 422, 202, 422, 422, 202]
    answers(name, "IngestFunction", "batch-request", 202, lambda body: [one["status"] for one in body["results"]] == results)
    answers("an accepted order is known", "StatusFunction", "status", 200)
    answers("another id is unknown", "StatusFunction", "unknown-status", 404)

    records = json.loads(Path("events/orders-batch.json").read_text())["Records"]

    def failed():
        ids = [one["itemIdentifier"] for one in invoked("ProcessFunction", "orders-batch")["batchItemFailures"]]
        assert ids == [records[n]["messageId"] for n in BAD], ids

    step("a batch's bad messages are answered as failed", failed)
    for record in (record for n, record in enumerate(records) if n not in BAD):
        id = json.loads(record["body"])["id"]
        step(f"its good order {id} is in the table", lambda: row("OrdersTable", "id", id)["status"] == {"S": "confirmed"})
    step("its stock is taken", lambda: row("ArticlesTable", "sku", LEFT[0])["in_stock"] == {"N": LEFT[1]})


def start_api(scratch, options):
    """Places an order at `sam local start-api`, and follows it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{free.getsockname()[1]}"

    def fetched(path, body=None):
        request = urllib.request.Request(api + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)

    def listens():
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(api)
        return True

    def placed():
        body = json.loads(Path("events/order.json").read_text())["body"].encode()
        status, answer = fetched("/orders", body)
        assert status == 202, answer
        ids.append(answer["id"])

    ids = []
    with started(scratch / "start-api", "sam", "local", "start-api", "--port", api.rsplit(":", 1)[1], *options):
        step("start-api listens", until, listens)
        step("it takes an order", placed)
        step("and returns its outcome", until, lambda: fetched(f"/orders/{ids[0]}")[1]["status"] == "confirmed")


def main():
    step("sam validate --lint", printed, "sam", "validate", "--lint")
    step("sam build", printed, "sam", "build", *OPTIONS[:2])
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        # It uses free ports, where a container can reach them.
        local = ("cargo", "run", "-q", "--bin", "local", "--locked", "--", "--host", bridge(), "--port", "0")
        log = scratch / "local"
        with started(log, *local) as process:

            def is_up():
                until(lambda: "Ctrl-C stops everything" in log.read_text() or process.poll() is not None)
                assert process.poll() is None, log.read_text()

            step("local is up", is_up)
            services = re.search(r"endpoint-url (http\S*)", log.read_text())[1]
            variables = scratch / "env.json"
            variables.write_text(Path("events/env.json").read_text().replace(":3001", f":{services.rsplit(':', 1)[1]}"))
            options = ("--env-vars", str(variables), *OPTIONS)
            invocations(services, options)
            start_api(scratch, options)
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
