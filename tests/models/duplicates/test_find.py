"""Pairs of a whole gallery, and the candidates they come from."""

from pathlib import Path

import numpy as np
import pytest

from models.duplicates.candidates import by_embedding, by_hash
from models.duplicates.find import DEFAULT, KINDS, find
from models.duplicates.hashes import distance, of_copy, symmetric
from models.neighbours.cells import EXACT
from tests.fixtures.scenes import edits, saved, scene


def quiet(*_: object) -> None:
    """No progress wanted."""


def test_hash_candidates_are_those_that_comparing_all_finds() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(-(2**63), 2**63 - 1, 400)
    copies = symmetric(hashes[:60])[np.arange(60), rng.integers(0, 8, 60)]
    flips = np.array([np.bitwise_or.reduce(np.int64(1) << rng.choice(63, n % 12, replace=False)) for n in range(60)])
    hashes = np.concatenate([hashes, copies ^ flips, hashes[:5]])
    found = by_hash(hashes, 11, quiet)
    apart = distance(symmetric(hashes)[:, None, :], hashes[None, :, None])
    near = np.argwhere(np.triu(apart.min(axis=2) <= 11, 1))
    expected = {(int(i), int(j)) for i, j in near}
    # of equal hashes only the first pairs up with others
    later = set(range(460, 465))
    expected = {pair for pair in expected if not later & set(pair)} | {(n, 460 + n) for n in range(5)}
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert set(pairs) == expected and len(pairs) == len(expected)
    for (i, j), how in zip(pairs, found.how.tolist(), strict=True):
        assert apart[i, j, how] == apart[i, j].min(), "the form turns the first onto the second"


def test_embedding_candidates_are_near_neighbours() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(600, 200)).astype(np.float32)
    vectors[300:] = vectors[:300] + 0.3 * rng.normal(size=(300, 200)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = by_embedding(vectors, 0.75, quiet)
    assert (found.how == -1).all()
    cosines = vectors @ vectors.T
    expected = {(int(i), int(j)) for i, j in np.argwhere(np.triu(cosines >= 0.75, 1))}
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected


def test_above_a_size_only_near_cells_are_searched() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(EXACT + 1000, 16)).astype(np.float32)
    vectors[-500:] = vectors[:500] + 0.05 * rng.normal(size=(500, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = by_embedding(vectors, 0.97, quiet)
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    twins = {(n, EXACT + 500 + n) for n in range(500)}
    assert len(pairs & twins) >= 490


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, int, str]]:
    """Five scenes with their edits, each scene once more, and ten other scenes: path, scene, what was done."""
    folder = tmp_path_factory.mktemp("copies")
    rows = []
    for seed in range(15):
        picture = scene(seed)
        copies = {"": picture} | (edits(picture) | {"again": picture} if seed < 5 else {})
        for name, copy in copies.items():
            path = folder / f"{seed}-{name}.jpg"
            path.write_bytes(saved(copy))
            rows.append((path, seed, name))
    return rows


def scenes_as_vectors(rows: list[tuple[Path, int, str]]) -> np.ndarray:
    """Unit rows that are near for one scene: what an encoder would give at its best."""
    rng = np.random.default_rng(0)
    scenes = rng.normal(size=(15, 32))
    vectors = np.array([scenes[seed] for _, seed, _ in rows]) + 0.3 * rng.normal(size=(len(rows), 32))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_finds_every_copy_and_nothing_else(gallery: list[tuple[Path, int, str]]) -> None:
    hashed = [of_copy(path) for path, _, _ in gallery]
    seen: list[str] = []
    pairs = find(
        lambda row: gallery[row][0],
        [digest for digest, _ in hashed],
        np.array([value for _, value in hashed]),
        scenes_as_vectors(gallery),
        lambda stage, done, total: seen.append(stage),
    )
    assert list(dict.fromkeys(seen)) == ["match", "neighbours", "compare"]
    alike = pairs.similarity >= DEFAULT
    for first, second in zip(pairs.first[alike], pairs.second[alike], strict=True):
        assert gallery[first][1] == gallery[second][1], (gallery[first], gallery[second])
    involved = set(pairs.first[alike].tolist()) | set(pairs.second[alike].tolist())
    assert {gallery[row][1:] for row in involved} == {one[1:] for one in gallery if one[1] < 5}
    exact = pairs.kind == KINDS.index("exact")
    assert exact.sum() == 5 and (pairs.similarity[exact] == 1).all()
    assert {gallery[row][2] for row in pairs.second[exact]} == {"again"}
    assert pairs.similarity[~exact].max() < 1
    assert len({(a, b) for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}) == len(pairs.first)
    assert (pairs.first < pairs.second).all()


def test_what_progress_raises_ends_the_search(gallery: list[tuple[Path, int, str]]) -> None:
    class Stopped(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "compare" and done == 3:
            raise Stopped

    hashed = [of_copy(path) for path, _, _ in gallery]
    with pytest.raises(Stopped):
        find(
            lambda row: gallery[row][0],
            [digest for digest, _ in hashed],
            np.array([value for _, value in hashed]),
            scenes_as_vectors(gallery),
            stop,
        )
