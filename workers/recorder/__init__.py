"""The recorder: pulls each camera once, fans it out, and writes crash-safe fragmented MP4. Knows no web and no database."""
