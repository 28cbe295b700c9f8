"""The order of draws: known from seed and number, every picture once a round, shares kept, devices apart."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from drivederain.training.draws import Draw, Draws, Order, Place


def batches(order: Order, epoch_batches: int, count: int, place: Place | None = None, **more: int) -> list[list[Draw]]:
    """``count`` batches of two crops, over as many epochs as it takes."""
    draws = Draws(order, lambda batch: (32, 2), epoch_batches, place=place, **more)
    found: list[list[Draw]] = []
    while len(found) < count:
        found += islice(draws, count - len(found))
    return found


def test_every_picture_comes_once_a_round_in_another_order_each() -> None:
    order = Order(5, [7])
    rounds = [[order.at(number) for number in range(7 * each, 7 * each + 7)] for each in range(3)]
    assert all(sorted(one) == [(0, index) for index in range(7)] for one in rounds)
    assert len({tuple(one) for one in rounds}) == 3
    assert [order.at(number) for number in (20, 3, 11)] == [Order(5, [7]).at(number) for number in (20, 3, 11)]
    assert [Order(6, [7]).at(number) for number in range(7)] != rounds[0]


@pytest.mark.parametrize(("weights", "share"), [([3.0, 1.0], 0.75), ([1.0, 1.0], 0.5), ([1.0, 1e6], 0.001)])
def test_parts_have_their_share_of_the_draws(weights: list[float], share: float) -> None:
    order = Order(0, [2, 8], weights)
    drawn = [order.at(number) for number in range(1000)]
    counts = Counter(part for part, _ in drawn)
    assert counts[0] == pytest.approx(1000 * share, abs=1), "no part with a share is left out altogether"
    for part, size in enumerate([2, 8]):
        of_part = Counter(index for each, index in drawn if each == part)
        assert len(of_part) == min(size, counts[part]) and max(of_part.values()) - min(of_part.values()) <= 1


def test_without_weights_parts_are_drawn_by_their_size() -> None:
    counts = Counter(Order(1, [3, 9]).at(number)[0] for number in range(120))
    assert counts == {0: 30, 1: 90}


def test_it_goes_on_at_any_place_as_if_it_had_never_stopped() -> None:
    whole = batches(Order(3, [5]), 3, 10)
    for stop in range(1, 10):
        draws = Draws(Order(3, [5]), lambda batch: (32, 2), 3)
        place, done = Place(), 0
        while done < stop:
            for index, _ in enumerate(draws):
                place, done = draws.place_after(place.epoch, index), done + 1
                if done == stop:
                    break
        assert place.draws == 2 * stop and (place.epoch, place.batch) == divmod(stop, 3)
        assert batches(Order(3, [5]), 3, 10 - stop, place) == whole[stop:]


def test_loaders_that_fetch_ahead_do_not_move_the_place() -> None:
    draws = Draws(Order(3, [5]), lambda batch: (32, 2), 3)
    fetched = list(draws)
    assert draws.place_after(0, 0) == Place(0, 1, 2)
    assert draws.place_after(0, 2) == Place(1, 0, 6)
    assert draws.drawn(1) == fetched[1]
    with pytest.raises(LookupError):
        draws.drawn(7)


def test_several_devices_share_out_one_larger_batch() -> None:
    alone = Draws(Order(0, [9]), lambda batch: (32, 4), 4)
    shares = [Draws(Order(0, [9]), lambda batch: (32, 2), 4, world=2) for _ in range(2)]
    shares[1].rank = 1
    for whole, *parts in zip(alone, *shares, strict=True):
        assert sorted(whole) == sorted(parts[0] + parts[1]) and len(parts[0]) == len(parts[1]) == 2


def test_crop_and_batch_follow_the_number_of_the_batch() -> None:
    draws = Draws(Order(0, [9]), lambda batch: (16, 3) if batch < 2 else (64, 1), 4)
    assert [[(draw.crop, draw.number) for draw in batch] for batch in draws] == [
        [(16, 0), (16, 1), (16, 2)], [(16, 3), (16, 4), (16, 5)], [(64, 6)], [(64, 7)],
    ]  # fmt: skip


def test_photos_without_truth_come_beside_half_as_many() -> None:
    draws = Draws(Order(0, [9]), lambda batch: (32, 4), 2, unlabelled=Order(0, [3]))
    for batch in draws:
        assert [draw.part for draw in batch] == [0, 0, 0, 0, -1, -1]
        assert all(0 <= draw.picture < 3 for draw in batch[4:])
