"""A gateway for a made-up app, to copy: what its users write goes to Chorus, and what Chorus says comes back to them.

    python -m deploy.channels.sample_gateway --secret app.secret --chorus http://127.0.0.1:8001 --listen 127.0.0.1:8010

The app calls the routes below /app, Chorus calls /chorus. `--secret` is the file that the entry of the channel `app` in
the file of channels names, too. A real gateway authenticates the app; this one trusts every caller. It keeps what it
knows in one SQLite file, so that it can be stopped at any moment: Chorus sends again what it has not confirmed.
"""

import argparse
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from standardwebhooks import Webhook, WebhookVerificationError

CHANNEL = "app"
TABLE = "CREATE TABLE IF NOT EXISTS news (id TEXT PRIMARY KEY, number TEXT, user TEXT, what TEXT, text TEXT, page TEXT)"
PUSHED = (
    "asked",
    "reminded",
    "replied",
    "answered",
    "supplemented",
    "corrected",
    "retracted",
    "closed",
    "rating-reminder",
)
"""News that deserves a push message. The rest only changes the app's page of the ticket."""


class AppGateway:
    def __init__(self, chorus: str, keys: list[str], database: Path) -> None:
        self.chorus = f"{chorus}/channels/{CHANNEL}/messages"
        self.webhooks = [Webhook(key) for key in keys]
        self.database = database
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(TABLE)

    # ── from the app to Chorus ───────────────────────────────────────────────

    def send(self, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        """Pass a message on. `id_` is the app's own id of it, so the app may send it again until it has an answer."""
        text, now = json.dumps(body, ensure_ascii=False), datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self.webhooks[0].sign(id_, now, text),
        }
        try:
            answer = httpx.post(self.chorus, content=text.encode(), headers=headers, timeout=20)
        except httpx.HTTPError as error:
            raise HTTPException(503, "Chorus does not answer; send the message again in a moment.") from error
        if answer.is_error:
            again = answer.status_code in (408, 429) or answer.is_server_error
            detail = answer.json().get("detail") if "json" in answer.headers.get("content-type", "") else answer.text
            raise HTTPException(503 if again else answer.status_code, detail)
        result: dict[str, Any] = answer.json()
        return result

    def write(self, id_: str, user: str, title: str, text: str) -> dict[str, Any]:
        """A new message; the answer has the ticket number, the query code and the status page for the user."""
        return self.send(id_, {"type": "inquiry", "account": user, "subject": title, "body": text})

    def about(self, id_: str, kind: str, number: str, user: str, fields: dict[str, Any]) -> dict[str, Any]:
        """An `addition`, a `rating` or a `withdrawal`; Chorus refuses another user's ticket."""
        return self.send(id_, {**fields, "type": kind, "inquiry_id": number, "account": user})

    # ── from Chorus to the app ───────────────────────────────────────────────

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Keep a message from Chorus, once. Raises WebhookVerificationError."""
        if not any(self.signed(one, headers, body) for one in self.webhooks):
            raise WebhookVerificationError("No key of this gateway has signed the message.")
        data = json.loads(body)["data"]
        row = (headers["webhook-id"], data["inquiry_id"], data["account"], data["what"], data["text"])
        with closing(sqlite3.connect(self.database)) as connection, connection:
            if data["what"] == "erased":
                connection.execute("DELETE FROM news WHERE number = ?", (data["inquiry_id"],))
            else:
                connection.execute(
                    "INSERT OR IGNORE INTO news VALUES (?, ?, ?, ?, ?, ?)", (*row, json.dumps(data["case"]))
                )

    def signed(self, webhook: Webhook, headers: dict[str, str], body: bytes) -> bool:
        try:
            return webhook.verify(body, headers, json_parse=False) is None
        except (WebhookVerificationError, ValueError):
            return False

    def news(self, user: str) -> list[dict[str, Any]]:
        """What the app shows to a user, in the order in which it came; `push` tells what deserves a push message."""
        with closing(sqlite3.connect(self.database)) as connection:
            query = "SELECT number, what, text, page FROM news WHERE user = ? ORDER BY rowid"
            found = connection.execute(query, (user,)).fetchall()
        return [
            {"number": number, "what": what, "text": text, "push": what in PUSHED, "state": json.loads(page)["state"]}
            for number, what, text, page in found
        ]


def app_of(gateway: AppGateway) -> FastAPI:
    app = FastAPI(title="A gateway for a made-up app")

    @app.post("/app/messages/{id}")
    def write(id: str, given: dict[str, Any]) -> dict[str, Any]:
        return gateway.write(id, given["user"], given["title"], given["text"])

    @app.post("/app/tickets/{number}/{kind}/{id}")
    def about(number: str, kind: str, id: str, given: dict[str, Any]) -> dict[str, Any]:
        return gateway.about(id, kind, number, given.pop("user"), given)

    @app.get("/app/users/{user}/news")
    def news(user: str) -> list[dict[str, Any]]:
        return gateway.news(user)

    @app.post("/chorus", status_code=204)
    async def chorus(request: Request) -> None:
        try:
            gateway.take(dict(request.headers), await request.body())
        except WebhookVerificationError as error:
            raise HTTPException(401, str(error)) from error

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--secret", type=Path, required=True, help="the file with the keys, one a line, the newest first"
    )
    parser.add_argument("--chorus", default="http://127.0.0.1:8001", help="the address of intake")
    parser.add_argument("--listen", default="127.0.0.1:8010", help="host and port for the app and for Chorus")
    parser.add_argument("--database", type=Path, default=Path("gateway.sqlite"), help="the file for what it knows")
    given = parser.parse_args()
    host, _, port = given.listen.rpartition(":")
    gateway = AppGateway(given.chorus.rstrip("/"), given.secret.read_text("ascii").split(), given.database)
    uvicorn.run(app_of(gateway), host=host, port=int(port), access_log=False)


if __name__ == "__main__":
    main()
