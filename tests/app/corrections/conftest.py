"""A clustering of forty images in four clusters, on each database, for one test alone."""

import pytest
from fastapi.testclient import TestClient

from tests.app.corrections.editing import Editor
from tests.fixtures.clusterings import Gallery, blobs


@pytest.fixture
def editor(shared_api: TestClient) -> Editor:
    """Images 0 to 9 are cluster 0, 10 to 19 cluster 1, and so on."""
    gallery = Gallery.make(shared_api.app.state.resources)  # type: ignore[attr-defined]
    vectors, truth = blobs(4, 10)
    gallery.add(vectors)
    return Editor(shared_api, gallery, gallery.cluster(truth))
