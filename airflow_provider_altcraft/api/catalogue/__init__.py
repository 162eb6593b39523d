"""The tables of the catalogue, by area. ``api.endpoints`` combines them."""
