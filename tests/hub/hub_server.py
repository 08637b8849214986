"""A stand-in of the Hugging Face Hub: the part of its HTTP API that its client uses to push and download a model."""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_token_of_a_test"


class HubServer:
    """Repositories in memory.

    Attributes:
        repos: By name, the files of the newest commit.
        private: By name, whether the repository is private.
        commits: Repository and title of each commit.
        requests: Method and path of each request.
        failing: Status of every answer; 0 for none.
    """

    def __init__(self):
        self.repos, self.private, self.commits, self.requests = {}, {}, [], []
        self.objects, self.failing, self.url = {}, 0, ""

    def commit_id(self, repo):
        state = repr(
            [repo, sorted((path, hashlib.sha256(data).hexdigest()) for path, data in self.repos[repo].items())]
        )
        return hashlib.sha1(state.encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def do_POST(self):
        self._answer("POST")

    def do_PUT(self):
        self._answer("PUT")

    def do_GET(self):
        self._answer("GET")

    def do_HEAD(self):
        self._answer("HEAD")

    def log_message(self, *_):
        pass

    def _answer(self, method):
        path = self.path.partition("?")[0]
        self.hub.requests.append((method, path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.hub.failing:
            return self._json({"error": "out of order"}, self.hub.failing)
        if method != "PUT" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._json({"error": "Invalid user token."}, 401)
        for verb, pattern, act in _ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return act(self, body, **found.groupdict())
        return self._json({"error": f"no route for {method} {path}"}, 404)

    def _json(self, content, status=200, headers=None):
        self._send(json.dumps(content).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, data, status=200, headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def create(self, body):
        wanted = json.loads(body)
        repo = f"{wanted['organization']}/{wanted['name']}" if wanted.get("organization") else wanted["name"]
        new = repo not in self.hub.repos
        if new:
            self.hub.repos[repo] = {}
            self.hub.private[repo] = wanted.get("private", wanted.get("visibility") == "private")
        answer = {"url": f"{self.hub.url}/{repo}", "name": repo, "id": repo}
        self._json(answer if new else {**answer, "error": "You already created this model repo"}, 200 if new else 409)

    def validate(self, body):
        import yaml

        front = json.loads(body)["content"].split("---\n")[1]
        is_right = isinstance(yaml.safe_load(front), dict)
        self._json(
            {"errors": [] if is_right else [{"message": "no front matter"}], "warnings": []}, 200 if is_right else 400
        )

    def preupload(self, body, repo):
        files = []
        for file in json.loads(body)["files"]:
            held = self.hub.repos[repo].get(file["path"])
            mode = "lfs" if file["path"].endswith((".safetensors", ".png")) else "regular"
            row = {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}
            if held is not None:
                blob = hashlib.sha1(b"blob %d\0" % len(held) + held).hexdigest()
                row["oid"] = hashlib.sha256(held).hexdigest() if mode == "lfs" else blob
            files.append(row)
        self._json({"files": files})

    def batch(self, body, repo):
        objects = []
        for wanted in json.loads(body)["objects"]:
            row = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.objects:
                row["actions"] = {"upload": {"href": f"{self.hub.url}/storage/{wanted['oid']}"}}
            objects.append(row)
        self._json({"transfer": "basic", "objects": objects}, headers={"Content-Type": "application/vnd.git-lfs+json"})

    def keep(self, body, oid):
        is_right = hashlib.sha256(body).hexdigest() == oid
        if is_right:
            self.hub.objects[oid] = body
        self._send(b"", 200 if is_right else 400)

    def commit(self, body, repo):
        files, title = dict(self.hub.repos[repo]), ""
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                title = value["summary"]
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            else:
                return self._json({"error": f"unknown operation {line['key']}"}, 400)
        self.hub.repos[repo] = files
        self.hub.commits.append((repo, title))
        oid = self.hub.commit_id(repo)
        return self._json({"success": True, "commitOid": oid, "commitUrl": f"{self.hub.url}/{repo}/commit/{oid}"})

    def info(self, body, repo):
        if repo not in self.hub.repos:
            return self._json({"error": "not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        files = [{"rfilename": path} for path in sorted(self.hub.repos[repo])]
        sha = self.hub.commit_id(repo)
        return self._json(
            {"_id": "1", "id": repo, "modelId": repo, "sha": sha, "private": True, "siblings": files, "tags": []}
        )

    def tree(self, body, repo):
        rows = [
            {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for path, data in sorted(self.hub.repos[repo].items())
        ]
        self._json(rows)

    def resolve(self, body, repo, path):
        data = self.hub.repos[repo].get(path)
        if data is None:
            return self._json({"error": "no such file"}, 404, {"X-Error-Code": "EntryNotFound"})
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        return self._send(data, 200, {"ETag": etag, "X-Repo-Commit": self.hub.commit_id(repo)})


_REPO = "(?P<repo>[^/]+/[^/]+)"
_ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/api/repos/create", _Handler.create),
    ("POST", "/api/validate-yaml", _Handler.validate),
    ("POST", f"/api/models/{_REPO}/preupload/main", _Handler.preupload),
    ("POST", f"/{_REPO}\\.git/info/lfs/objects/batch", _Handler.batch),
    ("PUT", "/storage/(?P<oid>[0-9a-f]{64})", _Handler.keep),
    ("POST", f"/api/models/{_REPO}/commit/main", _Handler.commit),
    ("GET", f"/api/models/{_REPO}(/revision/[^/]+)?", _Handler.info),
    ("GET", f"/api/models/{_REPO}/tree/[^/]+", _Handler.tree),
    ("GET", f"/{_REPO}/resolve/[^/]+/(?P<path>.+)", _Handler.resolve),
    ("HEAD", f"/{_REPO}/resolve/[^/]+/(?P<path>.+)", _Handler.resolve),
]


@contextmanager
def hub_server():
    """Run the server on this machine."""
    hub = HubServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
