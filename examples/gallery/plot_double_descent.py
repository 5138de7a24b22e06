"""Least squares at its worst
==========================

With about as many anchors as source dimensions, least squares passes through every anchor exactly,
noise included, and translates new items badly. The orthogonal map does not.
"""

# %%
# The two spaces differ by a rotation in 40 dimensions. What the source sees is noisy: a tenth of
# its variance is nothing that the target knows of.

import warnings

import matplotlib.pyplot as plt
import numpy as np

from sklearn_latent import AffineTranslator, LstsqTranslator, ProcrustesTranslator
from sklearn_latent.exceptions import AnchorWarning
from sklearn_latent.metrics import latent_mse

D = 40
rng = np.random.default_rng(0)
Y = rng.normal(size=(5000, D))
X = Y @ np.linalg.qr(rng.normal(size=(D, D)))[0] + rng.normal(size=Y.shape) / 3
X_test, Y_test = X[4000:], Y[4000:]

# %%
# The error on new items, over the number of anchors: the median of 9 draws, and the middle half of
# them as a band. Mapping every item to the target's mean has the error 1.

METHODS = {  # colours of Okabe and Ito
    "ortho": (ProcrustesTranslator(), "#0072B2", "o"),
    "linear": (LstsqTranslator(), "#D55E00", "s"),
    "affine, 300 steps": (AffineTranslator(random_state=0), "#009E73", "D"),
}
N_ANCHORS = [5, 10, 20, 30, 36, 41, 46, 52, 60, 80, 120, 250, 500, 1500]


def errors(translator, n_anchors, n_draws=9):
    """Mean squared error on new items, of one draw of anchors after the other."""
    for seed in range(n_draws):
        rows = np.random.default_rng(seed).permutation(4000)[:n_anchors]
        with warnings.catch_warnings():
            # Least squares warns that it is at its worst near n = d, which the figure shows.
            warnings.simplefilter("ignore", AnchorWarning)
            translator.fit(X[rows], Y[rows])
        yield latent_mse(Y_test, translator.transform(X_test))


figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
for name, (translator, colour, marker) in METHODS.items():
    draws = np.array([list(errors(translator, n)) for n in N_ANCHORS])
    low, middle, high = np.quantile(draws, [0.25, 0.5, 0.75], axis=1)
    ax.plot(N_ANCHORS, middle, color=colour, marker=marker, markersize=5, label=name)
    ax.fill_between(N_ANCHORS, low, high, color=colour, alpha=0.2, linewidth=0)

ax.axhline(1, color="black", linestyle=":", linewidth=1, label="the target's mean")
ax.axvline(D, color="grey", linewidth=1)
ax.text(D * 0.95, 100, "n = d", color="dimgrey", ha="right")
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of anchors n",
    ylabel="mean squared error on new items",
    title=f"A rotation of {D} dimensions, and noise",
)
ticks = [5, 10, 20, 50, 100, 200, 500, 1500]
ax.set_xticks(ticks, [str(n) for n in ticks])
ax.minorticks_off()
ax.grid(alpha=0.3)
ax.legend(loc="upper right")
plt.show()

# %%
# Below the peak least squares takes the map of least norm, which shrinks towards the target's mean.
# Above it, more anchors average the noise out. Gradient descent that stops early has no peak. The
# true map is a rotation here, which *ortho* assumes and the others have to find.
#
# So: below d anchors use `ProcrustesTranslator`; near d avoid `LstsqTranslator`; with several times
# d try both. `decoder_agreement` in a grid search decides between them without labels.
