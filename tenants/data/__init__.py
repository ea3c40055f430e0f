"""The 135 municipalities as facts."""
