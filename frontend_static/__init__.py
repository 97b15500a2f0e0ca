"""The dashboard: static pages, rendered at build time."""
