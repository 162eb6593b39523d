"""Work that a DAG gives to Altcraft."""
