"""Rows from elsewhere into Altcraft."""
