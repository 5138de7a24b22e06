"""A map that is not linear
========================

Where one encoder bends what the other leaves straight, no matrix translates. Kernel ridge
regression follows the bend, and needs more anchors for it.
"""

# %%
# The target twists the source: the further a point lies from the centre, the more it is turned.
# Both sides are lifted to 20 dimensions by rotations of their own, and the target is noisy.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_latent import KernelTranslator, RidgeTranslator

D, N_POOL = 20, 2000
rng = np.random.default_rng(0)
plane = rng.normal(size=(3000, 2))
angle = 1.2 * np.linalg.norm(plane, axis=1)
cos, sin = np.cos(angle), np.sin(angle)
u, v = plane.T
twisted = np.stack([u * cos - v * sin, u * sin + v * cos], axis=1)

to_source, to_target = (np.linalg.qr(rng.normal(size=(D, 2)))[0].T for _ in range(2))
X = plane @ to_source
Y = twisted @ to_target + 0.03 * rng.normal(size=(3000, D))
X_test, Y_test = X[N_POOL:], Y[N_POOL:]

# %%
# New items, translated with 200 anchors, in the plane of the target. Colours are the quadrants of
# the source's plane.

translators = {"ridge": RidgeTranslator(), "kernel": KernelTranslator()}
pictures = {"target": Y_test}
for name, translator in translators.items():
    pictures[name] = translator.fit(X[:200], Y[:200]).transform(X_test)

COLOURS = np.array(["#D55E00", "#0072B2", "#009E73", "#E69F00"])  # of Okabe and Ito
quadrant = 2 * (u[N_POOL:] > 0) + (v[N_POOL:] > 0)
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharex=True, sharey=True, layout="constrained")
for ax, (name, latents) in zip(axes, pictures.items()):
    ax.scatter(*(latents @ to_target.T).T, c=COLOURS[quadrant], s=5)
    ax.set(title=name, aspect="equal", xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=[], yticks=[])
plt.show()

# %%
# How much of the target each explains, over the number of anchors: the median of 5 draws. What
# leave-one-out promises from the anchors alone is dashed.

N_ANCHORS = [10, 20, 50, 100, 200, 500]
STYLES = {"ridge": ("#D55E00", "s"), "kernel": ("#0072B2", "o")}

figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
for name, (colour, marker) in STYLES.items():
    score, promised = np.empty((2, len(N_ANCHORS), 5))
    for i, n_anchors in enumerate(N_ANCHORS):
        for seed in range(5):
            rows = np.random.default_rng(seed).permutation(N_POOL)[:n_anchors]
            plain = translators[name].set_params(restore_variance=False).fit(X[rows], Y[rows])
            # of the standardised target, as the score that leave-one-out promises
            error = (Y_test - plain.transform(X_test)) / Y[rows].std(axis=0)
            total = (Y_test - Y[rows].mean(axis=0)) / Y[rows].std(axis=0)
            score[i, seed] = 1 - np.sum(error**2) / np.sum(total**2)
            promised[i, seed] = plain.best_score_
    ax.plot(N_ANCHORS, np.median(score, axis=1), color=colour, marker=marker, label=name)
    ax.plot(N_ANCHORS, np.median(promised, axis=1), color=colour, linestyle="--")
ax.set(
    xscale="log",
    ylim=(-0.1, 1.02),
    xlabel="number of anchors",
    ylabel="R² on new items",
    title=f"A twist, seen in {D} dimensions",
)
ax.set_xticks(N_ANCHORS, [str(n) for n in N_ANCHORS])
ax.minorticks_off()
ax.grid(alpha=0.3)
ax.legend(loc="upper left")
plt.show()

# %%
# No matrix can twist, so more anchors do not help ridge. Leave-one-out says so without new items:
# where it promises much more for the kernel, the relation is not linear.
