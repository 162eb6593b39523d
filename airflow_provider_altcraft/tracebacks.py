"""Tracebacks without the values of variables.

An exception keeps the frames that it came through, and a frame keeps its variables: request bodies, headers and rows,
in our functions as in those of the libraries below. Whatever reports errors reads them there (Sentry does by default),
also those of the errors that led to it. So the variables are cleared where an error leaves this package; the traceback
still says in which line of which file it was.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutinefunction, isgeneratorfunction
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def clear_locals(error: BaseException, outer: BaseException | None = None) -> None:
    """Clear the variables of all functions that an error came through, and of the errors behind it.

    Those of functions that still run are left alone.

    :param outer: an error that was being handled when the work began: it is somebody else's.
    """
    seen: set[int] = set()
    found: list[BaseException | None] = [error]
    while found:
        one = found.pop()
        if one is None or one is outer or id(one) in seen:
            continue
        seen.add(id(one))
        traceback.clear_frames(one.__traceback__)
        found += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            found += one.exceptions


@contextmanager
def locals_cleared() -> Iterator[None]:
    """Let no error out of the block with variables on it. The block's own function should hold nothing secret."""
    outer = sys.exc_info()[1]
    try:
        yield
    except BaseException as error:
        clear_locals(error, outer)
        raise


def without_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Let no error out of a function, a generator or a coroutine with variables on it, its arguments among them."""
    # Each lets go of the arguments, since its own frame still runs while the others are cleared.
    if iscoroutinefunction(function):

        @wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            running = function(*args, **kwargs)
            del args, kwargs
            with locals_cleared():
                return await running

        return cast("Callable[P, R]", coroutine)
    if isgeneratorfunction(function):

        @wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            running = function(*args, **kwargs)
            del args, kwargs
            with locals_cleared():
                return (yield from running)

        return cast("Callable[P, R]", generator)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        outer = sys.exc_info()[1]
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            clear_locals(error, outer)
            del args, kwargs
            raise

    return called
