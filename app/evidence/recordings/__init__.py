"""What was recorded and what was not: camera-hours, gaps, and the clips cut for alarms."""
