"""The tables of the catalogue, by area. ``api.endpoints`` puts them together."""
