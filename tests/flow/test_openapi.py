"""The OpenAPI document tells the truth: whatever is sent, the answer is one that is declared, and never a 5xx."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from inkseal import Studio
from inkseal.serve import keys
from inkseal.serve.app import create_app
from inkseal.serve.config import ServeConfig

if not os.environ.get("INKSEAL_REQUIRE_ALL"):
    pytest.importorskip("schemathesis", reason="left out: pip install schemathesis")

EXAMPLES = int(os.environ.get("INKSEAL_SCHEMA_EXAMPLES", "12"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("openapi")
    (folder / "settings.toml").write_text("[backends.echo]\nany_model = true\n")
    with Studio.open(folder) as studio:
        app = create_app(studio, ServeConfig(max_running=64))
        # With a key of its own the walk cannot shut itself out by making the first one.
        app.state.walker = keys.create(studio.store, "walker", "admin")[1]
        yield app


def test_every_route_is_in_the_document_with_its_errors(app: Any) -> None:
    document = app.openapi()
    mounted = {
        (method, route.path_format)
        for group in app.state.groups
        for route in group.router.routes
        for method in route.methods - {"HEAD"}
    }
    declared = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert mounted == declared
    for path, item in document["paths"].items():
        for method, operation in item.items():
            answers = set(operation["responses"])
            assert "422" not in answers, path
            assert {"4XX", "5XX"} <= answers or {"401", "403", "421", "429", "500"} <= answers, (method, path)


@pytest.mark.filterwarnings("ignore")
def test_whatever_is_sent_the_answer_is_a_declared_one(app: Any) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings
    from schemathesis.checks import CHECKS
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [CHECKS.get_one("not_a_server_error"), status_code_conformance, content_type_conformance]
    checks.append(response_schema_conformance)
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    found: list[str] = []
    answered: set[int] = set()
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        def probe(case: Any) -> None:
            answer = case.call(base_url="http://localhost", headers={"X-Api-Key": app.state.walker})
            answered.add(answer.status_code)
            case.validate_response(answer, checks=checks)

        try:
            probe()
        except BaseException as error:  # noqa: BLE001 - all operations are walked before the test fails
            found.append(f"{operation.method} {operation.path}: {_words(error)[:1500]}")
    assert not found, "\n\n".join(found)
    assert {200, 400, 404} <= answered


def _words(error: BaseException) -> str:
    return " ".join([str(error), *(_words(inner) for inner in getattr(error, "exceptions", ()))])
