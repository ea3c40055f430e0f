"""Camera inventory, calibration and health."""
