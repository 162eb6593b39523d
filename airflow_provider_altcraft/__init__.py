"""Airflow provider for Altcraft. Airflow imports this module at every start, so it holds the version only."""

__version__ = "0.1.0"
