"""The alert routes, registered on an app."""

from __future__ import annotations

from collections.abc import Callable

from api.chalicelib import alert_pages as pages
from api.chalicelib import alert_rendering as rendering
from api.chalicelib.alert_service import Alerts
from quant.alert_link import rule_of
from quant.alerting.examples import EXAMPLES as LIBRARY
from quant.contract import alerts as contract
from quant.contract.types import Nothing
from quant.domain.alert import Rule
from quant.domain.interval import DAY, HOUR, SECOND
from quant.errors import RequestError
from quant.http.answers import Answer
from quant.http.call import Call
from quant.http.routing import Routes


def add_alert_routes(routes: Routes, alerts: Callable[[], Alerts]) -> None:
    """Register them; ``alerts`` is first called at the first request."""
    _add_rules(routes, alerts)
    _add_actions(routes, alerts)
    _add_reports(routes, alerts)
    _add_links(routes, alerts)


def _add_rules(routes: Routes, alerts: Callable[[], Alerts]) -> None:
    def listed(call: Call[contract.RulesParameters, Nothing]) -> Answer:
        after = str((call.position() or {}).get("id", ""))
        found, last = alerts().page(after, call.parameters.limit)
        found.next_cursor = call.next_cursor(id=last) if last else None
        return Answer.of(found)

    routes.serve(contract.LIST_RULES)(listed)
    routes.serve(contract.EXPORT_RULES)(listed)

    @routes.serve(contract.MAKE_RULE)
    def make(call: Call[Nothing, contract.RuleFields]) -> Answer:
        return Answer.of(alerts().make(call.body, call.idempotency_key, call.now), status=201)

    @routes.serve(contract.GET_RULE)
    def get(call: Call[contract.RulePath, Nothing]) -> Answer:
        return Answer.of(alerts().get(call.parameters.id))

    @routes.serve(contract.CHANGE_RULE)
    def change(call: Call[contract.RulePath, contract.RuleChange]) -> Answer:
        return Answer.of(alerts().change(call.parameters.id, call.body, call.body.version, call.now))

    @routes.serve(contract.DELETE_RULE)
    def delete(call: Call[contract.DeleteParameters, Nothing]) -> Answer:
        alerts().delete(call.parameters.id, call.parameters.version)
        return Answer.of(contract.DeletedAnswer(deleted=call.parameters.id))


def _add_actions(routes: Routes, alerts: Callable[[], Alerts]) -> None:
    @routes.serve(contract.IMPORT_RULES)
    def bring_in(call: Call[Nothing, contract.Imported]) -> Answer:
        found = alerts().bring_in(call.body, call.now)
        created = sum(one.created for one in found)
        return Answer.of(contract.ImportAnswer(created=created, updated=len(found) - created, rules=found))

    @routes.serve(contract.SILENCE_RULE)
    def silence(call: Call[contract.RulePath, contract.SilenceBody]) -> Answer:
        return Answer.of(alerts().silence(call.parameters.id, call.body.seconds, call.now))

    @routes.serve(contract.TEST_RULE)
    def test(call: Call[contract.RulePath, Nothing]) -> Answer:
        return Answer.of(alerts().test(call.parameters.id, call.request_id, call.now), status=202)

    @routes.serve(contract.BACKTEST)
    def backtest(call: Call[Nothing, contract.BacktestBody]) -> Answer:
        return Answer.of(alerts().backtest(call.body, call.now))


def _add_reports(routes: Routes, alerts: Callable[[], Alerts]) -> None:
    @routes.serve(contract.HISTORY)
    def history(call: Call[contract.HistoryParameters, Nothing]) -> Answer:
        asked, after = call.parameters, str((call.position() or {}).get("after", ""))
        start = asked.start or 0
        end = call.now + DAY if asked.end is None else asked.end
        if asked.start is None or asked.end is None:
            # Only two times that were both given can contradict each other; there is nothing before 1970 or after now.
            end = max(end, start + 1)
        found, last = alerts().history(asked.rule_id or "", start, end, after, asked.limit)
        found.next_cursor = call.next_cursor(after=last) if last else None
        return Answer.of(found)

    @routes.serve(contract.MONITOR)
    def monitor(call: Call[Nothing, Nothing]) -> Answer:
        report = alerts().storage.alerts.report()
        told = rendering.monitor(report, call.now)
        return Answer.of(told, tag=f"{told.last_run}-{told.healthy}")

    @routes.serve(contract.EXAMPLES)
    def examples(call: Call[Nothing, Nothing]) -> Answer:
        return Answer.of(contract.ExamplesAnswer(examples=[contract.Example(**one) for one in LIBRARY]))


def _add_links(routes: Routes, alerts: Callable[[], Alerts]) -> None:
    def rule_behind(
        call: Call[contract.LinkParameters, Nothing] | Call[contract.SilenceByLinkParameters, Nothing],
    ) -> Rule:
        rule_id = rule_of(call.keys, call.parameters.token, call.now)
        rule = alerts().storage.rules.get(rule_id)
        if rule is None:
            raise RequestError("not_found", "the rule has been deleted", "token")
        return rule

    @routes.serve(contract.SILENCE_PAGE)
    def ask(call: Call[contract.LinkParameters, Nothing]) -> Answer:
        return pages.asking(rule_behind(call), call.parameters.token, call.now)

    @routes.serve(contract.SILENCE_BY_LINK)
    def silence(call: Call[contract.SilenceByLinkParameters, Nothing]) -> Answer:
        rule = rule_behind(call)
        alerts().silence(rule.id, call.parameters.hours * HOUR // SECOND, call.now)
        return pages.silenced(rule_behind(call))
