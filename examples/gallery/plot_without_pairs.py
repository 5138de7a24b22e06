"""Without pairs
=============

No item was seen by both encoders, but the classes are known on both sides. Class means give a first
map, and iterative closest points (ICP) refine it: here, where the data help; not always.
"""

# %%
# Two sets of items, of the same three classes, in two spaces that differ by a rotation and a
# translation. Classes are long and narrow. The true map is kept aside to measure the error.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_latent import ICPTranslator, RigidTranslator, class_means
from sklearn_latent.metrics import latent_mse

COLOURS = np.array(["#0072B2", "#E69F00", "#009E73"])  # Okabe and Ito
MARKERS = ["o", "s", "^"]

rng = np.random.default_rng(5)
centres = np.array([[0, 0], [2.0, 0.6], [0.6, 2.2]])
spreads = np.array([[2.0, 0.15], [0.15, 1.6], [1.2, 0.15]])


def sample(n_rows):
    """Labels and latents of new items, in the source's space."""
    labels = rng.integers(0, 3, size=n_rows)
    return labels, centres[labels] + spreads[labels] * rng.normal(size=(n_rows, 2))


angle = np.deg2rad(75)
rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
labels_X, X = sample(150)
labels_Y, latents = sample(200)
Y = latents @ rotation + [5, 1]
truth = X @ rotation + [5, 1]

# %%
# Three ways to align them. The means of three classes determine a rigid map of the plane, but they
# carry the noise of the samples. ICP with labels starts there. ICP without labels starts from the
# latents as they are, 75 degrees away.

start = RigidTranslator().fit(*class_means(X, labels_X, Y, labels_Y)[:2])
with_labels = ICPTranslator().fit(X, Y, source_labels=labels_X, target_labels=labels_Y)
without_labels = ICPTranslator().fit(X, Y)
alignments = {
    "class means": start,
    "class means, then ICP": with_labels,
    "ICP without labels": without_labels,
}

figure, axes = plt.subplots(1, 3, figsize=(10.5, 4.6), layout="constrained")
for ax, (name, translator) in zip(axes, alignments.items()):
    translated = translator.transform(X)
    for label, marker in enumerate(MARKERS):
        filled = {"alpha": 0.35, "color": COLOURS[label], "linewidths": 0}
        ax.scatter(*Y[labels_Y == label].T, marker=marker, s=26, **filled)
        outlined = {"facecolors": "none", "edgecolors": COLOURS[label], "linewidths": 0.9}
        ax.scatter(*translated[labels_X == label].T, marker=marker, s=26, **outlined)
    error = latent_mse(truth, translated)
    ax.set_title(f"{name}\nmean squared error {error:.3f}")
    ax.set_aspect("equal", adjustable="datalim")
    ax.grid(alpha=0.3)
target = axes[0].scatter([], [], c="grey", alpha=0.5, linewidths=0, label="target")
source = axes[0].scatter([], [], facecolors="none", edgecolors="grey", label="translated source")
figure.legend(handles=[target, source], loc="outside lower center", ncols=2)
plt.show()

# %%
# What ICP lowers is the distance to the *nearest* target row. Without labels it is low as well, but
# the match is the wrong one: a local minimum.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
curves = {"with labels": (with_labels, "#0072B2", "o"), "without": (without_labels, "#D55E00", "s")}
for name, (translator, colour, marker) in curves.items():
    curve = translator.energy_curve_
    ax.plot(range(len(curve)), curve, color=colour, marker=marker, markersize=5, label=name)
ax.set(
    yscale="log",
    xlabel="iteration",
    ylabel="energy: mean squared distance to the match",
    title="ICP lowers the energy, which is not the error",
)
ax.grid(alpha=0.3)
ax.legend()
plt.show()

# %%
# Lähner and Moeller (2023, Table 4) found on autoencoders that ICP made class means worse. Use it
# where you can measure that it helps.
