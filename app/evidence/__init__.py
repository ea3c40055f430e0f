"""What a judge may ask for: recordings, clips, custody."""
