"""Producers: whatever turns pictures, or a recording of what was seen, into observations."""
