"""What a map does to latents
==========================

Source, translated and target latents in two dimensions, and the singular values of the maps: how
near is each to a rotation?
"""

# %%
# The target is the digits' pixels on their first 20 principal components. The source has seen them
# through a rotation that stretches some directions, with noise.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_latent import LOrthoTranslator, LstsqTranslator, ProcrustesTranslator
from sklearn_latent.inspection import LatentProjectionDisplay, SpectrumDisplay

images, digits = load_digits(return_X_y=True)
Y = PCA(20).fit_transform(images / 16)
rng = np.random.default_rng(0)
rotation = np.linalg.qr(rng.normal(size=(20, 20)))[0]
X = Y @ (rotation * np.geomspace(0.5, 2, 20)) + rng.normal(size=Y.shape) / 20 + 3
anchors, test = np.arange(300), np.arange(900, 1400)

# %%
# Each item is in all three panels. The translated latents are on the target's axes, and to its
# scale; the source is another space, on axes of its own.

ortho = ProcrustesTranslator(scaling="center", scale=True).fit(X[anchors], Y[anchors])
LatentProjectionDisplay.from_estimator(ortho, X[test], Y[test], labels=digits[test]).plot()
plt.show()

# %%
# Without labels, an item has the colour of its place in the target, and lines lead from where some
# items are to where they should be.

LatentProjectionDisplay.from_estimator(ortho, X[test], Y[test]).plot(n_joined=80)
plt.show()

# %%
# The singular values over their root mean square: an orthogonal map times a scale has them all at
# 1. *ortho* and *l-ortho* are so by construction. *linear* finds the stretching, and with 30
# anchors for 20 dimensions noise stretches it further. The number behind each name is the cosine
# to the nearest orthogonal map.

few = anchors[:30]
SpectrumDisplay.from_estimators(
    {
        "ortho": ortho,
        "l-ortho": LOrthoTranslator(scaling="center").fit(X[anchors], Y[anchors]),
        "linear, 300 anchors": LstsqTranslator(scaling="center").fit(X[anchors], Y[anchors]),
        "linear, 30 anchors": LstsqTranslator(scaling="center").fit(X[few], Y[few]),
    }
).plot()
plt.show()
