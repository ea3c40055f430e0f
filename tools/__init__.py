"""Programs for building and checking the repository; nothing here runs in production."""
