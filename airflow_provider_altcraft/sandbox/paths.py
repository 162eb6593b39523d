"""Which method a path belongs to."""

from __future__ import annotations

DOWNLOAD = "download"
OUTSIDE = ("integrations/any/profile_import",)
"""Methods that are not below ``/api/v1.1/``, by their path below ``/api/``; ``named`` knows the rest of them."""


def named(path: str) -> tuple[str, dict[str, str]] | None:
    """The method of a path, and the parameters in the path; ``None`` for a path outside the API.

    ``/api/v1.1/tasks/status`` is ``tasks/status``; ``/api/v1.0/lists/1/suspend_all`` is
    ``v1.0/lists/{list_id}/suspend_all``; ``/api/download/data/a/b.csv`` is ``download``.
    """
    below = path.removeprefix("/api/").strip("/")
    version, _, rest = below.partition("/")
    if version == "v1.1":
        return (below if rest in (DOWNLOAD, *OUTSIDE) else rest), {}
    if version == DOWNLOAD and rest:
        return DOWNLOAD, {"file": rest}
    if below in OUTSIDE:
        return below, {}
    parts = rest.split("/")
    if version == "v1.0" and parts[0] == "lists" and len(parts) == 3:
        return f"v1.0/lists/{{list_id}}/{parts[2]}", {"list_id": parts[1]}
    return None
