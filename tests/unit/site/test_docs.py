"""The page of the API: every operation with its parameters, out of the declarations alone."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from frontend_static.build import build
from quant.contract.catalogue import OPERATIONS
from quant.contract.curl import address, curl
from quant.contract.operation import Auth


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = build(tmp_path_factory.mktemp("site"))
    return (folder / "docs/index.html").read_text()


def test_every_operation_has_its_article_and_its_entry(page: str) -> None:
    for operation in OPERATIONS:
        assert page.count(f'id="{operation.id}"') == 1
        assert f'href="#{operation.id}"' in page
        article = page.split(f'id="{operation.id}"')[1].split("</article>")[0]
        assert operation.path in article
        assert unescape(article).count(operation.summary) == 1
        for name in (*operation.in_path, *operation.in_query):
            assert f"<code>{name}</code>" in article
        for status in operation.all_errors:
            assert f"<code>{status}</code>" in article


def test_the_lines_are_those_of_the_declarations(page: str) -> None:
    lines = [unescape(line) for line in re.findall(r'<code data-part="curl">(.*?)</code>', page)]
    assert sorted(lines) == sorted(curl(one, "http://127.0.0.1:8000/api") for one in OPERATIONS)
    for operation in OPERATIONS:
        line = curl(operation, "")
        assert ("$TOKEN" in line) == (operation.auth is Auth.WRITE)
        assert "{" not in address(operation)


def test_no_other_host_is_named_and_no_script_stands_in_the_page(page: str) -> None:
    hosts = set(re.findall(r"https?://([^/\"'\s<&]+)", page))
    assert hosts <= {"127.0.0.1:8000", "example.com", "hooks.example.com", "hooks.example.org", "www.w3.org"}, hosts
    assert not re.search(r"<script(?![^>]*src=)", page)
    assert "style=" not in page
