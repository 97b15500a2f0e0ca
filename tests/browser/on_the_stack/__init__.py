"""The pages on a running stack: real answers, real refreshes, a real API that goes away and comes back."""
