"""What must not be seen. In a module of its own: an error reporter quotes the lines around the one that failed."""

from __future__ import annotations

TOKEN = "canary-token-77c1f0a9e3"
PERSON = "canary.person@example.com"
NAME = "Canary Fitzgerald"
