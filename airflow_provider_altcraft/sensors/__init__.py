"""Sensors: wait for work that another task, or a person, started."""
