"""Data into and out of Altcraft."""
