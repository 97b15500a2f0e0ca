"""Replies are those of the documentation."""

import json

import pytest

from infra.local.exchange.subscriptions import Subscriptions, TooManyStreamsError


def answer(subscriptions: Subscriptions, **request: object) -> object:
    return json.loads(subscriptions.answer(json.dumps(request)))


def test_paths_name_streams_and_properties() -> None:
    raw = Subscriptions.of_path("/ws/btcusdt@trade/ethusdt@kline_1m")
    both = Subscriptions.of_path("/stream?streams=btcusdt@trade/ethusdt@trade&timeUnit=MICROSECOND")
    assert raw == Subscriptions(False, False, {"btcusdt@trade": None, "ethusdt@kline_1m": None})
    assert both == Subscriptions(True, True, {"btcusdt@trade": None, "ethusdt@trade": None})
    assert Subscriptions.of_path("/ws") == Subscriptions()
    assert Subscriptions.of_path("/stream") == Subscriptions(combined=True)
    assert Subscriptions.of_path("/wss/btcusdt@trade") is None


def test_streams_come_and_go() -> None:
    mine = Subscriptions()
    subscribed = answer(mine, method="SUBSCRIBE", params=["btcusdt@trade", "btcusdt@depth"], id=1)
    assert subscribed == {"result": None, "id": 1}
    assert answer(mine, method="UNSUBSCRIBE", params=["btcusdt@depth"], id="a-1") == {"result": None, "id": "a-1"}
    assert answer(mine, method="LIST_SUBSCRIPTIONS", id=None) == {"result": ["btcusdt@trade"], "id": None}
    assert mine.symbols == {"BTCUSDT"}


def test_the_combined_property_can_be_set_and_asked_for() -> None:
    mine = Subscriptions()
    assert answer(mine, method="SET_PROPERTY", params=["combined", True], id=5) == {"result": None, "id": 5}
    assert answer(mine, method="GET_PROPERTY", params=["combined"], id=2) == {"result": True, "id": 2}


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("{", '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 2"}'),
        ("rubbish", '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}'),
        (
            '{"method": "SET_PROPERTY", "params": ["nonsense", true], "id": 5}',
            '{"code":0,"msg":"Unknown property","id":5}',
        ),
        (
            '{"method": "SET_PROPERTY", "params": ["combined", 1], "id": 5}',
            '{"code":1,"msg":"Invalid value type: expected Boolean"}',
        ),
        (
            '{"method": "GET_PROPERTY", "params": [1], "id": 5}',
            '{"code":2,"msg":"Invalid request: property name must be a string"}',
        ),
        (
            '{"method": "GET_PROPERTY", "params": ["combined", 1], "id": 5}',
            '{"code":2,"msg":"Invalid request: too many parameters"}',
        ),
        (
            '{"method": "SUBSCRIBE", "params": ["a@trade"]}',
            '{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}',
        ),
        (
            '{"method": "SUBSCRIB", "params": ["a@trade"], "id": 1}',
            '{"code":2,"msg":"Invalid request: unknown variant SUBSCRIB, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, '
            '`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 21"}',
        ),
        ('{"id":1}', '{"code":2,"msg":"Invalid request: missing field `method` at line 1 column 8"}'),
    ],
)
def test_errors_are_those_of_the_documentation(request_: str, reply: str) -> None:
    assert Subscriptions().answer(request_) == reply


@pytest.mark.parametrize("number", [1.5, True, "x" * 37, 2**63, [1]])
def test_other_ids_are_refused(number: object) -> None:
    reply = answer(Subscriptions(), method="SUBSCRIBE", params=["btcusdt@trade"], id=number)
    assert reply == {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}


def test_a_connection_carries_1024_streams() -> None:
    mine = Subscriptions()
    mine.add([f"sim{at}usdt@trade" for at in range(1_024)])
    with pytest.raises(TooManyStreamsError):
        answer(mine, method="SUBSCRIBE", params=["btcusdt@trade"], id=1)
    assert len(mine.streams) == 1_024
