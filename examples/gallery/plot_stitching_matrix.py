"""Every encoder before every decoder
==================================

Five encoders, five frozen decoders, and a translator for each pair of different ones. Then: does
the scale of what a decoder is given matter?
"""

# %%
# The encoders are hidden layers of small networks, trained on the digits with other seeds, widths
# and activations, and the pixels as they are. Each has a decoder of its own, a support vector
# machine.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sklearn_latent import LstsqTranslator, ProcrustesTranslator
from sklearn_latent.inspection import (
    NormDistributionDisplay,
    RescalingCurveDisplay,
    StitchingMatrixDisplay,
)

images, digits = load_digits(return_X_y=True)
images = images / 16
train, test = train_test_split(np.arange(len(digits)), test_size=400, random_state=0)
FUNCTIONS = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}


def latents_of(width, activation, seed):
    """The hidden layer of a network that was trained on a third of the training rows."""
    rows = np.random.default_rng(seed).permutation(train)[:450]
    network = MLPClassifier(
        (width,), activation=activation, solver="lbfgs", alpha=1, max_iter=2000, random_state=seed
    )
    network.fit(images[rows], digits[rows])
    return FUNCTIONS[activation](images @ network.coefs_[0] + network.intercepts_[0])


latents = {
    "tanh 12": latents_of(12, "tanh", seed=1),
    "tanh 48": latents_of(48, "tanh", seed=2),
    "relu 24": latents_of(24, "relu", seed=3),
    "relu 64": latents_of(64, "relu", seed=4),
    "pixels": images,
}
decoders = {name: SVC().fit(rows[train], digits[train]) for name, rows in latents.items()}

# %%
# 100 items of the training set are the anchors. Rows with a high mean are encoders to
# translate from, columns with a high mean are spaces to translate to.

anchors = train[:100]
display = StitchingMatrixDisplay.from_encoders(
    {name: rows[anchors] for name, rows in latents.items()},
    {name: rows[test] for name, rows in latents.items()},
    decoders,
    digits[test],
    translator=ProcrustesTranslator(),
).plot()
plt.show()

# %%
# How long are latents, before and after? These two encoders differ in scale by a factor of two, and
# both translators make up for it.

X, Y = latents["tanh 48"], latents["relu 64"]
ortho = ProcrustesTranslator().fit(X[anchors], Y[anchors])
linear = LstsqTranslator().fit(X[anchors], Y[anchors])
NormDistributionDisplay.from_latents(
    {
        "source": X[test],
        "target": Y[test],
        "translated, ortho": ortho.transform(X[test]),
        "translated, linear": linear.transform(X[test]),
    }
).plot(arrangement="rows")
plt.show()

# %%
# Whether that harms depends on the decoder. All latents are brought to one norm α. A support
# vector machine with a Gaussian kernel works near the norms that it was trained on, and a linear
# classifier without a bias at any.

readers = {
    "SVM, Gaussian kernel": decoders["relu 64"],
    "linear, no bias": LogisticRegression(fit_intercept=False, max_iter=5000),
    "network, tanh": MLPClassifier((30,), "tanh", max_iter=1000, random_state=0),
}
for name in ("linear, no bias", "network, tanh"):
    readers[name].fit(Y[train[:500]], digits[train[:500]])
RescalingCurveDisplay.from_estimators(readers, Y[test], digits[test]).plot()
plt.show()
