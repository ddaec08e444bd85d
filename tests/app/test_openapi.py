"""The OpenAPI text: every call is named, summed up, shown by an example, and lists its errors."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.app.calls import NOWHERE, problem
from tests.app.uploads.speaking import TUS

METHODS = {"get", "post", "put", "patch", "delete"}
NO_SUCH = "404"
ELSEWHERE = ("..", "../../../../etc/passwd", "/etc/passwd", "..\\..\\windows", "a\x00b")


@pytest.fixture
def openapi(shared_api: TestClient) -> dict[str, Any]:
    text: dict[str, Any] = shared_api.get("/openapi.json").json()
    return text


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in openapi["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def test_every_call_has_a_name_and_a_summary(openapi: dict[str, Any]) -> None:
    found = dict(operations(openapi))
    ids = [operation["operationId"] for operation in found.values()]
    assert len(ids) == len(set(ids)) and all(name.isidentifier() for name in ids)
    summaries = [operation["summary"] for operation in found.values()]
    assert all(7 <= len(summary) <= 90 and summary[0].isupper() for summary in summaries), summaries
    assert len(summaries) == len(set(summaries))


def test_the_contract_is_there(openapi: dict[str, Any]) -> None:
    wanted = """
        POST /v1/collections|GET /v1/collections|GET /v1/collections/{collection_id}
        PATCH /v1/collections/{collection_id}|DELETE /v1/collections/{collection_id}
        POST /v1/collections/{collection_id}/images
        GET /v1/collections/{collection_id}/images|GET /v1/images/{image_id}|GET /v1/images/{image_id}/file
        GET /v1/images/{image_id}/thumbnail|DELETE /v1/images/{image_id}|GET /v1/encoders|GET /v1/encoders/{encoder_id}
        GET /v1/encoders/{encoder_id}/training|DELETE /v1/encoders/{encoder_id}|GET /v1/methods
        POST /v1/collections/{collection_id}/encoders|GET /v1/collections/{collection_id}/encoders/compare
        GET /v1/algorithms|POST /v1/collections/{collection_id}/clusterings
        GET /v1/collections/{collection_id}/clusterings
        GET /v1/clusterings/{clustering_id}|GET /v1/clusterings/{clustering_id}/clusters
        GET /v1/clusterings/{clustering_id}/clusters/{n}|GET /v1/clusterings/{clustering_id}/clusters/{n}/images
        GET /v1/clusterings/{clustering_id}/assignments|POST /v1/clusterings/{clustering_id}/evaluations
        POST /v1/collections/{collection_id}/search|GET /v1/jobs|GET /v1/jobs/{job_id}|GET /v1/jobs/{job_id}/events
        GET /v1/jobs/{job_id}/report|POST /v1/jobs/{job_id}/cancel|GET /healthz|GET /readyz|GET /metrics
    """
    assert {call.strip() for line in wanted.split("\n") for call in line.split("|") if call.strip()} <= {
        name for name, _ in operations(openapi)
    }


def test_every_error_is_a_problem(openapi: dict[str, Any]) -> None:
    problem = openapi["components"]["schemas"]["Problem"]
    assert {"type", "title", "status", "detail", "code"} <= problem["properties"].keys() and problem["example"]
    assert "HTTPValidationError" not in openapi["components"]["schemas"]
    for name, operation in operations(openapi):
        errors = {status: entry for status, entry in operation["responses"].items() if status >= "400"}
        assert "500" in errors, name
        for entry in errors.values():
            content = entry["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, name


def test_calls_with_parameters_say_what_goes_wrong(openapi: dict[str, Any]) -> None:
    for name, operation in operations(openapi):
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        if "path" in places:
            assert NO_SUCH in operation["responses"], name
        if places or "requestBody" in operation:
            assert "422" in operation["responses"], name
    assert {"412", "428"} <= openapi["paths"]["/v1/collections/{collection_id}"]["patch"]["responses"].keys()


def test_every_body_has_an_example(openapi: dict[str, Any]) -> None:
    for name, operation in operations(openapi):
        bodies = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        bodies += [entry.get("content", {}) for status, entry in operation["responses"].items() if status < "300"]
        for content in bodies:
            shown = [media for media in content.values() if not binary(media)]
            assert not shown or any(example(openapi, media) for media in shown), name


def binary(media: dict[str, Any]) -> bool:
    return "binary" in str(media)


def example(openapi: dict[str, Any], media: dict[str, Any]) -> Any:
    """An example of the medium, its schema, or what that refers to or is a list or page of."""
    if found := media.get("example") or media.get("examples"):
        return found
    schema = media.get("schema", media)
    if reference := schema.get("$ref"):
        return example(openapi, openapi["components"]["schemas"][reference.rpartition("/")[2]])
    items = schema.get("items") or schema.get("properties", {}).get("items", {}).get("items")
    return schema.get("example") or (items and example(openapi, items))


def test_the_examples_are_true_to_their_schemas(openapi: dict[str, Any]) -> None:
    import jsonschema_rs

    shown = {name: s for name, s in openapi["components"]["schemas"].items() if "example" in s}
    assert len(shown) > 12
    for name, schema in shown.items():
        root = {"$ref": f"#/components/schemas/{name}", "components": openapi["components"]}
        jsonschema_rs.validator_for(root).validate(schema["example"])


def percent(text: str) -> str:
    """Every byte encoded, so that no client tidies the address up."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def test_no_path_parameter_leads_elsewhere(api: TestClient) -> None:
    """Every operation, each of its path parameters in turn: what is no id is never looked for."""
    ids = {name: "0" if name == "n" else NOWHERE for name in re.findall(r"{(\w+)}", api.get("/openapi.json").text)}
    tried = 0
    for name, _ in operations(api.get("/openapi.json").json()):
        method, path = name.split()
        for parameter in re.findall(r"{(\w+)}", path):
            for value in ELSEWHERE:
                answer = api.request(method, path.format(**ids | {parameter: percent(value)}), headers=TUS)
                assert answer.status_code in (404, 422), f"{name} with {value!r}: {answer.text}"
                problem(answer, answer.status_code, "not_found" if answer.status_code == 404 else "invalid")
                tried += 1
    assert tried > 50 * len(ELSEWHERE)
