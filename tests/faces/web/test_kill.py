"""What a server confirmed is there after it was killed in the middle of its work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2

from support.served import Served, served


def browser(server: Served) -> tuple[httpx2.Client, str, str]:
    """Sign in; give the client, the organisation's path and the API's."""
    client = httpx2.Client(base_url=server.url, follow_redirects=True, timeout=60)
    page = client.post("/sign-in", data={"link": server.link.partition("link=")[2]})
    found = re.search(r'data-csrf="([0-9a-f]+)"', page.text)
    assert found is not None
    client.headers["x-csrf-token"] = found[1]
    organisation = page.url.path.split("/")[2]
    return client, f"/o/{organisation}", f"/api/v1/organisations/{organisation}"


def test_confirmed_pieces_and_decisions_survive(tmp_path: Path, sample_case: bytes) -> None:
    content = bytes(range(256)) * 400
    with served(tmp_path / "data") as server:
        client, _, api = browser(server)
        upload: Any = client.post(f"{api}/uploads", json={"name": "a.bin", "size": len(content)}).json()
        for start in (0, 30_000):
            answer = client.patch(
                f"{api}/uploads/{upload['id']}",
                content=content[start : start + 30_000],
                headers={"upload-offset": str(start), "content-type": "application/octet-stream"},
            )
            assert answer.status_code == 200
        for number in range(5):
            body = {"name": f"scenario {number}", "controls": ["reject-direct-send"]}
            assert client.post(f"{api}/scenarios", json=body).status_code == 201
        server.kill()
        client.close()
    with served(tmp_path / "data") as server:
        client, root, api = browser(server)
        assert client.get(f"{api}/uploads/{upload['id']}").json()["received"] == 60_000
        answer = client.patch(
            f"{api}/uploads/{upload['id']}",
            content=content[60_000:],
            headers={"upload-offset": "60000", "content-type": "application/octet-stream"},
        )
        assert answer.json()["received"] == len(content)
        [file] = (tmp_path / "data" / "uploads").rglob("a.bin")
        assert file.read_bytes() == content
        assert {each["name"] for each in client.get(f"{api}/scenarios").json()} == {
            f"scenario {n}" for n in range(5)
        }

        # Killed while it reads: the job is called failed, and reading can be started again.
        job = client.post(f"{api}/runs", json={"batch": upload["batch"]}).json()
        server.kill()
        client.close()
    with served(tmp_path / "data") as server:
        client, root, api = browser(server)
        assert client.get(f"{api}/jobs/{job['id']}").json()["state"] == "failed"
        assert client.get(f"{root}/evidence").status_code == 200
        again = client.post(f"{api}/runs", json={"batch": upload["batch"]}).json()
        events = client.get(f"{api}/jobs/{again['id']}/events").text
        assert '"state":"done"' in events
        client.close()
