"""`SolvedOnUse`: streams whose map is solved for when it is first used."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from typing import Any

from sklearn.utils import check_random_state

from ._array import Array
from ._validation import unchanged_on_error

# Threads may share a fitted translator, and so the first use of it. There is one lock for all of
# them, which then wait for each other, as an estimator with its own could not be pickled.
_SOLVING = threading.RLock()


def _renew_lock():
    global _SOLVING
    _SOLVING = threading.RLock()


if hasattr(os, "register_at_fork"):  # the thread that holds it may not be there in the child
    os.register_at_fork(after_in_child=_renew_lock)


class SolvedOnUse:
    """A translator whose `partial_fit` adds to sums alone.

    To solve for the map after every batch would mostly be for nothing. So `partial_fit` calls
    `_forget_solution`, which removes what solving sets. A method that uses the map asks for it by
    `_fitted_array`, which solves where that is left to be done; and whoever looks up an attribute
    that is missing comes to `__getattr__`, which does the same.
    """

    # Attributes that solving sets.
    _solved_attributes: tuple[str, ...] = ("coef_", "intercept_")

    _unsolved: bool
    random_state: Any
    coef_: Array

    @abstractmethod
    def _solve(self, random_state: Any, rows: tuple[Any, ...] | None = None) -> None:
        """Set the attributes, and `_unsolved` to False, by what was seen.

        `rows` are the anchors (X, y, weight) where they are at hand.
        """

    def _forget_solution(self):
        for name in self._solved_attributes:
            self.__dict__.pop(name, None)
        self._unsolved = True

    def _fitted_array(self):
        self._ensure_solved()
        return self.coef_

    def _ensure_solved(self):
        if not self.__dict__.get("_unsolved"):
            return
        # If a filter turns a warning into an error, the estimator stays unsolved and the next use
        # raises it again.
        with _SOLVING, unchanged_on_error(self):
            if self._unsolved:  # no other thread has been faster
                self._solve(check_random_state(self.random_state))

    def __getattr__(self, name):
        # Python asks here for what is missing, and for nothing else.
        if name in type(self)._solved_attributes:
            try:
                self._ensure_solved()
            except ValueError as error:  # `hasattr` is to say no, not to fail
                raise AttributeError(f"There is no {name!r} yet. {error}") from error
            if name in self.__dict__:  # solved now, by this thread or another
                return self.__dict__[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
