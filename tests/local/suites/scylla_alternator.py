"""Runs Scylla's alternator tests against `local`: a pytest plugin in place of their conftest. README.md says how to run it.

It takes over their own fixtures, and makes the tests believe that they run on AWS: so they skip what only Scylla has, and
what takes AWS minutes. They don't check whether Scylla still runs.
"""

import contextlib
import os

import pytest

os.environ.setdefault("AWS_ENDPOINT_URL", "http://127.0.0.1:3001")
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_MAX_ATTEMPTS="1",
)

from test.alternator import util  # noqa: E402

util.is_aws = lambda dynamodb: True
theirs = util.client_no_transform


@contextlib.contextmanager
def client_no_transform(client):
    """Restores the client even if a test fails; theirs doesn't, and then the tests after it fail too."""
    events = client.meta.events
    try:
        with theirs(client):
            yield client
    finally:
        client.meta.events = events


util.client_no_transform = client_no_transform

from test.alternator.conftest import *  # noqa: E402, F403


@pytest.fixture
def dynamodb_test_connection():
    pass
