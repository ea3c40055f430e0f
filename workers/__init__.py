"""Processes that are not the web."""
