"""The Dirección's screens over the municipalities."""
