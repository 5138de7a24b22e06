"""How many anchors?
=================

A support vector machine trained on one encoder's latents reads another encoder's, translated from
more and more anchors.
"""

# %%
# Two encoders of the digits, each the hidden layer of a small network. They differ in width,
# activation and seed, and share no training item.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sklearn_latent import (
    AbsoluteTranslator,
    AffineTranslator,
    LOrthoTranslator,
    LstsqTranslator,
    ProcrustesTranslator,
    RigidTranslator,
)
from sklearn_latent.exceptions import AnchorWarning

images, digits = load_digits(return_X_y=True)
images = images / 16
train, test = train_test_split(np.arange(len(digits)), test_size=400, random_state=0)
for_source, for_target = train[:600], train[600:1200]


def train_encoder(rows, width, activation, seed):
    """The hidden layer of a network that was trained on some rows, as a function of images."""
    network = MLPClassifier((width,), activation=activation, max_iter=1000, random_state=seed)
    network.fit(images[rows], digits[rows])
    function = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}[activation]
    return lambda x: function(x @ network.coefs_[0] + network.intercepts_[0])


X = train_encoder(for_source, width=48, activation="tanh", seed=1)(images)
Y = train_encoder(for_target, width=64, activation="relu", seed=2)(images)
decoder = SVC().fit(Y[for_target], digits[for_target])

# %%
# Every item of the training set can be an anchor. For each number of anchors the figure has the
# mean over five draws, and a band of one standard deviation.

METHODS = {  # colours of Okabe and Ito
    "ortho": (ProcrustesTranslator(), "#0072B2", "o"),
    "linear": (LstsqTranslator(), "#D55E00", "s"),
    "l-ortho": (LOrthoTranslator(), "#E69F00", "^"),
    "affine": (AffineTranslator(), "#009E73", "D"),
    "rigid": (RigidTranslator(), "#CC79A7", "v"),
}
N_ANCHORS = [10, 20, 35, 48, 70, 100, 200, 1000]


def accuracy(translator, n_anchors, seed):
    """Of the decoder on translated test items."""
    translator = clone(translator).set_params(n_anchors=n_anchors, random_state=seed)
    with warnings.catch_warnings():
        # Least squares warns that anchors are few, which the figure is about.
        warnings.simplefilter("ignore", AnchorWarning)
        translator.fit(X[train], Y[train])
    return decoder.score(translator.transform(X[test]), digits[test])


figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
for name, (translator, colour, marker) in METHODS.items():
    scores = np.array([[accuracy(translator, n, seed) for seed in range(5)] for n in N_ANCHORS])
    mean, spread = scores.mean(axis=1), scores.std(axis=1)
    ax.plot(N_ANCHORS, mean, color=colour, marker=marker, markersize=5, label=name)
    ax.fill_between(N_ANCHORS, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)

native = decoder.score(Y[test], digits[test])
absolute = AbsoluteTranslator().fit(X[train], Y[train])
lowest = decoder.score(absolute.transform(X[test]), digits[test])
ax.axhline(native, color="black", linestyle="--", linewidth=1, label="no stitching")
ax.axhline(lowest, color="black", linestyle=":", linewidth=1, label="absolute")
ax.axvline(X.shape[1], color="grey", linewidth=1)
ax.text(X.shape[1] * 1.04, 0.3, "n = d of the source", color="dimgrey", fontsize=9)
ax.set(
    xscale="log",
    xlabel="number of anchors",
    ylabel="accuracy of the frozen decoder",
    ylim=(0, 1.02),
    title="Digits: tanh network (48) read by the decoder of a relu network (64)",
)
ax.set_xticks(N_ANCHORS, [str(n) for n in N_ANCHORS])
ax.minorticks_off()
ax.grid(alpha=0.3)
ax.legend(loc="center right", ncols=2)
plt.show()

# %%
# With as many anchors as source dimensions *linear* fits their noise:
# :ref:`sphx_glr_auto_examples_plot_double_descent.py` looks at that alone.
