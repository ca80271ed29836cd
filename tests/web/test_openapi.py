"""The API does as its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def operations(shared):
    loaded = schemathesis.openapi.from_url(f"{shared.base_url}/api/openapi.json")
    return [result.ok() for result in loaded.get_all_operations()]


def put_to_the_test(operation, **path_parameters) -> None:
    """Send whatever the document allows, and more."""

    @given(case=operation.as_strategy())
    @settings(max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def check(case):
        case.path_parameters.update(path_parameters)
        case.call_and_validate(checks=CHECKS)

    check()


def test_no_request_makes_the_server_fail(operations):
    assert len(operations) >= 15
    for operation in operations:
        put_to_the_test(operation)


def test_no_question_about_a_job_that_is_done_makes_the_server_fail(operations, done_job):
    questions = [operation for operation in operations if "{id}" in operation.path and operation.method == "get"]
    assert len(questions) >= 9
    for operation in questions:
        put_to_the_test(operation, id=done_job["id"])


def test_every_request_is_documented(shared):
    document = shared.get("/api/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert operation["description"], (path, method)
            asks_for_token = path != "/api/health"
            assert ("401" in operation["responses"]) == asks_for_token, (path, method)
