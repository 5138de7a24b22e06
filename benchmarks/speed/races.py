"""What is raced against what, and what the ratio must be."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from unittest import mock

import numpy as np
import peers
from sklearn import config_context
from timing import Entrant

from sklearn_latent import AffineTranslator, ProcrustesTranslator, RidgeTranslator

STEPS = 300
N_ALPHAS = 10


@dataclass(frozen=True)
class Comparison:
    """One line of the table: ours against a peer.

    `at_most` is what the ratio of our median to the peer's must not exceed, where something is
    promised; `agreement` the same for the relative difference of the two results.
    """

    ours: str
    peer: str
    at_most: float | None = None
    agreement: float | None = None


@dataclass(frozen=True)
class Race:
    """Entrants, built when the race starts, and the lines of the table."""

    work: str
    entrants: dict[str, Callable[[], Entrant]]
    comparisons: tuple[Comparison, ...]
    rounds: int = 7


def latents(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Float32 pairs (n, d) that a noisy rotation relates, off the origin and of unequal spread."""
    rng = np.random.default_rng(0)
    spread = np.geomspace(3, 0.3, d, dtype=np.float32)
    X = rng.standard_normal((n, d), dtype=np.float32) * spread + np.float32(0.5)
    rotation = np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)
    y = X @ rotation
    y += np.float32(0.3) * rng.standard_normal((n, d), dtype=np.float32)
    return X, y


def standardised(rows: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and standard deviation 1."""
    return ((rows - rows.mean(axis=0, dtype=float)) / rows.std(axis=0, dtype=float)).astype("f4")


def transform_race(n: int, d: int, at_most: float | None = None) -> Race:
    """Transforms of others, which add an offset, convert or scale as well.

    The limit is that of the bare product.
    """
    X, y = latents(n, d)
    anchors = X[:2000].copy(), y[:2000].copy()
    ours = "ProcrustesTranslator.transform"
    fitted = ProcrustesTranslator().fit(*anchors)

    def translate() -> Entrant:
        return Entrant(lambda: fitted.transform(X), lambda out: out[:1000])

    return Race(
        f"{n:,} × {d} rows, float32, validation included",
        {
            ours: translate,
            "bare product": lambda: peers.bare_gemm(X, fitted.coef_, fitted.intercept_),
            "latentis Procrustes.transform": lambda: peers.latentis_transform(X, anchors),
            "fmralign Procrustes.transform (float64)": lambda: peers.fmralign_transform(X, anchors),
            "sklearn LinearRegression.predict": lambda: peers.sklearn_predict(X, anchors),
            "POT LinearTransport.transform": lambda: peers.pot_transform(X, anchors),
        },
        (
            Comparison(ours, "bare product", at_most, agreement=1e-5),
            Comparison(ours, "latentis Procrustes.transform", agreement=1e-3),
            Comparison(ours, "fmralign Procrustes.transform (float64)"),
            Comparison(ours, "sklearn LinearRegression.predict"),
            Comparison(ours, "POT LinearTransport.transform"),
        ),
    )


def closest(race: Race, names: Collection[str]) -> Race:
    """Against these peers alone: without slower entrants there is time for many rounds."""
    comparisons = tuple(line for line in race.comparisons if line.peer in names)
    unknown = set(names) - {line.peer for line in comparisons}
    if unknown:
        raise ValueError(f"{sorted(unknown)} are no peers of this race.")
    named = {name for line in comparisons for name in (line.ours, line.peer)}
    entrants = {name: build for name, build in race.entrants.items() if name in named}
    return Race(race.work, entrants, comparisons, rounds=25)


def floor_race(n: int, d: int) -> Race:
    """Item 1: a transform is one product."""
    return closest(transform_race(n, d, 1.15), ["bare product"])


def fastest_ortho_race(n: int, d: int, at_most: float) -> Race:
    """Item 2 with those peers that are next to ours."""
    names = ["latentis Procrustes (scaled)", "scipy orthogonal_procrustes (unscaled)", "bare XᵀY"]
    return closest(ortho_race(n, d, at_most), names)


def ortho_race(n: int, d: int, at_most: float | None, only_latentis: bool = False) -> Race:
    """Item 2: Procrustes, scaled as by default and as the rows are.

    The limit is that against the fastest peer, and therefore against each; with `only_latentis`
    against latentis alone.
    """
    X, y = latents(n, d)
    probe = X[:500]
    scaled, plain = "ProcrustesTranslator()", "ProcrustesTranslator(scaling=None)"
    others = None if only_latentis else at_most
    floor = "bare XᵀY" if n >= d else f"bare QR and {n} × {n} SVD"

    def fit(translator: ProcrustesTranslator) -> Callable[[], Entrant]:
        return lambda: Entrant(lambda: translator.fit(X, y), lambda fitted: fitted.transform(probe))

    entrants = {
        scaled: fit(ProcrustesTranslator()),
        "latentis Procrustes (scaled)": lambda: peers.latentis_procrustes(X, y, probe),
        "StandardScaler, scipy, back": lambda: peers.scaled_scipy_procrustes(X, y, probe),
        plain: fit(ProcrustesTranslator(scaling=None)),
        "scipy orthogonal_procrustes (unscaled)": lambda: peers.scipy_procrustes(X, y, probe),
        "fmralign Procrustes (unscaled, float64)": lambda: peers.fmralign_procrustes(X, y, probe),
        floor: lambda: peers.bare_product(X, y) if n >= d else peers.bare_thin_solution(X, y),
    }
    # With fewer anchors than dimensions the map is not unique, and ours is none of the peers'.
    agreement = 1e-3 if n >= 2 * d else None
    comparisons = [
        Comparison(scaled, "latentis Procrustes (scaled)", at_most, agreement),
        Comparison(scaled, "StandardScaler, scipy, back", others, agreement),
        Comparison(scaled, "scipy orthogonal_procrustes (unscaled)", others),
        Comparison(plain, "scipy orthogonal_procrustes (unscaled)", others, agreement),
        Comparison(plain, "fmralign Procrustes (unscaled, float64)", others, agreement),
        Comparison(scaled, floor),
    ]
    if n >= 2 * d and d < 1000:
        pot = "POT LinearTransport (another map: no pairs)"
        entrants[pot] = lambda: peers.pot_linear(X, y, probe)
        comparisons.append(Comparison(scaled, pot))
    work = f"{n:,} anchors, d = {d}, float32"
    return Race(work, entrants, tuple(comparisons))


def affine_race(n: int, d: int, at_most: float | None) -> Race:
    """Item 3: the same iterates as automatic differentiation, from the same first weights."""
    X, y = map(standardised, latents(n, d))
    on_tensors, on_arrays, on_numpy = (
        f"AffineTranslator, {how}" for how in ("tensors", "arrays", "arrays without torch")
    )
    peer = "latentis SGDAffineAligner"
    # The weights that AffineTranslator documents to start from.
    state, bound = np.random.RandomState(0), d**-0.5
    initial = tuple(state.uniform(-bound, bound, shape).astype("f4") for shape in ((d, d), d))
    translator = AffineTranslator(max_iter=STEPS, scaling=None, device="cpu", random_state=0)

    def fit(*sides):
        with config_context(array_api_dispatch=True):
            return translator.fit(*sides)

    def fit_without_torch():
        with mock.patch("sklearn_latent._device._has_torch", return_value=False):
            return translator.fit(X, y)

    def entrant(run) -> Entrant:
        return Entrant(
            run,
            lambda fitted: peers.mean_squared_error(
                X, y, np.asarray(fitted.coef_), np.asarray(fitted.intercept_)
            ),
        )

    return Race(
        f"{STEPS} steps, {n:,} anchors, d = {d}, float32, scaled beforehand; "
        "agreement of the final losses",
        {
            on_arrays: lambda: entrant(lambda: fit(X, y)),
            peer: lambda: peers.latentis_affine(X, y, initial, STEPS),
            on_tensors: lambda: entrant(functools.partial(fit, *peers.as_torch(X, y))),
            on_numpy: lambda: entrant(fit_without_torch),
        },
        (
            Comparison(on_arrays, peer, at_most, agreement=1e-4),
            Comparison(on_tensors, peer, at_most, agreement=1e-4),
            Comparison(on_numpy, peer, at_most, agreement=1e-4),
        ),
    )


def ridge_race(n: int, d: int, at_most: float | None = None) -> Race:
    """Item 4: the strength by leave-one-out. The limit is that of scikit-learn."""
    X, y = latents(n, d)
    alphas = [float(alpha) for alpha in np.logspace(-1, 5, N_ALPHAS)]
    default, same = "RidgeTranslator(alpha=[...])", "RidgeTranslator, the model of RidgeCV"
    like_ridge_cv = RidgeTranslator(alpha=alphas, restore_variance=False, scaling="center")

    def fit(translator: RidgeTranslator) -> Callable[[], Entrant]:
        return lambda: Entrant(lambda: translator.fit(X, y), lambda fitted: fitted.coef_)

    sklearn_name, himalaya_name = "sklearn RidgeCV (leave-one-out)", "himalaya RidgeCV (5 folds)"
    return Race(
        f"{N_ALPHAS} strengths, {n:,} anchors, d = {d}, float32",
        {
            default: fit(RidgeTranslator(alpha=alphas)),
            sklearn_name: lambda: peers.sklearn_ridge(X, y, alphas),
            same: fit(like_ridge_cv),
            himalaya_name: lambda: peers.himalaya_ridge(X, y, alphas),
        },
        (
            Comparison(default, sklearn_name, at_most),
            Comparison(same, sklearn_name, at_most, agreement=1e-3),
            Comparison(default, himalaya_name),
            Comparison(same, himalaya_name),
        ),
    )


def fastest_ridge_race(n: int, d: int) -> Race:
    """Item 4 with the peer that it names."""
    return closest(ridge_race(n, d, 0.5), ["sklearn RidgeCV (leave-one-out)"])


def all_races(quick: bool) -> dict[str, Callable[[], Race]]:
    """Every race by name, made when called: their data do not fit in memory together."""
    if quick:
        return {
            "transform": lambda: floor_race(4_000, 64),
            "transform-peers": lambda: transform_race(4_000, 64),
            "ortho-few-anchors": lambda: ortho_race(400, 64, 1.2),
            "ortho-many-anchors": lambda: fastest_ortho_race(4_000, 64, 0.7),
            "ortho-many-peers": lambda: ortho_race(4_000, 64, None),
            "ortho-wide-few": lambda: ortho_race(50, 256, 0.1, only_latentis=True),
            "ortho-wide-many": lambda: ortho_race(512, 256, None),
            "affine-1000": lambda: affine_race(200, 32, 0.4),
            "affine-10000": lambda: affine_race(500, 32, None),
            "affine-50000": lambda: affine_race(2_000, 32, 0.03),
            "ridge": lambda: fastest_ridge_race(300, 48),
            "ridge-peers": lambda: ridge_race(300, 48),
        }
    return {
        "transform": lambda: floor_race(100_000, 768),
        "transform-peers": lambda: transform_race(100_000, 768),
        "ortho-few-anchors": lambda: ortho_race(2_000, 768, 1.2),
        "ortho-many-anchors": lambda: fastest_ortho_race(50_000, 768, 0.7),
        "ortho-many-peers": lambda: ortho_race(50_000, 768, None),
        "ortho-wide-few": lambda: ortho_race(500, 4096, 0.1, only_latentis=True),
        "ortho-wide-many": lambda: ortho_race(8_192, 4096, None),
        "affine-1000": lambda: affine_race(1_000, 768, 0.4),
        "affine-10000": lambda: affine_race(10_000, 768, None),
        "affine-50000": lambda: affine_race(50_000, 768, 0.03),
        "ridge": lambda: fastest_ridge_race(5_000, 768),
        "ridge-peers": lambda: ridge_race(5_000, 768),
    }
