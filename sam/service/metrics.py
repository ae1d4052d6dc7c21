"""Figures for Prometheus, in a registry of their own; none of them tells of any party."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric

from dtns import __version__
from dtns.sam.errors import SamError
from dtns.sam.issuing.issuer import Outcome, Silence
from dtns.sam.service.beside import RunningSam
from dtns.sam.service.requests import (
    GatewayRecord,
    GatewayRecords,
    GetVitals,
    ListGateways,
    Refusal,
    Vitals,
)

_DECIDED: Final = frozenset(kind.value for kind in (*Silence, *Outcome))
_ANSWERS: Final = "answers-"


class Metrics:
    """Collects at each scrape what the running *sam* can tell; *processes* adds those of its own.

    While the store cannot be used, `dtns_store_usable` is 0 and what the store knows is left out.
    """

    def __init__(self, sam: RunningSam, *, processes: bool = True) -> None:
        self._sam = sam
        self._registry = CollectorRegistry()
        self._registry.register(self)
        if processes:
            ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text form, version 0.0.4."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what there is shows at the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield InfoMetricFamily("dtns", "This version of dtns.", value={"version": __version__})
        yield from _counted(self._sam.counters)
        yield self._commits()
        vitals = self._ask(GetVitals())
        yield GaugeMetricFamily(
            "dtns_store_usable", "Whether the store can be written, 0 or 1.", vitals is not None
        )
        if vitals is not None:
            yield from _vital(vitals)
        gateways = self._ask(ListGateways())
        if gateways is not None:
            yield from _of_gateways(gateways)

    def _ask(self, request: Any) -> Any:
        try:
            result = self._sam.administration.answer(request)
        except SamError:
            return None
        return None if isinstance(result, Refusal) else result

    def _commits(self) -> Metric:
        durations = self._sam.durations
        family = HistogramMetricFamily(
            "dtns_commit_seconds", "How long transactions of the store took."
        )
        family.add_metric([], durations.buckets(), durations.total)
        return family


def _counted(counters: Any) -> Iterator[Metric]:
    asks = CounterMetricFamily(
        "dtns_asks", "Messages of phones by what became of them.", labels=["outcome"]
    )
    answers = CounterMetricFamily(
        "dtns_answers", "What became of answers on their way to phones.", labels=["event"]
    )
    events = CounterMetricFamily("dtns_events", "What else is worth a count.", labels=["event"])
    for name, count in sorted(counters.items()):
        if name in _DECIDED:
            asks.add_metric([name], count)
        elif name.startswith(_ANSWERS):
            answers.add_metric([name.removeprefix(_ANSWERS)], count)
        else:
            events.add_metric([name], count)
    return iter((asks, answers, events))


def _vital(vitals: Vitals) -> Iterator[Metric]:
    yield GaugeMetricFamily("dtns_ready", "Whether Sam is of use, 0 or 1.", vitals.ready)
    check = GaugeMetricFamily("dtns_check", "Whether each check holds, 0 or 1.", labels=["check"])
    for each in vitals.checks:
        check.add_metric([each.name], each.holds)
    yield check
    yield GaugeMetricFamily("dtns_epoch", "Sam's incarnation.", vitals.epoch)
    yield CounterMetricFamily("dtns_decisions", "Decisions in the log.", vitals.decisions)
    yield GaugeMetricFamily("dtns_outbox_waiting", "Answers that wait to leave.", vitals.waiting)
    yield GaugeMetricFamily(
        "dtns_outbox_oldest_seconds", "Age of the oldest of them, 0 if none.", vitals.oldest or 0.0
    )
    yield GaugeMetricFamily("dtns_up_seconds", "For how long Sam has been up.", vitals.up_for)
    connected = GaugeMetricFamily(
        "dtns_carrier_connected", "Whether a carrier is connected, 0 or 1.", labels=["carrier"]
    )
    under_way = GaugeMetricFamily(
        "dtns_carrier_under_way", "Answers handed to a carrier and not taken.", labels=["carrier"]
    )
    stalls = CounterMetricFamily(
        "dtns_carrier_stalls", "How often a carrier had to be started anew.", labels=["carrier"]
    )
    for name, record in vitals.carriers.items():
        connected.add_metric([name], record.connected)
        under_way.add_metric([name], record.under_way)
        stalls.add_metric([name], record.stalls)
    yield from (connected, under_way, stalls)


def _of_gateways(records: GatewayRecords) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "dtns_gateway_up", "Whether a gateway is up, 0 or 1.", labels=["gateway"]
    )
    for record in records.gateways:
        up.add_metric([record.name], record.state == "up")
    yield up
    for name, help_text, field in (
        ("signal", "Signal of a modem, 0 to 31.", "signal"),
        ("queue", "Messages that wait at a gateway.", "queue"),
        ("stored", "Messages in a modem's storage.", "stored"),
        ("room", "Places in a modem's storage.", "room"),
        ("sent", "Messages sent by a modem since it started.", "sent"),
        ("received", "Messages received by a modem since it started.", "received"),
        ("failed", "Messages that a modem failed to send since it started.", "failed"),
    ):
        yield _family(f"dtns_gateway_{name}", help_text, records.gateways, field)


def _family(name: str, text: str, gateways: tuple[GatewayRecord, ...], field: str) -> Metric:
    counts = field in {"sent", "received", "failed"}
    kind = CounterMetricFamily if counts else GaugeMetricFamily
    family: Metric = kind(name, text, labels=["gateway"])
    for record in gateways:
        value = getattr(record, field)
        if value is not None:
            family.add_metric([record.name], value)  # type: ignore[attr-defined]  # both have it
    return family
