"""Building large containers while the garbage collector rests.

Python looks for cyclic garbage whenever enough containers have been made, and then looks at
all there are. A function that makes a million tuples and dicts, and lets none go, has it look
through them over and over, in vain: half of the time that it takes.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def without_collection(build: Callable[P, R]) -> Callable[P, R]:
    """Let the garbage collector rest while a function runs, if it was on."""

    @functools.wraps(build)
    def resting(*args: P.args, **kwargs: P.kwargs) -> R:
        if not gc.isenabled():
            return build(*args, **kwargs)
        gc.disable()
        try:
            return build(*args, **kwargs)
        finally:
            gc.enable()

    return resting
