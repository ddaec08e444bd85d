"""What each kind of edit does. How a cluster is split see splitting.py; how all is undone see work.py."""

from uuid import UUID

from app.corrections.schemas import AnyEdit, ExcludeIn, MergeIn, MoveIn, PinIn, RenameIn, SplitIn, UnpinIn
from app.corrections.splitting import Proposal, split
from app.corrections.work import Work


def apply(work: Work, body: AnyEdit, proposal: Proposal | None) -> None:
    """Do what was sent. `proposal` is how a cluster would fall into parts, made beforehand because it takes a while."""
    match body:
        case RenameIn():
            rename(work, body)
        case MergeIn():
            merge(work, body)
        case SplitIn():
            split(work, body, proposal)
        case MoveIn():
            move(work, body)
        case PinIn():
            pin(work, body)
        case UnpinIn():
            unpin(work, body)
        case ExcludeIn():
            exclude(work, body)


def rename(work: Work, body: RenameIn) -> None:
    row = work.cluster(body.cluster)
    work.group(row)
    row.label = body.label


def merge(work: Work, body: MergeIn) -> None:
    target, *others = [work.cluster(number) for number in body.clusters]
    kept = work.group(target)
    target.label = next((row.label for row in (target, *others) if row.label), None)
    became = {row.group_id: kept for row in others if row.group_id}
    _take_back_exclusions(work, body.clusters, {kept, *became})
    work.effect["groups"] = {str(old): str(new) for old, new in became.items()}
    numbers = [row.number for row in others]
    work.effect["absorbed"] = {"numbers": numbers, "into": target.number}
    work.move_all_in(numbers, into=target.number)
    for row in others:
        work.give_centres(row.number, target.number)
        row.label = row.group_id = None


def _take_back_exclusions(work: Work, numbers: list[int], groups: set[UUID]) -> None:
    """Who merges clusters says that an image in one of them belongs to the other as well."""
    facts = work.facts()
    excluded = [(i, group) for i, group in facts.never if group in groups and facts.hard.get(i) not in groups]
    number_of = work.numbers(sorted({image for image, _ in excluded}))
    work.say((image, group, None) for image, group in excluded if number_of.get(image) in numbers)


def move(work: Work, body: MoveIn) -> None:
    images = _once(body.images)
    places = work.places(images)
    if body.cluster is None:
        distances = work.centres.nearest(work.vectors(images))[1]
        group = work.outside()
    else:
        group = work.group(work.cluster(body.cluster))
        distances = work.centres.distances_to(body.cluster, work.vectors(images))
    new = zip(images, distances.tolist(), strict=True)
    work.move(places, [(i, body.cluster, d) for i, d in new if places[i].number != body.cluster])
    work.say((image, group, True) for image in images)


def pin(work: Work, body: PinIn) -> None:
    images = _once(body.images)
    places = work.places(images)
    groups = {
        number: work.outside() if number is None else work.group(work.cluster(number))
        for number in {place.number for place in places.values()}
    }
    work.say((image, groups[places[image].number], True) for image in images)


def unpin(work: Work, body: UnpinIn) -> None:
    images = _once(body.images)
    work.places(images)
    work.say((image, group, None) for image, group in work.facts(images).hard.items())


def exclude(work: Work, body: ExcludeIn) -> None:
    images = _once(body.images)
    places = work.places(images)
    group = work.group(work.cluster(body.cluster))
    work.say((image, group, False) for image in images)
    leaving = [image for image in images if places[image].number == body.cluster]
    if not leaving:
        return
    number_of = work.groups()
    barred = work.facts(leaving).exclusions()
    but = [{body.cluster, *(number_of[g] for g in barred.get(i, ()) if g in number_of)} for i in leaving]
    numbers, distances = work.centres.nearest(work.vectors(leaving), but)
    new = zip(leaving, numbers.tolist(), distances.tolist(), strict=True)
    work.move(places, [(image, number if number >= 0 else None, d) for image, number, d in new])


def _once(images: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(images))
