"""Waiting for Altcraft: when it is over (``policy``), what is waited for (``targets``), and how (``polling``)."""
