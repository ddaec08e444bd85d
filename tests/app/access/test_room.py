"""What a quota has no room for is not taken: neither in chunks of unknown length nor as uploads only begun."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient

from app.images.multipart import MULTIPART_BYTES
from tests.app.access.test_quotas import limit, resources
from tests.app.calls import BOUNDARY, files_below, multipart, new_collection, part, problem
from tests.app.uploads.speaking import TUS, metadata
from tests.fixtures.pictures import zipped


def test_what_cannot_fit_is_not_taken_in_chunks_either(either_api: TestClient) -> None:
    """Nobody says how long such a body is, and each of its files would be refused only once it is on the disk."""
    res, collection_id = resources(either_api), new_collection(either_api)
    limit(res, quota_bytes=1000)
    body, kind = multipart((part(b"a.jpg"), bytes(2 * MULTIPART_BYTES))), f"multipart/form-data; boundary={BOUNDARY}"
    for content, content_type in (
        (body, kind),
        (zipped({"a.jpg": os.urandom(2 * MULTIPART_BYTES)}), "application/zip"),
    ):
        pieces = iter([content[: MULTIPART_BYTES // 2], content[MULTIPART_BYTES // 2 :]])
        headers = {"Content-Type": content_type}
        answer = either_api.post(f"/v1/collections/{collection_id}/images", content=pieces, headers=headers)
        problem(answer, 413, "quota_exceeded")
    assert files_below(res.settings.scratch) == []


def begun(api: TestClient, collection_id: str, size: int) -> Any:
    said = metadata(filename="a.jpg", collection=collection_id)
    return api.post("/v1/uploads", headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": said})


def test_uploads_that_were_begun_hold_room(either_api: TestClient) -> None:
    """However many begin at the same time; what is given up holds none."""
    collections = [new_collection(either_api, f"c{n}") for n in range(4)]
    limit(resources(either_api), quota_bytes=1000)
    problem(begun(either_api, collections[0], 1001), 413, "quota_exceeded")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: begun(either_api, collections[n % 4], 600), range(40)))
    assert sorted(one.status_code for one in answers) == [201] + [413] * 39
    refused = problem(begun(either_api, collections[0], 401), 413, "quota_exceeded")
    assert "600 bytes more" in refused["detail"] and "GET /v1/uploads" in refused["detail"]
    assert begun(either_api, collections[0], 400).status_code == 201, "exactly what is left"
    for answer in answers:
        if answer.status_code == 201:
            assert either_api.delete(answer.headers["Location"], headers=TUS).status_code == 204
    assert begun(either_api, collections[0], 600).status_code == 201
