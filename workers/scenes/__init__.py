"""Street scenes the project renders itself for the demonstration: nobody's cars, nobody's plates."""
