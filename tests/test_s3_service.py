"""The main job on a service whose blobs live in S3: its data folder keeps none."""

import hashlib
import io
import time
import zipfile
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.app.calls import new_collection
from tests.fixtures.pictures import gallery, zipped
from tests.fixtures.services import Service, environment


@pytest.mark.slow
def test_from_upload_to_deletion(s3: dict[str, str], new_s3_bucket: str, tmp_path: Path) -> None:
    data, prefix = tmp_path / "data", f"roost-{uuid4().hex}"
    url, cache = f"s3://{new_s3_bucket}/{prefix}", str(tmp_path / "cache")
    service = Service(data, environment(data, ROOST_STORAGE_URL=url, ROOST_CACHE=cache, **s3)).start()
    listing = f"{s3['AWS_ENDPOINT_URL']}/{new_s3_bucket}?list-type=2&prefix={prefix}"
    try:
        _main_job(service, listing)
    finally:
        codes = service.stop()
    assert codes == [0] and not (data / "blobs").exists()


def _main_job(service: Service, listing: str) -> None:
    client, files = service.client, gallery(4)
    collection_id = new_collection(client, "in S3")
    home = f"/v1/collections/{collection_id}"
    archive = client.post(f"{home}/images", content=zipped(files), headers={"Content-Type": "application/zip"})
    assert service.job(archive.json()["job_id"])["result"] == {"created": 12, "duplicates": 0, "rejected": 0}
    images = service.pages(f"{home}/images", status="ready")
    done = service.job(client.post(f"{home}/clusterings", json={"k": 3}).json()["id"])
    assert done["state"] == "succeeded", done
    clustering = f"/v1/clusterings/{done['result']['clustering_id']}"
    assert [one["size"] for one in service.pages(f"{clustering}/clusters")] == [4, 4, 4]
    assert client.get(f"{clustering}/map").status_code == 200
    found = client.post(f"{home}/search", params={"k": 3}, json={"image_id": images[0]["id"]}).json()["hits"]
    assert {hit["name"].split("/")[0] for hit in found} == {images[0]["name"].split("/")[0]}
    picture = {"file": ("query.jpg", files[images[0]["name"]])}
    assert client.post(f"{home}/search", files=picture).json()["hits"][0]["image_id"] == images[0]["id"]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{clustering}/export", params={"format": "zip"}).content)) as exported:
        assert sorted(map(exported.read, exported.namelist())) == sorted(files.values())
    _files(client, images[0], files[images[0]["name"]])
    assert "<Key>" in httpx.get(listing).text
    assert client.delete(f"/v1/images/{images[0]['id']}").status_code == 204
    assert images[0]["id"] not in httpx.get(listing).text
    assert client.delete(home).status_code == 204
    deadline = time.monotonic() + 60
    while "<Key>" in (left := httpx.get(listing).text):
        assert time.monotonic() < deadline, f"a deleted collection leaves: {left}\n{service.log()}"
        time.sleep(0.1)


def _files(client: httpx.Client, image: dict[str, str], original: bytes) -> None:
    path = f"/v1/images/{image['id']}"
    whole = client.get(f"{path}/file")
    assert hashlib.sha256(whole.content).hexdigest() == image["sha256"]
    part = client.get(f"{path}/file", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, original[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(original)}"
    two = client.get(f"{path}/file", headers={"Range": "bytes=0-3,-5"})
    assert two.status_code == 206 and original[:4] in two.content and original[-5:] in two.content
    assert client.get(f"{path}/file", headers={"Range": f"bytes={len(original)}-"}).status_code == 416
    for size in (128, 256, 1024):
        answer = client.get(f"{path}/thumbnail", params={"size": size})
        assert answer.status_code == 200 and Image.open(io.BytesIO(answer.content)).format == "JPEG"
