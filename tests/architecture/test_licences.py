"""What is deployed may be deployed: its licences are known, permissive, and listed."""

from __future__ import annotations

from infra.licences import PAGE, deployed, page

# Each allows use in a service without giving the service's own code away.
ALLOWED = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "MPL-2.0", "PSF-2.0", "ISC", "0BSD", "Zlib", "CC0-1.0",
           "BSL-1.0", "MIT-CMU"}  # fmt: skip


def test_the_page_lists_what_is_deployed() -> None:
    assert PAGE.read_text() == page(), "run python -m infra.licences"


def test_every_licence_is_known_and_permissive() -> None:
    for one in deployed():
        parts = one.licence.replace("(", "").replace(")", "").replace(" OR ", " AND ").split(" AND ")
        assert set(parts) <= ALLOWED, f"{one.name}: {one.licence}"
