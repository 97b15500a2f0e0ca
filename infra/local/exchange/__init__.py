"""A WebSocket and REST server that speaks Binance's spot market data protocol.

It serves a seeded market, a recording, or a script, and breaks on request: see :mod:`infra.local.exchange.faults`.
"""
