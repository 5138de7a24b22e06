"""Pure mathematics: moments in, matrices out; no scikit-learn and no state.

Every solver works in the scaled space and returns ``W`` of shape (d_source, d_target) for the map
``x -> x @ W``; `sklearn_latent._base` folds the scaling into it.
"""
