"""Runs moto's SQS tests against `local`: a pytest plugin in place of their conftest. README.md says how to run it.

It keeps the tests of standard queues that call SQS by boto3. Tests of moto's own internals are left out, and so are FIFO
queues and a second region, which `local` doesn't have. Nothing is mocked: `mock_aws` does nothing, and moto's settings say
that its tests run against a server, so that it skips those that stop the clock.
"""

import contextlib
import inspect
import os

os.environ.setdefault("AWS_ENDPOINT_URL", "http://127.0.0.1:3001")
ACCOUNT, REGION = "000000000000", "us-east-1"
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION=REGION,
    TEST_SERVER_MODE="true",
)

import boto3  # noqa: E402
import moto  # noqa: E402
import moto.core  # noqa: E402
import pytest  # noqa: E402

moto.core.DEFAULT_ACCOUNT_ID = ACCOUNT
moto.mock_aws = lambda function=None: function or contextlib.nullcontext()


def is_claimed(item):
    source = inspect.getsource(item.function)
    return (
        "boto3" in source
        and "fifo" not in (item.name + source).lower()
        and "multiple_region" not in item.name
    )


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if not is_claimed(item)]
    items[:] = [item for item in items if is_claimed(item)]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def sqs():
    return boto3.client("sqs", region_name=REGION)


@pytest.fixture(autouse=True)
def no_queues_are_left(sqs):
    """Deletes the test's queues, but not those of the template: `local` polls them all the time."""
    before = queues(sqs)
    yield
    for url in queues(sqs) - before:
        sqs.delete_queue(QueueUrl=url)


def queues(sqs):
    return set(sqs.list_queues().get("QueueUrls", []))


@pytest.fixture
def account_id():
    return ACCOUNT
