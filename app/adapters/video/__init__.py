"""The web's side of the video relays."""
