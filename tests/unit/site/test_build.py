from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from frontend_static.build import (
    PAGES,
    SOURCE,
    build,
    cache_control,
    content_security_policy,
    content_type,
    environment,
    integrity,
    main,
    module_graph,
)
from frontend_static.vendor import plotly

TEXT = {".html", ".css", ".js", ".svg", ".json"}


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"))


def pages(site: Path) -> dict[str, str]:
    return {page.file: (site / page.file).read_text() for page in PAGES}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assets(site: Path) -> Path:
    [folder] = [path for path in (site / "assets").iterdir() if path.is_dir()]
    return folder


def test_the_same_sources_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    assert contents(build(tmp_path / "deep" / "er")) == contents(site)


def test_building_again_over_a_build_changes_nothing(tmp_path: Path) -> None:
    first = contents(build(tmp_path))
    assert contents(build(tmp_path)) == first


def test_files_of_an_earlier_build_go_and_others_stay(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/gone.js").write_text("")
    (tmp_path / "mine.txt").write_text("")
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    manifest["files"] |= {"old/gone.js": {}, "../outside.txt": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    outside = tmp_path.parent / "outside.txt"
    outside.write_text("")
    build(tmp_path)
    assert not (tmp_path / "old/gone.js").exists()
    assert (tmp_path / "mine.txt").exists()
    assert outside.exists()


def test_the_manifest_names_every_file_with_its_hash(site: Path) -> None:
    files = json.loads((site / "manifest.json").read_bytes())["files"]
    found = {name: content for name, content in contents(site).items() if name != "manifest.json"}
    assert files == {
        name: {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content_type": content_type(name),
            "cache_control": cache_control(name),
        }
        for name, content in found.items()
    }


def test_what_a_page_loads_is_kept_for_ever_and_the_page_is_not(site: Path) -> None:
    files = json.loads((site / "manifest.json").read_bytes())["files"]
    assert all("immutable" in entry["cache_control"] for name, entry in files.items() if name.startswith("assets/"))
    assert all(entry["cache_control"] == "no-cache" for name, entry in files.items() if name.endswith(".html"))
    for text in pages(site).values():
        tags = Tags(text)
        asked = [each["src"] for each in tags.all("script")] + [each["href"] for each in tags.all("link")]
        assert all(re.match(r"/assets/([0-9a-f]{12}/|plotly-[0-9a-f]{12})", str(path)) for path in asked)


def test_plotly_is_held_to_its_hash(site: Path) -> None:
    [path] = (site / "assets").glob("plotly-*.min.js")
    content = path.read_bytes()
    assert content == plotly()
    expected = "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()
    [script] = [each for each in Tags(pages(site)["index.html"]).all("script") if each.get("id") == "plotly"]
    assert script["src"] == f"/assets/{path.name}"
    assert script["integrity"] == expected


def test_an_integrity_hash_is_that_of_the_standard() -> None:
    # The example of https://www.w3.org/TR/SRI/ section 3.2.
    expected = "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO"
    assert integrity(b"alert('Hello, world.');") == expected


def test_every_page_has_the_policy_and_no_inline_code(site: Path) -> None:
    for text in pages(site).values():
        tags = Tags(text)
        [policy] = [each["content"] for each in tags.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
        assert policy == content_security_policy("/api")
        assert "unsafe-eval" not in str(policy)
        assert all(each.get("src") for each in tags.all("script"))
        assert tags.all("style") == []
        assert not [
            name for _, attributes in tags.found for name in attributes if name.startswith("on") or name == "style"
        ]


def test_the_policy_opens_to_the_api_alone() -> None:
    assert "connect-src 'self';" in content_security_policy("/api")
    assert "connect-src 'self' https://api.example.org;" in content_security_policy("https://api.example.org/api")
    assert "default-src 'self';" in content_security_policy("https://api.example.org/api")


def test_nothing_of_ours_names_another_host(site: Path) -> None:
    for name, content in contents(site).items():
        if Path(name).suffix in TEXT and not name.startswith(("assets/plotly-", "docs/")):
            hosts = re.findall(rb"(?:https?:)?//([\w-]+(?:\.[\w-]+)+)", content)
            assert set(hosts) <= {b"www.w3.org"}, name


def test_all_that_a_page_asks_for_is_there(site: Path) -> None:
    for text in pages(site).values():
        tags = Tags(text)
        asked = [each["src"] for each in tags.all("script")] + [each["href"] for each in tags.all("link")]
        for path in asked:
            assert path
            assert (site / path.lstrip("/")).is_file(), path
        assert len(asked) == len(set(asked)) + 1, "only the page's own module is asked for twice: preloaded and run"


def test_a_component_with_a_style_is_styled(site: Path) -> None:
    styled = {each["href"] for text in pages(site).values() for each in Tags(text).all("link")}
    for path in (assets(site) / "styles").glob("*.css"):
        assert f"/{path.relative_to(site).as_posix()}" in styled or path.name == "docs.css"


def test_the_navigation_holds_the_pages_that_exist(site: Path) -> None:
    for page in PAGES:
        links = Tags(pages(site)[page.file]).all("a")
        for each in PAGES:
            assert each.href in [link["href"] for link in links]
        assert [link["href"] for link in links if link.get("aria-current") == "page"] == [page.href]


def test_the_api_base_is_written_into_the_page(tmp_path: Path) -> None:
    text = (build(tmp_path, api_base="https://api.example.org/api/") / "index.html").read_text()
    assert '<meta name="api-base" content="https://api.example.org/api">' in text
    assert "connect-src &#39;self&#39; https://api.example.org;" in text


@pytest.mark.parametrize("wrong", ["", "//evil.example", "ftp://example.org", "/api; script-src *", "https://a b/"])
def test_what_is_no_api_base_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="api_base must be"):
        build(tmp_path, api_base=wrong)
    assert not any(tmp_path.iterdir())


def test_templates_are_strict_and_escape() -> None:
    templates = environment()
    with pytest.raises(UndefinedError):
        templates.from_string("{{ unknown }}").render()
    assert templates.from_string("{{ value }}").render(value="<b>") == "&lt;b&gt;"


def test_modules_are_found_through_their_imports() -> None:
    scripts = {
        "a.js": 'import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\n',
        "b.js": 'export { c } from "./c.js";\n',
        "c.js": "export const c = 1;\n",
        "unused.js": "",
    }
    assert module_graph("a.js", scripts) == ["a.js", "b.js", "c.js"]
    with pytest.raises(FileNotFoundError, match=r"scripts/d\.js"):
        module_graph("d.js", scripts)


def test_every_module_is_used_by_a_page(site: Path) -> None:
    used = {str(each["href"]).rpartition("/")[2] for text in pages(site).values() for each in Tags(text).all("link")}
    for path in (SOURCE / "scripts").glob("*.js"):
        assert path.name in used or path.name in ("early-theme.js", "docs.js")


def test_the_command_builds_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--out", str(tmp_path / "site"), "--api-base", "/v1"])
    assert capsys.readouterr().out == f"site built in {tmp_path / 'site'}\n"
    assert 'content="/v1"' in (tmp_path / "site/index.html").read_text()
