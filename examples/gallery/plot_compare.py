"""Which map, and how many anchors?
================================

One call compares translators on the pairs at hand, out of sample, and says which to use.
"""

# %%
# Two encoders of the digits, each the hidden layer of a small network. They differ in width,
# activation and seed, and share no training item. A support vector machine that was trained on the
# second reads the first.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sklearn_latent import compare_translators

images, digits = load_digits(return_X_y=True)
images = images / 16
rows = np.random.default_rng(0).permutation(len(digits))
for_source, for_target, pairs = rows[:500], rows[500:1000], rows[1000:]


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
# The pairs were seen by neither the encoders nor the decoder. Without a list of translators, those
# in closed form are compared. The constant is what has to be beaten, and the native score, that of
# the decoder on the target's own latents, what there is to reach. One draw of the anchors in each
# fold is enough here; by default there are three, which take three times as long.

comparison = compare_translators(
    X[pairs],
    Y[pairs],
    n_anchors=[10, 20, 50, 100, 200, 1.0],
    decoder=decoder,
    labels=digits[pairs],
    n_draws=1,
    random_state=0,
)
print(comparison)

# %%
# The same as a figure. The bands are one standard error, corrected for what the folds have in
# common. Least squares (*linear*) is at its worst where there are as many anchors as source
# dimensions, here 48.

display = comparison.plot()
display.ax_.set_title("Digits: tanh network (48) read by the decoder of a relu network (64)")
plt.show()

# %%
# The best translator is fitted and goes straight before the decoder.

from sklearn.pipeline import make_pipeline  # noqa: E402

stitched = make_pipeline(comparison.best_translator_, decoder)
print(stitched.predict(X[pairs][:10]), digits[pairs][:10])
