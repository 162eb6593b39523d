"""The hook for Altcraft's API."""
