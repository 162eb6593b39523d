"""Launching at most once.

Who launches what is in ``identity``, what is kept of it in ``record``, what a try does about it in ``plan``.

``launcher`` carries the plan out for single calls, ``deliveries`` for the batches of a delivery.
"""
