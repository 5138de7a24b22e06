"""`benchmarks/encode.py`: folders of latents from pre-trained models.

No weights are fetched: the models are tiny ones, built from a configuration, saved to a folder and
loaded from there by the code that loads real ones. Where transformers, datasets or timm are not
installed (as in CI) only what needs none of them runs.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d"]
TEXTS = ["a b c", "d", "a " * 30, "c b a d"]
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.5,
}


@pytest.fixture(scope="module")
def encode():
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("encode")
    sys.path.remove(str(BENCHMARKS))
    del sys.modules["encode"]


def save_tokenizer(folder):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)


def save_model(kind, folder, **settings):
    """A tiny model with random weights, the same at every call; returned too."""
    transformers = pytest.importorskip("transformers")
    import torch

    config = transformers.AutoConfig.for_model(kind, **settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.AutoModel.from_config(config).eval()
    model.save_pretrained(folder)
    return model


def save_text_model(kind, folder):
    ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    if kind == "clip":
        text = {**SMALL, **ids, "vocab_size": len(WORDS), "max_position_embeddings": 12}
        vision = {**SMALL, "image_size": 16, "patch_size": 8}
        settings = {"text_config": text, "vision_config": vision, "projection_dim": 8}
    else:
        settings = {**SMALL, **ids, "vocab_size": len(WORDS), "max_position_embeddings": 14}
        if kind in ("electra", "albert"):
            settings["embedding_size"] = 8
    model = save_model(kind, folder, **settings)
    save_tokenizer(folder)
    return model


def images(n=4):
    from PIL import Image

    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(256, size=(20, 24), dtype=np.uint8)) for _ in range(n)]


def save_image_model(folder):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("PIL")
    model = save_model("vit", folder, **SMALL, image_size=16, patch_size=8)
    size = {"height": 16, "width": 16}
    transformers.ViTImageProcessor(size=size).save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["bert", "electra", "roberta", "albert", "xlm-roberta"])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_text_models(encode, tmp_path, kind, pooling):
    torch = pytest.importorskip("torch")
    model = save_text_model(kind, tmp_path)
    found = encode.text_encoder(str(tmp_path), pooling=pooling)(TEXTS)
    assert found.shape == (4, 16)
    assert found.dtype == np.float32
    most = 13 if "roberta" in kind else 14
    for text, row in zip(TEXTS, found):
        # One text at a time, without padding, by hand.
        words = [WORDS.index(word) for word in text.split()]
        tokens = [2, *words[: most - 2], 3]
        with torch.inference_mode():
            states = model(input_ids=torch.tensor([tokens])).last_hidden_state[0].numpy()
        expected = states[0] if pooling == "cls" else states.mean(axis=0)
        np.testing.assert_allclose(row, expected, atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_towers_of_clip(encode, tmp_path):
    torch = pytest.importorskip("torch")
    model = save_text_model("clip", tmp_path)
    found = encode.load_encoder(str(tmp_path), "text")(TEXTS[:2])
    for text, row in zip(TEXTS, found):
        tokens = torch.tensor([[2, *(WORDS.index(word) for word in text.split()), 3]])
        with torch.inference_mode():
            states = model.text_model(input_ids=tokens).last_hidden_state[0].numpy()
        np.testing.assert_allclose(row, states[-1], atol=1e-5)

    transformers = pytest.importorskip("transformers")
    pytest.importorskip("PIL")
    size = {"height": 16, "width": 16}
    transformers.CLIPImageProcessor(size={"shortest_edge": 16}, crop_size=size).save_pretrained(
        tmp_path
    )
    latents = encode.load_encoder(str(tmp_path), "image")(images())
    assert latents.shape == (4, 16)
    assert np.abs(latents[0] - latents[1]).max() > 0.01


def test_image_models(encode, tmp_path):
    torch = pytest.importorskip("torch")
    model = save_image_model(tmp_path)
    found = encode.load_encoder(str(tmp_path), "image")(images())
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(tmp_path)
    for image, row in zip(images(), found):
        pixels = processor(image.convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            expected = model(pixel_values=pixels).pooler_output[0].numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_models_of_timm(encode):
    pytest.importorskip("timm")
    pytest.importorskip("torchvision")
    found = encode.timm_encoder("test_vit", pretrained=False)(images())
    assert found.shape == (4, 64)


def test_names_of_the_paper(encode):
    assert {kind: len(names) for kind, names in encode.PAPER_MODELS.items()} == {
        "text": 7,
        "image": 7,
    }
    assert list(encode.choose_models(["paper"], "text")) == list(encode.PAPER_MODELS["text"])
    assert list(encode.choose_models(["x", "y/z"], "text")) == ["x", "y/z"]
    timm = pytest.importorskip("timm")
    pytest.importorskip("torchvision")
    for name in encode.PAPER_MODELS["image"]:
        if "/" not in name:
            assert timm.is_model(encode.RENAMED.get(name, name)), name


def test_end_to_end(encode, tmp_path, capsys):
    datasets = pytest.importorskip("datasets")
    save_text_model("bert", tmp_path / "bert")
    save_text_model("roberta", tmp_path / "roberta")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS[4:], size=5)) for _ in range(30)]
    labels = [int(text.count("a") > 1) for text in texts]
    parts = {
        name: datasets.Dataset.from_dict({"words": texts[rows], "kind": labels[rows]})
        for name, rows in (("train", slice(20)), ("test", slice(20, None)))
    }
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "data")
    models = [str(tmp_path / "bert"), str(tmp_path / "roberta")]
    source = ["--hub-id", str(tmp_path / "data"), "--modality", "text"]
    columns = ["--input", "words", "--label", "kind", "--batch-size", "7"]
    command = ["--data-set", "toy", "--out", str(tmp_path), *source, *columns, "--models"]
    encode.main([*command, *models])

    with np.load(tmp_path / "toy_latents" / "index.npz") as index:
        np.testing.assert_array_equal(index["train_label"], labels[:20])
        np.testing.assert_array_equal(index["test_label"], labels[20:])
    with np.load(tmp_path / "toy_latents" / f"{encode.file_name(models[0])}.npz") as file:
        direct = encode.text_encoder(models[0])
        np.testing.assert_allclose(file["train"], direct(texts[:20]), atol=1e-5)
        np.testing.assert_allclose(file["test"], direct(texts[20:]), atol=1e-5)

    capsys.readouterr()
    encode.main([*command, *models])
    assert capsys.readouterr().err.count("is there already") == 2
    with pytest.raises(ValueError, match="has other labels: its latents are of other items"):
        encode.main([*command, *models, "--n-train", "10"])
    with pytest.raises(ValueError, match="has no column 'text'; it has: words, kind"):
        encode.main([*command, *models, "--input", "text"])


def test_pooling_by_hand(encode):
    torch = pytest.importorskip("torch")
    states = torch.arange(12.0).reshape(2, 3, 2)
    mask = torch.tensor([[1, 1, 0], [0, 1, 1]])
    cls, mean = (encode.pool(states, mask, how).tolist() for how in ("cls", "mean"))
    assert cls == [[0, 1], [8, 9]]
    assert mean == [[1, 2], [9, 10]]


def test_batches_keep_the_order(encode):
    found = encode.encode_all(lambda batch: np.array(batch, "f8")[:, None], range(10), 3)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, 0], np.arange(10))


def test_folders_are_those_that_the_benchmarks_read(encode, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    folder, labels = tmp_path / "toy_latents", (np.arange(5), np.arange(3))
    encode.write_index(folder, *labels)
    for model, d in (("bert-base-cased", 4), ("openai/clip", 6)):
        parts = {"train": rng.normal(size=(5, d)), "test": rng.normal(size=(3, d))}
        encode.write(folder, encode.file_name(model), **parts)
    assert not list(folder.glob(".*"))
    monkeypatch.syspath_prepend(str(BENCHMARKS / "quality"))
    monkeypatch.delitem(sys.modules, "data", raising=False)
    found = importlib.import_module("data").load(tmp_path, "toy")
    del sys.modules["data"]
    np.testing.assert_array_equal(found.test_label, labels[1])
    assert {name: rows.train.shape for name, rows in found.encoders.items()} == {
        "bert-base-cased": (5, 4),
        "openai--clip": (5, 6),
    }
    encode.write_index(folder, *labels)
    with pytest.raises(ValueError, match="has other labels"):
        encode.write_index(folder, labels[1], labels[0])


def test_what_is_missing_is_named(encode, tmp_path):
    out = ["--models", "x", "--out", str(tmp_path)]
    with pytest.raises(ValueError, match="No source is known for 'toy': give --hub-id"):
        encode.main(["--data-set", "toy", *out])
    with pytest.raises(ValueError, match="--hub-id needs --modality, --input and --label"):
        encode.main(["--data-set", "toy", "--hub-id", "a/b", *out])
    with pytest.raises(ValueError, match="cannot be called 'index'"):
        encode.file_name("./index")
