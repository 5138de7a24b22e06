"""scikit-learn's progress callbacks where the installed version has them, else nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's mixin; there is no `set_callbacks`."""

    def with_callbacks(method: Callable) -> Callable:
        """Stands in for scikit-learn's decorator."""
        return method


class FitProgress:
    """Reports the iterations of one fit to the estimator's callbacks, if it has any."""

    def __init__(self, estimator: Any, max_iter: int):
        self.estimator = estimator
        self.context = None
        if getattr(estimator, "_skl_callbacks", None) or hasattr(estimator, "_parent_callback_ctx"):
            self.context = estimator._init_callback_context(max_subtasks=max_iter)
            self.context.call_on_fit_task_begin(estimator=estimator)

    def iteration(self) -> bool:
        """Report one iteration; True where a callback asks to stop."""
        if self.context is None:
            return False
        step = self.context.subcontext(task_name="iteration")
        step.call_on_fit_task_begin(estimator=self.estimator)
        return bool(step.call_on_fit_task_end(estimator=self.estimator))

    def end(self) -> None:
        if self.context is not None:
            self.context.call_on_fit_task_end(estimator=self.estimator)
