"""The 24 h monitoring room."""
