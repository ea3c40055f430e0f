"""What is taught: courses and, so far, the page that says there are none yet."""
