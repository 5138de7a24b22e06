"""Timing in turns: what the machine does to one entrant it does to all."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PAUSE = 0.05
"""Seconds between two entrants, in which the threads of the one before cease to spin."""


@dataclass(frozen=True)
class Entrant:
    """What is timed, and what its result says, for comparing with another's (not timed)."""

    run: Callable[[], Any]
    outcome: Callable[[Any], Any] | None = None


def in_turns(
    entrants: dict[str, Entrant], rounds: int, budget: float
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of each call, and the outcome of each entrant.

    A round calls every entrant once, in an order that is drawn: what one leaves in the caches is
    not always found by the same. None follows itself, so that two alternate. Rounds end after
    `rounds` or after `budget` seconds. The first one warms up, and counts only where it was the
    only one.
    """
    times: dict[str, list[float]] = {name: [] for name in entrants}
    outcomes: dict[str, Any] = {}
    began = time.perf_counter()
    draw, order = random.Random(0), list(entrants)
    for _ in range(rounds + 1):
        last = order[-1]
        draw.shuffle(order)
        while order[0] == last and len(order) > 1:
            draw.shuffle(order)
        for name in order:
            entrant = entrants[name]
            gc.collect()
            time.sleep(PAUSE)
            start = time.perf_counter()
            result = entrant.run()
            times[name].append(time.perf_counter() - start)
            if entrant.outcome is not None and name not in outcomes:
                outcomes[name] = entrant.outcome(result)
            del result  # several of a transform would not fit in memory
        if time.perf_counter() - began > budget:
            break
    return {name: values[1:] or values for name, values in times.items()}, outcomes


def medians(times: dict[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(values) for name, values in times.items()}
