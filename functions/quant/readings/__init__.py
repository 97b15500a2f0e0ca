"""What rules look at: bars of markets, read once a run however many rules there are, and the metrics made of them.

The check, the test send and the backtest read through the same functions, so that they cannot differ.
"""
