"""The shared package of all functions and of the ingestor."""

__version__ = "0.1.0"
