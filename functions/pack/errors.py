"""The one way in which making a package fails."""


class PackError(Exception):
    """Says which package could not be made, and why."""
