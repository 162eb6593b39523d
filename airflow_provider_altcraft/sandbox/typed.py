"""Values that are what their annotation says: a typo in a switch would make a test that proves nothing."""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

import msgspec


def check_value(owner: type, name: str, value: Any) -> None:
    """Check one value of a dataclass.

    :raises ValueError: naming it.
    """
    hint = _hints(owner).get(name, Any)
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise ValueError(f"{owner.__name__}.{name} is {value!r}: {error}.") from None


_hints = cache(get_type_hints)
