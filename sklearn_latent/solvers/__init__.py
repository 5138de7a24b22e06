"""Pure mathematics on arrays and moments: no scikit-learn, no estimator.

The linear solvers in closed form work between the scaled spaces and return ``W``, (d_source,
d_target), of ``x -> x @ W``; `_scaling.PairScaling.fold` turns it into raw coordinates.
"""
