"""Encode a data set with pre-trained models, into the folders of latents that the benchmarks read.

    pip install torch transformers datasets timm torchvision
    python benchmarks/encode.py --data-set trec --models paper --out DIR
    python benchmarks/encode.py --data-set cifar10 --models vit_small_patch16_224 --out DIR
    python benchmarks/encode.py --data-set NAME --hub-id OWNER/ID --input COLUMN --label COLUMN \
        --modality text --models roberta-base ./a-model-on-disk --out DIR

writes ``DIR/NAME_latents/index.npz`` (``train_label``, ``test_label``) and one ``.npz`` a model
(``train``, ``test``: float32, rows are the same items in every file). With ``--models paper``, the
models of table 7 of Maiorca et al. (2023), of the data set's modality, tables 1, 2, 5 and 6 run on
the paper's own encoders: ``python benchmarks/tables/maiorca_table1.py --data DIR``.

Models are names of Hugging Face's hub, folders on disk, or names of timm's. What is taken of them
(the paper does not say): of a text model the last layer's first token (``--pooling mean``: the mean
over tokens), of CLIP the pooled output of its text or image tower before the projection, of an
image model of Hugging Face the pooled output, of one of timm's what its own pooling gives to its
classifier. Models that are there already are left as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Encoder = Callable[[Sequence[Any]], np.ndarray]
"""A batch of texts or images (PIL) -> latents (n, d), float32."""

TEXT, IMAGE = "text", "image"
CLIP = "openai/clip-vit-base-patch32"
PAPER_MODELS = {
    TEXT: (
        "bert-base-cased",
        "bert-base-uncased",
        "google/electra-base-discriminator",
        "roberta-base",
        "albert-base-v2",
        "xlm-roberta-base",
        CLIP,
    ),
    IMAGE: (
        "rexnet_100",
        "cspdarknet53",
        "vit_small_patch16_224",
        "vit_base_patch16_224",
        "vit_base_patch16_384",
        "vit_base_resnet50_384",
        CLIP,
    ),
}
"""Table 7 of Maiorca et al. (2023): seven models for each modality, CLIP's two towers in both."""
RENAMED = {"vit_base_resnet50_384": "vit_base_r50_s16_384"}
"""timm's names of today."""
MOST_TOKENS = 512


@dataclass(frozen=True)
class Source:
    """Where a data set is on Hugging Face's hub, and which columns to take."""

    hub_id: str
    modality: str
    inputs: str
    label: str
    train: str = "train"
    test: str = "test"


SOURCES = {
    "trec": Source("CogComp/trec", TEXT, "text", "coarse_label"),
    "ag_news": Source("fancyzhx/ag_news", TEXT, "text", "label"),
    "dbpedia": Source("fancyzhx/dbpedia_14", TEXT, "content", "label"),
    "imdb": Source("stanfordnlp/imdb", TEXT, "text", "label"),
    "mnist": Source("ylecun/mnist", IMAGE, "image", "label"),
    "fashion_mnist": Source("zalando-datasets/fashion_mnist", IMAGE, "image", "label"),
    "cifar10": Source("uoft-cs/cifar10", IMAGE, "img", "label"),
    "cifar100_coarse": Source("uoft-cs/cifar100", IMAGE, "img", "coarse_label"),
    "cifar100_fine": Source("uoft-cs/cifar100", IMAGE, "img", "fine_label"),
}


def load_encoder(name: str, modality: str, *, pooling: str = "cls", device: str = "cpu") -> Encoder:
    """The encoder of a model: of Hugging Face's hub, of a folder on disk, or of timm's."""
    if modality == TEXT:
        return text_encoder(name, pooling=pooling, device=device)
    if "/" in name or Path(name).is_dir():
        return image_encoder(name, device=device)
    return timm_encoder(name, device=device)


def text_encoder(name: str, *, pooling: str = "cls", device: str = "cpu") -> Encoder:
    """Texts -> pooled states of the last layer; of CLIP, its text tower's pooled output."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModel.from_pretrained(name)
    is_clip = hasattr(model, "text_model")
    model = (model.text_model if is_clip else model).eval().to(device)
    most = min(MOST_TOKENS, tokenizer.model_max_length, _positions(model.config))

    def encode(texts: Sequence[str]) -> np.ndarray:
        batch = tokenizer(
            list(texts), padding=True, truncation=True, max_length=most, return_tensors="pt"
        ).to(device)
        with torch.inference_mode():
            output = model(**batch)
        if is_clip:
            return _to_numpy(output.pooler_output)
        return _to_numpy(pool(output.last_hidden_state, batch["attention_mask"], pooling))

    return encode


def pool(states: Any, mask: Any, pooling: str) -> Any:
    """Token states (n, length, d) and their mask (n, length) -> (n, d)."""
    if pooling == "cls":
        # The first token that is not padding, wherever the tokenizer pads.
        first = mask.argmax(dim=1)
        return states[range(len(states)), first]
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)


def _positions(config: Any) -> int:
    """How many tokens a model takes; RoBERTa's positions begin behind its padding's."""
    positions = getattr(config, "max_position_embeddings", MOST_TOKENS)
    offset = config.pad_token_id + 1 if "roberta" in config.model_type else 0
    return positions - offset


def image_encoder(name: str, *, device: str = "cpu") -> Encoder:
    """Images -> the pooled output; of CLIP, its image tower's before the projection."""
    import torch
    from transformers import AutoImageProcessor, AutoModel

    processor = AutoImageProcessor.from_pretrained(name)
    model = AutoModel.from_pretrained(name)
    model = getattr(model, "vision_model", model).eval().to(device)

    def encode(images: Sequence[Any]) -> np.ndarray:
        batch = processor([image.convert("RGB") for image in images], return_tensors="pt")
        with torch.inference_mode():
            output = model(pixel_values=batch["pixel_values"].to(device))
        pooled = getattr(output, "pooler_output", None)
        if pooled is None:
            raise ValueError(f"{name} has no pooled output: use timm's model of that architecture.")
        # Convolutional models leave (n, d, 1, 1).
        return _to_numpy(pooled.flatten(start_dim=1))

    return encode


def timm_encoder(name: str, *, device: str = "cpu", pretrained: bool = True) -> Encoder:
    """Images -> what the model's own pooling hands to its classifier."""
    import timm
    import torch

    model = timm.create_model(RENAMED.get(name, name), pretrained=pretrained, num_classes=0)
    model = model.eval().to(device)
    transform = timm.data.create_transform(
        **timm.data.resolve_model_data_config(model), is_training=False
    )

    def encode(images: Sequence[Any]) -> np.ndarray:
        batch = torch.stack([transform(image.convert("RGB")) for image in images])
        with torch.inference_mode():
            return _to_numpy(model(batch.to(device)))

    return encode


def _to_numpy(latents: Any) -> np.ndarray:
    return latents.float().cpu().numpy()


def encode_all(encode: Encoder, inputs: Sequence[Any], batch_size: int) -> np.ndarray:
    """Latents of all items, (n, d), in their order; progress to stderr."""
    blocks = []
    for start in range(0, len(inputs), batch_size):
        blocks.append(encode(inputs[start : start + batch_size]))
        if start // batch_size % 20 == 0:
            print(f"{start + len(blocks[-1])} of {len(inputs)}", file=sys.stderr, flush=True)
    return np.concatenate(blocks).astype(np.float32)


@dataclass(frozen=True)
class Split:
    """Items and their labels (n,)."""

    inputs: Sequence[Any]
    labels: np.ndarray


def load_splits(source: Source, n_train: int | None, n_test: int | None) -> tuple[Split, Split]:
    """Training and test items, from the hub or a folder of `Dataset.save_to_disk`.

    A number keeps that many rows, drawn once and for all by a fixed seed.
    """
    from datasets import load_dataset, load_from_disk

    on_disk = Path(source.hub_id).is_dir()
    data = load_from_disk(source.hub_id) if on_disk else load_dataset(source.hub_id)
    return tuple(
        _take(data[split], source, n)
        for split, n in ((source.train, n_train), (source.test, n_test))
    )


def _take(part: Any, source: Source, n: int | None) -> Split:
    for column in (source.inputs, source.label):
        if column not in part.column_names:
            raise ValueError(
                f"{source.hub_id} has no column {column!r}; it has: {', '.join(part.column_names)}."
            )
    if n is not None and n < len(part):
        part = part.select(np.sort(np.random.default_rng(0).permutation(len(part))[:n]))
    return Split(part[source.inputs], np.asarray(part[source.label]))


def write(folder: Path, name: str, **arrays: np.ndarray) -> Path:
    """``folder / name.npz``, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path, unfinished = folder / f"{name}.npz", folder / f".{name}.unfinished"
    with unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(unfinished, path)
    return path


def write_index(folder: Path, train_label: np.ndarray, test_label: np.ndarray) -> None:
    """The labels; an index that is there already has to have the same."""
    path, labels = folder / "index.npz", {"train_label": train_label, "test_label": test_label}
    if path.is_file():
        with np.load(path) as index:
            if all(np.array_equal(index[part], rows) for part, rows in labels.items()):
                return
        raise ValueError(
            f"{path} has other labels: its latents are of other items. Give another --out, or the "
            "--n-train and --n-test that it was made with."
        )
    write(folder, "index", **labels)


def file_name(model: str) -> str:
    """The name of a model's file: its own, without folders."""
    name = model.removeprefix("./").strip("/").replace("/", "--")
    if name == "index":
        raise ValueError("A model cannot be called 'index': that file has the labels.")
    return name


def choose_models(names: Sequence[str], modality: str) -> Iterator[str]:
    """The models of these names; ``paper`` stands for those of the paper."""
    for name in names:
        yield from PAPER_MODELS[modality] if name == "paper" else (name,)


def _source(options: argparse.Namespace) -> Source:
    if options.hub_id is None:
        if options.data_set not in SOURCES:
            raise ValueError(
                f"No source is known for {options.data_set!r}: give --hub-id, --input, --label and "
                f"--modality. Known are: {', '.join(SOURCES)}."
            )
        return SOURCES[options.data_set]
    given = (options.modality, options.input, options.label)
    if None in given:
        raise ValueError("--hub-id needs --modality, --input and --label too.")
    return Source(options.hub_id, *given, *options.splits)


def main(arguments: Sequence[str] | None = None) -> None:
    """Encode."""
    options = _parse(arguments)
    source = _source(options)
    train, test = load_splits(source, options.n_train, options.n_test)
    folder = options.out / f"{options.data_set}_latents"
    write_index(folder, train.labels, test.labels)
    for model in dict.fromkeys(choose_models(options.models, source.modality)):
        path = folder / f"{file_name(model)}.npz"
        if path.is_file():
            print(f"{path} is there already", file=sys.stderr)
            continue
        encode = load_encoder(
            model, source.modality, pooling=options.pooling, device=options.device
        )
        parts = {
            name: encode_all(encode, split.inputs, options.batch_size)
            for name, split in (("train", train), ("test", test))
        }
        print(write(folder, file_name(model), **parts), parts["train"].shape, parts["test"].shape)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-set", required=True, help=f"{', '.join(SOURCES)}, or any name")
    parser.add_argument("--models", nargs="+", required=True, help="names or folders, or: paper")
    parser.add_argument("--out", type=Path, required=True, help="where NAME_latents goes")
    parser.add_argument("--hub-id", help="of another data set: OWNER/ID, or a folder on disk")
    parser.add_argument("--modality", choices=(TEXT, IMAGE))
    parser.add_argument("--input", help="column of the texts or images")
    parser.add_argument("--label", help="column of the labels")
    parser.add_argument("--splits", nargs=2, default=["train", "test"], metavar=("TRAIN", "TEST"))
    parser.add_argument("--n-train", type=int, help="rows to keep (default: all)")
    parser.add_argument("--n-test", type=int, help="rows to keep (default: all)")
    parser.add_argument("--pooling", choices=("cls", "mean"), default="cls", help="of text models")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--device", default="cpu", help="such as cuda")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
