"""The architecture picture is true: nothing on it is absent from the code, and nothing of the code from it.

After a change of routes, tables, pages or channels: change infra/diagram/feeding.py or serving.py, then `make diagram`.
"""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from PIL import Image, ImageOps
from samtranslator.yaml_helper import yaml_parse

from frontend_static.build import PAGES
from frontend_static.docs_page import FILE as REFERENCE
from infra.diagram.architecture import ARCHITECTURE, STACK
from infra.diagram.canvas import UNITS_PER_INCH
from infra.diagram.drawio import to_drawio
from infra.diagram.figures import FIGURES
from infra.diagram.layout import DRAWING, PAGE, lay_out
from infra.diagram.model import Component, Function, Kind
from infra.diagram.render import BORDER, DPI
from quant.contract.catalogue import OPERATIONS
from quant.domain.alert import ChannelType
from quant.settings import SETTINGS

ROOT = Path(__file__).parents[2]
DRAWIO, SVG, PNG = (ROOT / f"architecture.{kind}" for kind in ("drawio", "svg", "png"))
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())


def _assert_same(code: Iterable[str], picture: Iterable[str]) -> None:
    found = _differences(code, picture)
    assert not found, "\n".join(found)


def _differences(code: Iterable[str], picture: Iterable[str]) -> list[str]:
    """What either has and the other has not."""
    ours, drawn = {str(one) for one in code}, {str(one) for one in picture}
    missing = [f"{name} is in the code and not on the picture" for name in sorted(ours - drawn)]
    return missing + [f"{name} is on the picture and not in the code" for name in sorted(drawn - ours)]


def _resources(kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in TEMPLATE["Resources"].items() if one["Type"] == kind}


def test_what_is_renamed_is_named() -> None:
    assert _differences(["GET /health", "GET /prices"], ["GET /health", "GET /quotes"]) == [
        "GET /prices is in the code and not on the picture",
        "GET /quotes is on the picture and not in the code",
    ]


def test_every_route_is_on_the_picture() -> None:
    drawn = [
        f"{method} {path}"
        for methods, path in (part.name.split(" ") for part in ARCHITECTURE.parts(Kind.ROUTE))
        for method in methods.split(",")
    ]
    _assert_same([f"{one.method} {one.path}" for one in OPERATIONS], drawn)
    assert all(part.title == f"/api{part.name.split(' ')[1]}" for part in ARCHITECTURE.parts(Kind.ROUTE))


def test_every_table_is_on_the_picture() -> None:
    tables = [
        one["TableName"]["Fn::Sub"].removeprefix("${Prefix}-") for one in _resources("AWS::DynamoDB::Table").values()
    ]
    parts = ARCHITECTURE.parts(Kind.TABLE)
    _assert_same(tables, [part.name for part in parts])
    assert all(part.title == part.name for part in parts)


def test_every_bucket_is_on_the_picture() -> None:
    """The site's is the dashboard itself."""
    _assert_same(
        _resources("AWS::S3::Bucket"), [*(part.name for part in ARCHITECTURE.parts(Kind.BUCKET)), "SiteBucket"]
    )


def test_every_function_and_schedule_is_on_the_picture() -> None:
    functions = _resources("AWS::Serverless::Function")
    drawn = [(name, one.schedule) for one in ARCHITECTURE.components() for name in one.logical_ids]
    _assert_same(functions, [name for name, _ in drawn])
    events = [(name, event) for name, one in functions.items() for event in one.get("Events", {}).values()]
    schedules = [f"{name} at {event['Properties']['Schedule']}" for name, event in events if event["Type"] != "Api"]
    assert len(schedules) == len({*schedules})
    _assert_same(schedules, [f"{name} at {schedule}" for name, schedule in drawn if schedule])
    assert [
        one for one in TEMPLATE["Resources"].values() if one["Type"].startswith(("AWS::Events", "AWS::Sched"))
    ] == []


def test_every_service_of_the_templates_is_named() -> None:
    """What only serves another one (a role, a network, a log) is not."""
    ingestor = yaml_parse((ROOT / "infra/ingestor-service.yaml").read_text())
    used = {one["Type"].split("::")[1] for file in (TEMPLATE, ingestor) for one in file["Resources"].values()}
    names = {"Serverless": "Lambda", "ApplicationAutoScaling": "Scaling"}
    badges = {name for one in ARCHITECTURE.components() for name in re.split(r" · | ", one.aws)}
    said = badges | {name for remark in STACK.remarks for name in re.findall(r"\w+", remark.text)}
    serving = {"IAM", "EC2", "Logs"}
    assert {names.get(one, one) for one in used - serving} - said == set()
    assert {"API Gateway", "EventBridge"} <= {
        name for one in ARCHITECTURE.components() for name in one.aws.split(" · ")
    }


def test_every_channel_is_on_the_picture() -> None:
    _assert_same(ChannelType, [part.name for part in ARCHITECTURE.parts(Kind.CHANNEL)])


def test_every_page_is_on_the_picture() -> None:
    drawn = [f"{part.name} ({part.title}) at {part.text}" for part in ARCHITECTURE.parts(Kind.PAGE)]
    reference = f"docs (API Reference) at /{REFERENCE.removesuffix('index.html')}"
    _assert_same([*(f"{page.name} ({page.title}) at {page.href}" for page in PAGES), reference], drawn)


def test_every_path_on_the_picture_exists() -> None:
    paths = {one.path for one in ARCHITECTURE.components() if one.path}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def _functions() -> list[Any]:
    return [
        pytest.param(one, function, id=f"{one.id}: {function.text}")
        for one in ARCHITECTURE.components()
        for function in one.functions
    ]


@pytest.mark.parametrize(("component", "function"), _functions())
def test_every_function_on_the_picture_is_where_it_is_said_to_be(component: Component, function: Function) -> None:
    path, _, symbol = function.proof.partition("::")
    file = ROOT / (path or component.path)
    source = file.read_text()
    is_there = symbol in _symbols(ast.parse(source)) if file.suffix == ".py" else _is_exported(symbol, source)
    assert is_there, f"{file.relative_to(ROOT)} has no {symbol}"


def _is_exported(symbol: str, script: str) -> bool:
    return bool(re.search(rf"^export (?:async )?(?:function|const) {symbol}\b", script, flags=re.MULTILINE))


def _symbols(tree: ast.AST, prefix: str = "") -> set[str]:
    """What a module defines; members with dots."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= {prefix + node.name} | _symbols(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(prefix + node.target.id)
        elif isinstance(node, ast.Assign):
            found |= {prefix + target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def test_addresses_ports_and_intervals_are_those_of_the_code() -> None:
    defaults = {row.name: row.default for row in SETTINGS}
    noted = [(one, note) for one in ARCHITECTURE.components() for note in one.notes]
    addresses = [note for _, note in noted if "://" in note]
    assert len(addresses) == 3
    assert {*addresses} <= {*defaults.values()}
    ports = [note for _, note in noted if note.startswith("Port: ")]
    assert ports == [f"Port: {defaults['PORT']} (laptop)"] * 2
    (check,) = [(one, note) for one, note in noted if note.startswith("Check Interval: ")]
    assert check[1] == f"Check Interval: 60s · {check[0].schedule}"
    assert check[0].schedule == "rate(1 minute)"
    script = (ROOT / "frontend_static/scripts/view-state.js").read_text()
    choices = re.findall(r"\d+", re.findall(r"REFRESH_SECONDS = \[(.*)\]", script)[0])
    assert choices == ["0", "5", "10", "30"]
    assert f"Auto-refresh: off, {', '.join(choices[1:])} s" in _cells()["dashboard/functions1"]


@pytest.mark.parametrize("remark", STACK.remarks, ids=lambda remark: remark.title)
def test_the_technology_stack_is_locked(remark: Any) -> None:
    """Every package that it names; what is no package is listed here."""
    services = {
        "Python 3.11+", "ES modules", "DynamoDB", "S3 with Parquet", "SES", "SNS", "Telegram Bot API", "HTTP webhooks",
        "AWS SAM: one template.yaml", "the same template on ministack or LocalStack", "CloudWatch", "Budgets", "SQS",
        "SSM", "Glue for Athena", "Application Auto Scaling",
    }  # fmt: skip
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    names = [name for name in re.split(r"[,;()]\s*|\s*\(", remark.text) if name]
    assert [name for name in names if name not in services and name.lower() not in locked] == []


def test_every_figure_is_one_that_the_benchmarks_print() -> None:
    source = "".join(path.read_text() for path in (ROOT / "tests/benchmarks").glob("bench_*.py"))
    assert [figure.row for figure in FIGURES if f'"{figure.row}"' not in source] == []


def test_every_component_and_part_is_drawn() -> None:
    cells = _cells()
    for one in ARCHITECTURE.components():
        assert cells[one.id] == one.title
        assert {f"{one.id}:{part.name}": part.title for part in one.parts}.items() <= cells.items()
    assert all(cells[box.id] == box.title for box in ARCHITECTURE.boxes)
    assert {arrow.id: arrow.label for arrow in ARCHITECTURE.arrows}.items() <= cells.items()


@pytest.mark.parametrize("one", ARCHITECTURE.components(), ids=lambda one: one.id)
def test_every_line_that_a_component_declares_is_drawn(one: Component) -> None:
    drawn = {name: text for name, text in _cells().items() if name.startswith((f"{one.id}/", f"{one.id}:"))}
    shown = "\n".join(drawn.values())
    declared = [one.path, one.aws, one.schedule, *one.logical_ids, *one.notes]
    declared += [f"• {function.text}" for function in one.functions] + [part.text for part in one.parts]
    assert [line for line in declared if line not in shown] == []


def test_every_arrow_is_labelled() -> None:
    assert [arrow.id for arrow in ARCHITECTURE.arrows if not arrow.label] == []


def _cells() -> dict[str, str]:
    """The text of each cell; arrows keep a space on both sides of their labels."""
    cells = {cell.get("id", ""): cell.get("value") or "" for cell in ET.parse(DRAWIO).iter("mxCell")}
    return {name: "\n".join(line.strip("\u00a0") for line in text.split("\n")) for name, text in cells.items()}


def test_the_file_is_what_the_model_makes() -> None:
    """Compared as structure; `make diagram` again gives the same."""
    drawn = to_drawio(lay_out(ARCHITECTURE), PAGE, "Architecture")
    assert DRAWIO.read_text(encoding="ascii") == drawn, "run make diagram"
    assert ET.canonicalize(drawn) == ET.canonicalize(to_drawio(lay_out(ARCHITECTURE), PAGE, "Architecture"))


def test_both_pictures_hold_the_file_that_they_were_made_of() -> None:
    source = DRAWIO.read_text(encoding="ascii")
    assert ET.parse(SVG).getroot().get("content") == source, "run make diagram"
    with Image.open(PNG) as png:
        assert unquote(png.info["mxfile"]) == source, "run make diagram"


def test_the_svg_shows_every_text_of_the_file() -> None:
    """As text, not as foreign objects, which many programs do not draw."""
    root = ET.parse(SVG).getroot()
    assert not [one for one in root.iter() if one.tag.endswith("foreignObject")]
    shown = {"".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")}
    lines = {line for cell in ET.parse(DRAWIO).iter("mxCell") for line in (cell.get("value") or "").split("\n") if line}
    assert lines - shown == set()


def test_the_png_is_opaque_has_300_dpi_and_a_border_of_10_pixels() -> None:
    with Image.open(PNG) as png:
        assert png.mode == "RGB"
        assert min(png.info["dpi"]) >= 300
        assert png.width / DPI <= PAGE.w / UNITS_PER_INCH
        assert png.height / DPI <= PAGE.h / UNITS_PER_INCH
        drawn = ImageOps.invert(png).getbbox()
    assert drawn is not None
    left, top, right, bottom = drawn
    assert (left, top, png.width - right, png.height - bottom) == (BORDER,) * 4 == (10,) * 4
    assert PNG.stat().st_size <= 3_000_000


def test_it_is_printed_on_a3() -> None:
    inches = [297 / 25.4, 420 / 25.4]
    assert [PAGE.h / UNITS_PER_INCH, PAGE.w / UNITS_PER_INCH] == pytest.approx(inches, abs=0.01)
    assert PAGE.contains(DRAWING)
