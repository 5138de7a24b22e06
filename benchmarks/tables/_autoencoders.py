"""Small autoencoders of grey 28 × 28 images: architectures, training, and where they are kept."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import joblib
import numpy as np
import torch
from _images import Images
from common import Run
from torch import Tensor, nn

from sklearn_latent import RelativeProjector

SIDE = 28
CHANNELS = {"wide conv": (32, 64, 128, 256), "conv": (16, 32, 64)}
HIDDEN = (512, 256)
TRAINING = 2
"""Raise it when training changes: what was trained before is then trained anew."""
BLOCK = 1000
"""Images that are encoded or decoded at once."""


@dataclass(frozen=True)
class Recipe:
    """All that a trained autoencoder depends on, but the images.

    ``architecture``: "wide conv" (batch normalisation, GELU), "conv" or "mlp" (both ReLU).
    ``pixels``: mean and standard deviation that images are standardised by; ``output``: "sigmoid"
    or "linear". ``unit_latents``: the decoder divides latents by their norm. ``relative``: None;
    "decoder" for one that decodes similarities to ``n_anchors`` training images, as the encoder of
    the same recipe without ``relative`` sees them; "end2end" where the encoder is trained with it.
    """

    architecture: str
    n_latent: int
    seed: int
    epochs: int
    batch_size: int
    pixels: tuple[float, float] = (0.0, 1.0)
    output: str = "sigmoid"
    unit_latents: bool = False
    relative: str | None = None
    n_anchors: int = 0
    metric: str = "euclidean"
    learning_rate: float = 1e-3

    def absolute(self) -> Recipe:
        """The same without relative representation."""
        return replace(self, relative=None, n_anchors=0, metric="euclidean")

    def __str__(self) -> str:
        layers = {
            "mlp": f"linear layers {SIDE * SIDE}-{'-'.join(map(str, HIDDEN))}-latent, ReLU",
            "conv": "3 × 3 convolutions with stride 2, ReLU; channels 16, 32, 64",
            "wide conv": "3 × 3 convolutions with stride 2, batch normalisation, GELU; "
            "channels 32, 64, 128, 256",
        }[self.architecture]
        return (
            f"{layers}, then a linear layer to the latent, decoder mirrored with {self.output} "
            f"output; pixels standardised by mean {self.pixels[0]:g} and deviation "
            f"{self.pixels[1]:g}; mean squared error, Adam {self.learning_rate:g} falling to 0 "
            f"along a cosine, batches of {self.batch_size}, epochs: {self.epochs}"
        )


def standardised(images: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Images (n, 28, 28) in the units that the autoencoder is trained and judged in."""
    mean, deviation = (np.float32(value) for value in recipe.pixels)
    return (images - mean) / deviation


@functools.lru_cache(maxsize=64)
def anchor_rows(n_rows: int, n_anchors: int, seed: int = 0) -> np.ndarray:
    """Rows (n_anchors,) of the training images, drawn uniformly without repetition."""
    rows = np.random.default_rng(seed).permutation(n_rows)[:n_anchors]
    rows.setflags(write=False)
    return rows


class _UnitRows(nn.Module):
    def forward(self, latents: Tensor) -> Tensor:
        return nn.functional.normalize(latents)


def build(recipe: Recipe) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder, their weights drawn by torch's global generator."""
    d_input = recipe.n_anchors if recipe.relative else recipe.n_latent
    if recipe.architecture == "mlp":
        encoder, decoder = _mlp(recipe.n_latent, d_input)
    else:
        encoder, decoder = _convolutional(recipe, d_input)
    first = [_UnitRows()] if recipe.unit_latents else []
    last = [nn.Sigmoid()] if recipe.output == "sigmoid" else []
    return encoder, nn.Sequential(*first, decoder, *last)


def _mlp(n_latent: int, d_input: int) -> tuple[nn.Module, nn.Module]:
    def layers(widths):
        for fan_in, fan_out in itertools.pairwise(widths):
            yield from (nn.Linear(fan_in, fan_out), nn.ReLU())

    down = [SIDE * SIDE, *HIDDEN, n_latent]
    up = [d_input, *HIDDEN[::-1], SIDE * SIDE]
    encoder = nn.Sequential(nn.Flatten(), *list(layers(down))[:-1])
    decoder = nn.Sequential(*list(layers(up))[:-1], nn.Unflatten(1, (1, SIDE, SIDE)))
    return encoder, decoder


def _convolutional(recipe: Recipe, d_input: int) -> tuple[nn.Module, nn.Module]:
    wide = recipe.architecture == "wide conv"
    channels = (1, *CHANNELS[recipe.architecture])
    sides = [SIDE]
    for _ in channels[1:]:
        sides.append((sides[-1] + 1) // 2)

    def after(n_channels):
        return [nn.BatchNorm2d(n_channels), nn.GELU()] if wide else [nn.ReLU()]

    down: list[nn.Module] = []
    up: list[nn.Module] = []
    for i in range(1, len(channels)):
        down += [nn.Conv2d(channels[i - 1], channels[i], 3, 2, 1), *after(channels[i])]
        # stride 2 maps sides 2s and 2s - 1 both to s: say which to come back to
        odd = sides[i - 1] - (2 * sides[i] - 1)
        step = nn.ConvTranspose2d(channels[i], channels[i - 1], 3, 2, 1, output_padding=odd)
        up = [step, *(after(channels[i - 1]) if i > 1 else []), *up]
    shape = (channels[-1], sides[-1], sides[-1])
    flat = int(np.prod(shape))
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, recipe.n_latent))
    # without an activation here the first two layers of the decoder would be one linear map
    start = [nn.Linear(d_input, flat), nn.Unflatten(1, shape), *after(shape[0])]
    return encoder, nn.Sequential(*start, *up)


class Autoencoder:
    """A trained encoder and decoder, as functions of arrays; nothing is trained any more."""

    def __init__(self, recipe: Recipe, state: Mapping[str, Any], device: str = "cpu"):
        self.recipe, self.losses, self._device = recipe, state["losses"], device
        with torch.random.fork_rng(devices=[]):
            self._encoder, self._decoder = build(recipe)
        for module, name in ((self._encoder, "encoder"), (self._decoder, "decoder")):
            module.load_state_dict({k: torch.from_numpy(v) for k, v in state[name].items()})
            module.to(device).eval()

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Latents (n, n_latent) of images (n, 28, 28) with pixels in [0, 1]."""
        return self._map(self._encoder, standardised(images, self.recipe)[:, None])

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Standardised images (n, 28, 28) of what the decoder was trained on."""
        return self._map(self._decoder, latents.astype(np.float32, copy=False))[:, 0]

    def projector(self, images: Images) -> RelativeProjector:
        """What turns this encoder's latents into what a decoder of its recipe takes."""
        rows = anchor_rows(len(images.train), self.recipe.n_anchors)
        return RelativeProjector(metric=self.recipe.metric).fit(self.encode(images.train[rows]))

    def _map(self, module: nn.Module, rows: np.ndarray) -> np.ndarray:
        blocks = np.array_split(rows, max(1, len(rows) // BLOCK))
        with torch.inference_mode():
            out = [module(torch.from_numpy(block).to(self._device)).cpu() for block in blocks]
        return torch.cat(out).numpy()


def relative_reconstruction(
    source: Autoencoder, target: Autoencoder, images: Images, test: np.ndarray | None = None
) -> np.ndarray:
    """Images, seen by the source relative to its anchors, as the target's decoder shows them."""
    test = images.test if test is None else test
    return target.decode(source.projector(images).transform(source.encode(test)))


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order, whatever the number of cores: the same recipe gives the same weights."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(
    recipe: Recipe, images: np.ndarray, base: Mapping[str, Any] | None = None, device: str = "cpu"
) -> dict[str, Any]:
    """Weights of "encoder" and "decoder" as arrays, and "losses", the mean of each epoch.

    ``base``: for ``relative="decoder"`` what this returned for ``recipe.absolute()``.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(recipe.seed)
        encoder, decoder = (module.to(device).train() for module in build(recipe))
        pixels = torch.from_numpy(standardised(images, recipe)[:, None]).to(device)
        trained = [*decoder.parameters()]
        if recipe.relative == "decoder":
            inputs = _relative_inputs(recipe, base, images).to(device)

            def reconstruct(rows):
                return decoder(inputs[rows])
        else:
            trained += encoder.parameters()
            reconstruct = functools.partial(_reconstruct, recipe, encoder, decoder, pixels)
        losses = _descend(recipe, trained, pixels, reconstruct)
    return {
        "encoder": base["encoder"] if recipe.relative == "decoder" else _arrays(encoder),
        "decoder": _arrays(decoder),
        "losses": losses,
    }


def _relative_inputs(recipe: Recipe, base: Mapping[str, Any] | None, images: np.ndarray) -> Tensor:
    if base is None:
        raise ValueError("A relative decoder needs the trained encoder that it is for: base.")
    encoder = Autoencoder(recipe.absolute(), base)
    latents = encoder.encode(images)
    anchors = latents[anchor_rows(len(images), recipe.n_anchors)]
    return torch.from_numpy(RelativeProjector(metric=recipe.metric).fit(anchors).transform(latents))


def _reconstruct(recipe, encoder, decoder, pixels, rows):
    if recipe.relative is None:
        return decoder(encoder(pixels[rows]))
    anchors = torch.tensor(anchor_rows(len(pixels), recipe.n_anchors), device=rows.device)
    latents, anchors = encoder(pixels[torch.cat([rows, anchors])]).tensor_split([len(rows)])
    if recipe.metric == "cosine":
        return decoder(nn.functional.normalize(latents) @ nn.functional.normalize(anchors).T)
    # squares of differences, not the expanded square: an anchor has itself at distance 0
    distances = torch.cdist(latents, anchors, compute_mode="donot_use_mm_for_euclid_dist")
    return decoder(distances)


def _descend(
    recipe: Recipe,
    parameters: list[Tensor],
    pixels: Tensor,
    reconstruct: Callable[[Tensor], Tensor],
) -> list[float]:
    shuffle = torch.Generator().manual_seed(recipe.seed)
    optimizer = torch.optim.Adam(parameters, lr=recipe.learning_rate, fused=True)
    n_steps = recipe.epochs * -(-len(pixels) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    losses = []
    for _ in range(recipe.epochs):
        total = torch.zeros((), device=pixels.device)
        for rows in torch.randperm(len(pixels), generator=shuffle).split(recipe.batch_size):
            rows = rows.to(pixels.device)
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.mse_loss(reconstruct(rows), pixels[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += len(rows) * loss.detach()
        losses.append(float(total) / len(pixels))
    return losses


def _arrays(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.cpu().numpy() for name, value in module.state_dict().items()}


@dataclass(frozen=True)
class Task:
    """A training: ``function(*arguments)``, kept under ``key``; ``name`` is for people."""

    name: str
    key: dict[str, Any]
    function: Callable[..., Any] = field(compare=False)
    arguments: tuple[Any, ...] = field(compare=False)

    def keep(self, cache: Any) -> Any:
        """What was or is trained."""
        return cache.model(self.name, self.key, lambda: self.function(*self.arguments))


class Models:
    """The trained models of a run: several are trained at once, each on one core."""

    def __init__(self, run: Run):
        self._run, self._memory = run, {}
        self._fingerprints: dict[str, str] = {}
        self.device = run.options.device
        if self.device == "auto":
            self.device = "cuda" if torch.cuda.is_available() else "cpu"

    def prepare(self, tasks: Iterable[Task]) -> None:
        """Train what was not trained before, and keep it."""
        tasks = [task for task in tasks if str(task.key) not in self._memory]
        # a smoke run has no cache by which models could come back from other processes
        n_jobs = 1 if self._run.fast else min(self._run.options.jobs, len(tasks))
        if n_jobs < 2:
            for task in tasks:
                self.get(task)
                self._run.progress(f"have {task.name}")
            return
        work = (joblib.delayed(_keep_quietly)(task, self._run.cache) for task in tasks)
        done = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(work)
        for task, _ in zip(tasks, done):
            self._run.progress(f"have {task.name}")

    def get(self, task: Task) -> Any:
        """One model."""
        place = str(task.key)
        if place not in self._memory:
            self._memory[place] = task.keep(self._run.cache)
        return self._memory[place]

    def train(self, recipes: Sequence[Recipe], images: Images) -> None:
        """Train the autoencoders of recipes, those that others build on first."""
        decoders = [recipe for recipe in recipes if recipe.relative == "decoder"]
        whole = [recipe for recipe in recipes if recipe.relative != "decoder"]
        whole = dict.fromkeys([*whole, *(recipe.absolute() for recipe in decoders)])
        self.prepare([self._task(recipe, images) for recipe in whole])
        self.prepare([self._task(recipe, images) for recipe in decoders])

    def autoencoder(self, recipe: Recipe, images: Images) -> Autoencoder:
        """One autoencoder, trained where it was not."""
        return Autoencoder(recipe, self.get(self._task(recipe, images)), self.device)

    def key(self, recipe: Recipe, images: Images) -> dict[str, Any]:
        """What a trained autoencoder depends on, for keys."""
        if images.name not in self._fingerprints:
            self._fingerprints[images.name] = self._run.fingerprint(images.train)
        key = {**asdict(recipe), "data": self._fingerprints[images.name], "training": TRAINING}
        return key if self.device == "cpu" else {**key, "device": self.device}

    def _task(self, recipe: Recipe, images: Images) -> Task:
        name = "-".join(
            [
                images.name,
                recipe.architecture.replace(" ", "-"),
                str(recipe.n_latent),
                *([recipe.relative, recipe.metric, str(recipe.n_anchors)] * bool(recipe.relative)),
                *(["unit"] * recipe.unit_latents),
                str(recipe.seed),
            ]
        )
        base = None
        if recipe.relative == "decoder":
            base = self.get(self._task(recipe.absolute(), images))
        arguments = (recipe, images.train, base, self.device)
        return Task(name, self.key(recipe, images), train, arguments)


def _keep_quietly(task: Task, cache: Any) -> None:
    # Another process: nothing goes back but by the cache.
    task.keep(cache)


def add_training_arguments(parser: Any) -> None:
    """``--jobs`` and ``--device``."""
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="models trained at once, one core each (default: all cores; --fast: 1)",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train"
    )
