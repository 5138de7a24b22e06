"""A known map in two dimensions
=============================

Two encoders see the same items. The target's latents are here made from the source's by a map that
we know, so that the eye can follow what a translator estimates.
"""

# %%
# A rotation
# ----------
# Three classes of items in the source's space, and the same items in the target's: turned by 130
# degrees, moved, and blurred a little. Twelve items are anchors, seen in both spaces.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_latent import LstsqTranslator, ProcrustesTranslator, RigidTranslator

COLOURS = np.array(["#0072B2", "#E69F00", "#009E73"])  # Okabe and Ito: safe for colour blindness
MARKERS = ["o", "s", "^"]

rng = np.random.default_rng(0)
labels = np.repeat([0, 1, 2], 40)
centres = np.array([[-2, -1], [2.5, -1], [0.5, 2]])
X = centres[labels] + rng.normal(size=(120, 2)) * [0.7, 0.4]

angle = np.deg2rad(130)
rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
Y = X @ rotation + [7, 4] + 0.1 * rng.normal(size=X.shape)

anchors = rng.permutation(120)[:12]
translator = ProcrustesTranslator(scaling="center").fit(X[anchors], Y[anchors])
translated = translator.transform(X)

# %%
# The decoder of the target lives in the right panel. Translated latents can be given to it as they
# are, for they are in the target's own coordinates.


def draw(ax, latents, *, filled):
    """Scatter the items of each class in a colour and a marker of its own."""
    for label, marker in enumerate(MARKERS):
        style = {"alpha": 0.35, "color": COLOURS[label], "linewidths": 0}
        if not filled:
            style = {"facecolors": "none", "edgecolors": COLOURS[label], "linewidths": 0.9}
        ax.scatter(*latents[labels == label].T, marker=marker, s=26, **style)
    ax.set_aspect("equal", adjustable="datalim")
    ax.grid(alpha=0.3)


def label_targets(ax):
    """Say what filled and open markers are."""
    ax.scatter([], [], c="grey", alpha=0.5, linewidths=0, label="target")
    ax.scatter([], [], facecolors="none", edgecolors="grey", label="translated source")
    ax.legend(loc="upper right", fontsize=9)


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
draw(left, X, filled=False)
left.scatter(*X[anchors].T, s=110, facecolors="none", edgecolors="black", label="anchors")
left.legend(loc="upper left", fontsize=9)
left.set_title("Source")
draw(right, Y, filled=True)
draw(right, translated, filled=False)
label_targets(right)
right.set_title("Target")
plt.show()

# %%
# The estimate, against what was put in:

estimated = np.rad2deg(np.arctan2(translator.coef_[1, 0], translator.coef_[0, 0]))
print(f"angle of the map: {estimated:.1f} degrees")
print(f"largest error of its matrix: {np.abs(translator.coef_ - rotation.T).max():.3f}")

# %%
# Maps that are no rotation
# -------------------------
# Now the target also stretches one direction threefold and shears. Which map can follow depends on
# the family it is taken from. *Rigid* keeps all distances. *Ortho* turns, too, but between
# standardised spaces, so that it adapts to the scale of each column; here the stretched direction
# is no column, and that does not help. *Linear* follows any linear map.

stretched = X @ np.array([[3.0, 0.6], [0.0, 0.8]]) @ rotation + 0.1 * rng.normal(size=X.shape)
maps = {
    "rigid": RigidTranslator(),
    "ortho, standard scaling": ProcrustesTranslator(),
    "linear": LstsqTranslator(),
}
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.9), layout="constrained")
for ax, (name, translator) in zip(axes, maps.items()):
    translator.fit(X[anchors], stretched[anchors])
    draw(ax, stretched, filled=True)
    draw(ax, translator.transform(X), filled=False)
    ax.set_title(f"{name}\nR² = {translator.score(X, stretched):.2f}")
label_targets(axes[2])
plt.show()
