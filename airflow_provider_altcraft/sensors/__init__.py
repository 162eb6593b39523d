"""Waits for what something else began."""
