"""Rows to Altcraft: mapped, encoded once, batched, sent, answered, accounted for. Knows no Airflow."""
