"""Plates: from the pixels of a vehicle to one consensus per pass."""
