"""The requests and answers of the five pages that everything else rests on."""
