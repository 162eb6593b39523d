"""Tracebacks without local variables.

An exception keeps the frames it passed through, and a frame keeps its variables: request bodies, headers and rows, in
our functions and in the libraries below. Error reporters read them (Sentry does by default), including those of chained
errors. So variables are cleared where an error leaves this package; the traceback still names files and lines.
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
    """Clear the variables of all frames that an error and the errors behind it passed through.

    Functions still running keep theirs.

    :param outer: the error being handled when the work began, which is not ours to touch.
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
    """Clear the variables from every error that leaves the block. The enclosing function should hold no secrets."""
    outer = sys.exc_info()[1]
    try:
        yield
    except BaseException as error:
        clear_locals(error, outer)
        raise


def without_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Clear variables and arguments from every error that leaves a function, generator or coroutine."""
    # Each wrapper deletes its arguments: its own frame is still running, so it is not cleared with the others.
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
