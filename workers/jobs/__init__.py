"""The one function a provincial worker is given."""
