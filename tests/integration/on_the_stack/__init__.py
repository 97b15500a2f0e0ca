"""Tests that share one run of the local stack."""
