"""SIGKILLs at every fail point in both settings: python -m benchmarks.soak.kills --count 600

Every acknowledged upload must be whole, every job end, nothing be doubled, the service be back within ten seconds; the
first that is not ends the run. Kills are noted in a file, so that a run that was stopped goes on.
"""

import argparse
import itertools
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.soak.running import SETTINGS, running
from tests.fixtures.lives import BACK_WITHIN_S, QUICK
from tests.fixtures.points import REACHED_BY, Work

POINTS = sorted(itertools.chain.from_iterable(REACHED_BY.values()))
LIFE = 20  # kills between two looks at everything, each time with fresh data


def order(setting: str, seed: int, count: int) -> list[str]:
    """Which point comes when: all of them, in another order each round."""
    rng = random.Random(f"{seed} {setting}")
    rounds = -(-count // len(POINTS))
    return [point for _ in range(rounds) for point in rng.sample(POINTS, len(POINTS))][:count]


def strike(setting: str, points: list[str], log: Path, seed: int) -> None:
    """One service's life after another at these points; what was killed, noted when it was found whole."""
    folder = Path(tempfile.mkdtemp(prefix="roost-soak-")) / "life"
    with running(setting, folder, **QUICK) as lives:
        work, notes = Work(lives), []
        for point in points:
            began, back = time.monotonic(), len(lives.returns)
            work.strike(point)
            seconds = round(time.monotonic() - began, 2)
            slowest = round(max(lives.returns[back:], default=0.0), 2)
            notes.append({"setting": setting, "point": point, "seed": seed, "s": seconds, "back_s": slowest})
        amiss = [lives.amiss(one) for one in lives.acknowledged]
        found = {"uploads": sum(map(len, lives.acknowledged.values())), "jobs": len(lives.made)}
        found |= {"lost": sum(lost for lost, _ in amiss), "doubled": sum(doubled for _, doubled in amiss)}
        found["orphans"] = lives.check()
    with log.open("a") as file:
        notes[-1] |= found
        file.writelines(json.dumps(note) + "\n" for note in notes)


def noted(log: Path, seed: int) -> list[dict[str, Any]]:
    if not log.exists():
        return []
    return [note for line in log.read_text().splitlines() if (note := json.loads(line))["seed"] == seed]


def table(notes: list[dict[str, Any]]) -> str:
    lines = ["| setting | kills | points | uploads | jobs | lost | doubled | slowest return, s | median kill, s |"]
    lines.append("| --- " * 9 + "|")
    for setting in SETTINGS:
        own = [note for note in notes if note["setting"] == setting]
        if own:
            seconds = sorted(note["s"] for note in own)
            sums = [sum(note.get(name, 0) for note in own) for name in ("uploads", "jobs", "lost", "doubled")]
            slowest, median = max(note["back_s"] for note in own), seconds[len(seconds) // 2]
            numbers = [len(own), len({note["point"] for note in own}), *sums, slowest, median]
            lines.append(f"| {setting} | {' | '.join(map(str, numbers))} |")
    per_point = Counter(note["point"] for note in notes)
    return "\n".join([*lines, "", ", ".join(f"{point} {count}" for point, count in sorted(per_point.items()))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600, help="kills in all, half in each setting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--setting", choices=list(SETTINGS), help="only this one; both may run at once, with one log")
    parser.add_argument("--log", type=Path, default=Path("soak-kills.jsonl"), help="what was done, to go on from")
    chosen = parser.parse_args()
    for setting in [chosen.setting] if chosen.setting else SETTINGS:
        half = chosen.count // 2 if setting == "server" else -(-chosen.count // 2)
        while rest := order(setting, chosen.seed, half)[_done(chosen, setting) :][:LIFE]:
            strike(setting, rest, chosen.log, chosen.seed)
    notes = noted(chosen.log, chosen.seed)
    print(f"seed {chosen.seed}\n\n{table(notes)}")
    slow = [note for note in notes if note["back_s"] > BACK_WITHIN_S]
    if slow:
        raise SystemExit(f"back too late: {slow}")


def _done(chosen: argparse.Namespace, setting: str) -> int:
    return sum(note["setting"] == setting for note in noted(chosen.log, chosen.seed))


if __name__ == "__main__":
    main()
