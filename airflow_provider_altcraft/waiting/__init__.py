"""Waiting for Altcraft: when it ends (``policy``), what to wait for (``targets``), and how to poll (``polling``)."""
