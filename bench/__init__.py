"""Benchmarks: figures with a raw baseline measured in the same run."""
