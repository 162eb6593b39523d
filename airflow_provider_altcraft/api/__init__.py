"""Altcraft's HTTP API as Python: what can be called, how a call is written, read and repeated."""
