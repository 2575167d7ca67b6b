"""Runs LocalStack's SQS tests against `local`: a pytest plugin in place of their conftest. README.md says how to run it.

It keeps the tests that were recorded on AWS, of standard queues, by the JSON protocol. Tests of LocalStack's own
features and those that change its internals are left out, and so are FIFO queues, the query protocol and a second region,
which `local` doesn't have.
"""

import inspect
import os
import sys
import time
from types import ModuleType, SimpleNamespace

import boto3
import pytest
from botocore.config import Config

ENDPOINT = os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:3001")
ACCOUNT, REGION = "000000000000", "us-east-1"


def stand_in(name, **members):
    """A module of LocalStack's internals, which the tests import and don't need here."""
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


stand_in("localstack.services.sqs.models", sqs_stores={})
stand_in("localstack.services.sqs.provider", MAX_NUMBER_OF_MESSAGES=10)
stand_in("localstack.testing.aws.util", is_aws_cloud=lambda: False)
stand_in("tests.aws.services.lambda_.functions", lambda_integration=None)
stand_in("tests.aws.services.lambda_.test_lambda", TEST_LAMBDA_PYTHON=None)

from localstack_snapshot.snapshots.transformer import RegexTransformer  # noqa: E402

from localstack.testing.snapshots.transformer_utility import (  # noqa: E402
    SNAPSHOT_BASIC_TRANSFORMER,
    TransformerUtility,
)
from localstack.utils.strings import short_uid  # noqa: E402


def pytest_configure(config):
    for marker in ["aws_validated", "aws_only_localstack", "aws_needs_fixing", "requires_in_process"]:
        config.addinivalue_line("markers", marker)


def is_claimed(item):
    markers = {marker.name for marker in item.iter_markers()}
    source = inspect.getsource(item.function)
    return (
        "aws_validated" in markers
        and "requires_in_process" not in markers
        and "sqs_query" not in item.name + source
        and "sqs_http_client" not in item.fixturenames
        and "aws_http_client_factory" not in item.fixturenames
        and "fifo" not in (item.name + source).lower()
        and "multi_region" not in item.name
    )


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if not is_claimed(item)]
    items[:] = [item for item in items if is_claimed(item)]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def aws_client_factory():
    def factory(region_name=REGION, config=None, **_):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        config = Config(retries={"total_max_attempts": 1}).merge(config or Config())
        sqs = boto3.client("sqs", region_name=region_name, endpoint_url=ENDPOINT, config=config, **keys)
        return SimpleNamespace(sqs=sqs)

    return factory


@pytest.fixture(scope="session")
def aws_client(aws_client_factory):
    return aws_client_factory()


@pytest.fixture(scope="session")
def account_id():
    return ACCOUNT


@pytest.fixture(scope="session")
def region_name():
    return REGION


@pytest.fixture
def cleanups():
    functions = []
    yield functions
    for function in reversed(functions):
        function()


@pytest.fixture
def sqs_create_queue(aws_client, cleanups):
    def create(**request):
        request.setdefault("QueueName", f"test-queue-{short_uid()}")
        url = aws_client.sqs.create_queue(**request)["QueueUrl"]
        cleanups.append(lambda: delete(url))
        return url

    def delete(url):
        try:
            aws_client.sqs.delete_queue(QueueUrl=url)
        except aws_client.sqs.exceptions.QueueDoesNotExist:
            pass

    return create


@pytest.fixture
def sqs_queue(sqs_create_queue):
    return sqs_create_queue()


@pytest.fixture
def sqs_collect_messages(aws_client):
    def collect(
        queue_url,
        expected,
        timeout,
        delete=True,
        attribute_names=None,
        message_attribute_names=None,
    ):
        names = {
            "AttributeNames": attribute_names or [],
            "MessageAttributeNames": message_attribute_names or [],
        }
        collected, end = [], time.monotonic() + timeout
        while len(collected) < expected:
            assert time.monotonic() < end, f"{len(collected)} of {expected} messages in {timeout} s"
            received = aws_client.sqs.receive_message(
                QueueUrl=queue_url, WaitTimeSeconds=1, MaxNumberOfMessages=10, **names
            )
            for message in received.get("Messages", []):
                collected.append(message)
                if delete:
                    handle = message["ReceiptHandle"]
                    aws_client.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=handle)
        return collected

    return collect


@pytest.fixture
def sqs_get_queue_arn(aws_client):
    def arn(url):
        asked = aws_client.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return asked["Attributes"]["QueueArn"]

    return arn


@pytest.fixture
def sqs_queue_exists(aws_client):
    def exists(url):
        try:
            return aws_client.sqs.get_queue_url(QueueName=url.split("/")[-1])["QueueUrl"] == url
        except aws_client.sqs.exceptions.QueueDoesNotExist:
            return False

    return exists


@pytest.fixture
def snapshot(_snapshot_session):
    session = _snapshot_session
    session.transform = TransformerUtility
    session.add_transformer(RegexTransformer(ACCOUNT, "1" * 12), priority=2)
    session.add_transformer(RegexTransformer(REGION, "<region>"), priority=2)
    session.add_transformer(RegexTransformer("arn:aws:", "arn:<partition>:"), priority=2)
    session.add_transformer(SNAPSHOT_BASIC_TRANSFORMER, priority=2)
    return session
