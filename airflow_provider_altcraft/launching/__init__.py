"""Launching at most once.

Who launches what is in ``identity``, what is kept of it in ``record``, what Airflow says of earlier tries in ``tries``,
and what a try does about it in ``plan``.

``launcher`` carries the plan out for single calls; ``replays`` says whose launch it is that Altcraft remembers, and
``conflicts`` why it stops. ``deliveries`` does so for the batches of a delivery, and ``delivery_records`` keeps them.
"""
