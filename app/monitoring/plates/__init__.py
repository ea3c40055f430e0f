"""Plate readings, hot lists and their matches."""
