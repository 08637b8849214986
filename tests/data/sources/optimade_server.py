"""A real HTTP server that answers as one of OPTIMADE."""

import http.server
import json
from urllib.parse import parse_qs, urlsplit

_CELL = [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]]


def _entry(number: int) -> dict[str, object]:
    return {
        "id": f"mp-{number}",
        "type": "structures",
        "attributes": {
            "lattice_vectors": _CELL,
            "cartesian_site_positions": [[0, 0, 0], [2, 2, 2]],
            "species_at_sites": ["Cs", "Cl"],
            "dimension_types": [1, 1, 1],
            "_oqmd_band_gap": number / 2,
        },
    }


class OptimadeServer(http.server.ThreadingHTTPServer):
    """Server with a number of structures; what it answers to its first requests is in ``faults``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.count, self.next = 7, None
        self.faults: list[tuple[int, object]] = []
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: OptimadeServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.faults:
            self._send(*self.server.faults.pop(0))
            return
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        start, size = int(query.get("page_offset", 0)), int(query["page_limit"])
        entries = [_entry(k) for k in range(start, min(start + size, self.server.count))]
        more = f"/v1/structures?page_limit={size}&page_offset={start + size}"
        following = {"href": more} if start + size < self.server.count else None
        body = {
            "links": {"next": self.server.next or following},
            "data": entries,
            "meta": {"data_returned": self.server.count},
        }
        self._send(200, body)

    def _send(self, status: int, body: object) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
