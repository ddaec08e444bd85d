"""make demo: the main job over HTTP, from pictures in a folder to a report, on a service of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from app.demo import show
from app.demo.client import Client, JobEnded
from app.demo.gallery import make_gallery
from app.folder.scan import pictures
from app.folder.stages import Stages
from app.report.report import Report, ReportCluster, ReportImage, write


def demo(gallery: Path | None, out: Path, console: Console) -> None:
    """Build or take a gallery, run the whole job, print what came of it, write the report, stop the service."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with Stages(console) as stages:
        if gallery is None:
            gallery = out / "gallery"
            with stages.stage("draw", "Drawing a sample gallery") as advance:
                make_gallery(gallery, progress=advance)
        archive = _zip(gallery, out / "gallery.zip", stages)
        with _service(out, stages) as client:
            found = _main_job(client, archive, gallery.resolve().name, stages)
            labels = _labels(found["images"])
            scores = (
                client.post(f"/v1/clusterings/{found['clustering']['id']}/evaluations", json={"labels": labels})
                if (labels)
                else None
            )
            found |= {"labels": labels, "scores": scores, "neighbours": _search(client, found)}
            with stages.stage("report", "Fetching thumbnails", len(found["images"])) as advance:
                thumbnails = _thumbnails(client, found["images"], out / "thumbs", advance)
    write(_report(found, thumbnails, gallery.resolve(), stages.seconds), out / "report.html")
    show.results(console, found)
    console.print(f"\nThe service has stopped. Open [bold]{out / 'report.html'}[/bold] in a browser,", soft_wrap=True)
    console.print(f"or start it again on this gallery: [bold]roost serve --data {out / 'data'}[/bold]", soft_wrap=True)


def _zip(gallery: Path, target: Path, stages: Stages) -> Path:
    files = pictures(gallery, target.parent / "thumbs")
    if not files:
        raise JobEnded(f"{gallery} has no pictures")
    with stages.stage("zip", "Packing", len(files)) as advance, zipfile.ZipFile(target, "w") as archive:
        for number, path in enumerate(files, 1):
            archive.write(path, path.relative_to(gallery).as_posix())
            advance(number)
    return target


@contextmanager
def _service(out: Path, stages: Stages) -> Iterator[Client]:
    """A service of its own on a free port; stopped cleanly at the end, whatever happens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app.cli", "serve", "--data", str(out / "data"), "--port", str(port)]
    with (out / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"ROOST_LOG_FORMAT": "console"})
        try:
            client = Client(f"http://127.0.0.1:{port}")
            with stages.stage("start", f"Starting the service on port {port}"):
                client.ready(lambda: process.poll() is None)
            yield client
        finally:
            process.terminate()
            if code := process.wait(30):
                print(f"the service ended with {code}; see {out / 'service.log'}", file=sys.stderr)


def _main_job(client: Client, archive: Path, name: str, stages: Stages) -> dict[str, Any]:
    collection = client.post("/v1/collections", json={"name": name})["id"]
    with stages.stage("upload", "Uploading", archive.stat().st_size) as advance:
        accepted = client.upload(collection, archive, advance)
    with stages.stage("ingest", "Reading pictures") as advance:
        client.follow(accepted["job_id"], lambda job: advance(job["progress"]["done"], job["progress"]["total"]))
    report = client.http.get(f"/v1/jobs/{accepted['job_id']}/report").raise_for_status().text
    job = client.post(f"/v1/collections/{collection}/clusterings", json={"k": "auto"})
    with stages.stage("cluster", "Embedding and clustering") as advance:
        ended = client.follow(job["id"], lambda job: advance(job["progress"]["done"], job["progress"]["total"]))
    clustering = client.get(f"/v1/clusterings/{ended['result']['clustering_id']}")
    clusters = list(client.pages(f"/v1/clusterings/{clustering['id']}/clusters"))
    for cluster in clusters:
        cluster["images"] = list(client.pages(f"/v1/clusterings/{clustering['id']}/clusters/{cluster['id']}/images"))
    return {
        "collection": client.get(f"/v1/collections/{collection}"),
        "report": [line for line in report.splitlines() if line],
        "clustering": clustering,
        "clusters": clusters,
        "outliers": [image["image_id"] for image in client.pages(f"/v1/clusterings/{clustering['id']}/outliers")],
        "images": [image for cluster in clusters for image in cluster["images"]],
    }


def _labels(images: list[dict[str, Any]]) -> dict[str, str]:
    """The folders' names, where pictures lie in more than one."""
    labels = {image["image_id"]: image["name"].rsplit("/", 1)[0] for image in images if "/" in image["name"]}
    return labels if len(set(labels.values())) > 1 else {}


def _search(client: Client, found: dict[str, Any]) -> dict[str, Any]:
    """The neighbours of the biggest cluster's most typical image."""
    query = found["clusters"][0]["images"][0]
    path = f"/v1/collections/{found['collection']['id']}/search"
    return {"query": query["name"], **client.post(path, params={"k": 5}, json={"image_id": query["image_id"]})}


def _thumbnails(client: Client, images: list[dict[str, Any]], folder: Path, advance: Any) -> dict[str, str]:
    folder.mkdir()
    for number, image in enumerate(images, 1):
        data = client.http.get(f"/v1/images/{image['image_id']}/thumbnail").raise_for_status().content
        (folder / f"{image['image_id']}.jpg").write_bytes(data)
        advance(number)
    return {image["image_id"]: f"thumbs/{image['image_id']}.jpg" for image in images}


def _report(found: dict[str, Any], thumbnails: dict[str, str], gallery: Path, seconds: dict[str, float]) -> Report:
    clustering = found["clustering"]

    far = set(found["outliers"])

    def image(row: dict[str, Any]) -> ReportImage:
        original = (gallery / row["name"]).as_uri()
        return ReportImage(
            row["name"], thumbnails[row["image_id"]], row["distance"], row["image_id"] in far, original=original
        )

    clusters = [
        ReportCluster(cluster["id"], cluster["label"], cluster["cohesion"], [image(row) for row in cluster["images"]])
        for cluster in found["clusters"]
    ]
    lines = [json.loads(line) for line in found["report"]]
    names = {line["image_id"]: line["name"] for line in lines if line["status"] == "ready"}
    work = seconds["ingest"] + seconds["cluster"]
    return Report(
        title=gallery.name,
        created_at=datetime.now(UTC),
        encoder=clustering["encoder"]["name"],
        algorithm=clustering["algorithm"],
        k=clustering["k"],
        seed=clustering["seed"],
        images=clustering["images"],
        rejected=[(line["name"], line["code"], line["detail"]) for line in lines if line["status"] == "rejected"],
        duplicates=[(line["name"], names.get(line["image_id"], "")) for line in lines if line["status"] == "duplicate"],
        metrics=clustering["metrics"],
        scores=found["scores"],
        seconds=seconds,
        images_per_s=round(clustering["images"] / work, 1),
        clusters=clusters,
        truth={
            row["name"]: found["labels"][row["image_id"]]
            for row in found["images"]
            if row["image_id"] in found["labels"]
        }
        or None,
    )
