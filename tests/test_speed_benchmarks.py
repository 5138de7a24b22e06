"""The benchmark of speed: turns, verdicts, and whose time a profile is. No test measures time."""

from __future__ import annotations

import cProfile
import functools
import importlib
import itertools
import pstats
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

SPEED = Path(__file__).resolve().parents[1] / "benchmarks" / "speed"
MODULES = ("report", "timing", "peers", "races", "run", "accuracy", "grid_search", "streaming")


@pytest.fixture
def speed(monkeypatch):
    """The benchmark's modules, by name; forgotten afterwards, since their names are common."""
    monkeypatch.syspath_prepend(str(SPEED))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture
def entrants(speed):
    """Two entrants that write down when they ran, and what they wrote."""
    calls: list[str] = []
    Entrant = speed["timing"].Entrant
    return calls, {
        "ours": Entrant(lambda: calls.append("ours"), lambda _: len(calls)),
        "peer": Entrant(lambda: calls.append("peer")),
    }


def test_entrants_take_turns_and_the_first_round_warms_up(speed, entrants, monkeypatch):
    monkeypatch.setattr(speed["timing"], "PAUSE", 0)
    calls, both = entrants
    times, outcomes = speed["timing"].in_turns(both, rounds=3, budget=60)
    assert sorted(calls[:2]) == ["ours", "peer"]
    assert calls == calls[:2] * 4
    assert {name: len(values) for name, values in times.items()} == {"ours": 3, "peer": 3}
    assert list(outcomes) == ["ours"]


def test_every_entrant_follows_every_other_and_never_itself(speed, monkeypatch):
    monkeypatch.setattr(speed["timing"], "PAUSE", 0)
    calls = []
    three = {name: speed["timing"].Entrant(functools.partial(calls.append, name)) for name in "abc"}
    speed["timing"].in_turns(three, rounds=25, budget=60)
    rounds = [calls[i : i + 3] for i in range(0, len(calls), 3)]
    assert all(sorted(names) == ["a", "b", "c"] for names in rounds)
    assert set(itertools.pairwise(calls)) == {(a, b) for a in "abc" for b in "abc" if a != b}


def test_a_round_beyond_the_budget_counts_if_it_is_the_only_one(speed, entrants):
    calls, both = entrants
    times, _ = speed["timing"].in_turns(both, rounds=3, budget=0)
    assert sorted(calls) == ["ours", "peer"]
    assert {name: len(values) for name, values in times.items()} == {"ours": 1, "peer": 1}


@pytest.mark.parametrize(
    ("at_most", "agreement", "ratio", "difference", "judged", "said"),
    [
        (0.7, None, 0.7, None, True, "met, ours is faster"),
        (0.7, None, 0.71, None, True, "MISSED, ours is faster"),
        (1.2, None, 1.1, None, True, "met, the peer is faster"),
        (1.2, None, 1.3, None, True, "MISSED, the peer is faster"),
        (None, None, 1.3, None, True, "the peer is faster"),
        (1.2, None, 9.0, None, False, "not judged at this size"),
        (1.2, 1e-4, 0.5, 1e-4, True, "met, ours is faster"),
        (1.2, 1e-4, 0.5, 2e-4, True, "ANOTHER RESULT (above 1e-04)"),
        (1.2, 1e-4, 0.5, np.nan, False, "ANOTHER RESULT (above 1e-04)"),
    ],
)
def test_a_line_says_who_is_faster_and_what_was_promised(
    speed, at_most, agreement, ratio, difference, judged, said
):
    comparison = speed["races"].Comparison("ours", "peer", at_most, agreement)
    assert speed["run"].verdict(comparison, ratio, difference, None, judged) == said


def test_a_peer_that_is_not_installed_is_named(speed, monkeypatch):
    monkeypatch.setitem(sys.modules, "himalaya", None)
    monkeypatch.setitem(sys.modules, "himalaya.ridge", None)
    race = speed["races"].ridge_race(60, 8)
    lines = speed["run"].run_race("ridge", race, rounds=1, budget=0, judged=False)
    for line in lines:
        assert ("himalaya" in line.peer) == line.verdict.startswith("not installed (")
        assert len(speed["run"].cells(line)) == len(speed["run"].TITLES)
    assert any("himalaya" in line.peer for line in lines)


def test_every_race_has_the_entrants_that_it_compares(speed):
    quick, full = (speed["races"].all_races(quick=quick) for quick in (True, False))
    assert list(quick) == list(full)
    for make in quick.values():
        race = make()
        assert race.comparisons
        named = {name for line in race.comparisons for name in (line.ours, line.peer)}
        assert named == set(race.entrants)


def test_ours_and_the_library_at_hand_solve_the_same_problem(speed):
    """The fits that need no extra, compared as the table compares them."""
    races, installed = speed["races"], ("scipy", "sklearn", "Translator")
    for race in (races.ortho_race(300, 16, 1.2), races.ridge_race(200, 16)):
        outcomes = {}
        for name, build in race.entrants.items():
            if any(word in name for word in installed):
                entrant = build()
                outcomes[name] = entrant.outcome(entrant.run())
        compared = [line for line in race.comparisons if line.agreement and line.peer in outcomes]
        assert compared
        for line in compared:
            difference = speed["run"].relative_difference(outcomes[line.ours], outcomes[line.peer])
            assert difference <= line.agreement


@pytest.mark.parametrize(
    ("verdicts", "judged", "said"),
    [
        (["met, ours is faster", "MISSED, ours is faster"], True, "2 lines, of which 1 miss a pro"),
        (["not judged at this size"] * 2, False, "2 lines. Tiny data: no promise was judged."),
        (["ANOTHER RESULT (above 1e-04)"], False, "1 lines. Tiny data: no promise was judged; 1 h"),
        (["ANOTHER RESULT (above 1e-04)"], True, "1 lines, of which 1 miss a promise or have an"),
    ],
)
def test_the_last_line_judges_what_was_judged(speed, verdicts, judged, said):
    lines = [
        speed["run"].Line("r", "w", "o", 1.0, "p", 1.0, 1.0, 1.0, 1.0, 0.0, 1, v) for v in verdicts
    ]
    assert speed["run"].summary(lines, judged).startswith(said)


def test_accuracy_is_judged_at_full_size_alone(speed):
    verdict = speed["accuracy"].verdict
    assert verdict(1e-4, 1e-4) == "met"
    assert verdict(2e-4, 1e-4) == verdict(np.nan, 1e-4) == "MISSED"
    assert verdict(2e-4, 1e-4, judged=False) == "not judged at this size"
    assert verdict(None, 1e-4) == verdict(None, 1e-4, judged=False) == "–"


QUICK = {
    "run": (["--only", "transform", "ridge", "--budget", "0"], "no promise was judged"),
    "accuracy": ([], "300 × 8 → 4; "),
    "grid_search": (["--jobs", "1", "--rows", "60", "--columns", "6"], ", 60 × 6, float32"),
    "streaming": ([], "5,000 x 16, float32; tiny data: the figures mean nothing"),
}


@pytest.mark.parametrize("name", QUICK)
def test_quick_runs_and_judges_nothing(speed, capsys, name):
    if name == "streaming" and not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    arguments, said = QUICK[name]
    speed[name].main(["--quick", *arguments])
    printed = capsys.readouterr().out
    assert said in printed
    verdicts = printed.replace("no promise was judged", "")
    assert [word for word in ("| met", "MISSED", "promise") if word in verdicts] == []


def test_make_bench_passes_quick_to_every_script():
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    done = subprocess.run(
        ["make", "--dry-run", "bench", "BENCH_ARGS=--only ridge --quick"],
        cwd=SPEED.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if "benchmarks/speed/" in line]
    assert [line.partition(".py ")[2].strip() for line in lines] == [
        "--only ridge --quick",
        "--quick",
        "--quick",
    ]


def test_shares_of_a_profile_are_all_of_it(speed):
    grid_search = speed["grid_search"]
    X, y = speed["races"].latents(60, 8)
    profile = cProfile.Profile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        profile.enable()
        grid_search.search(grid_search.METHODS[:2], (10, 20), 1, 2).fit(X, y)
        profile.disable()
    seconds = grid_search.Shares(profile).seconds()
    assert sum(seconds.values()) == pytest.approx(pstats.Stats(profile).total_tt)
    owners = {owner for _, owner in grid_search.OWNERS if owner}
    assert owners <= set(seconds) <= owners | {"neither"}
