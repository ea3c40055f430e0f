"""The 135 municipalities as facts, and the boundaries of their partidos (see NOTICE.md for sources)."""
