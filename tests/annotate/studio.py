"""What tests put onto a Label Studio server, and what they look up there."""

from __future__ import annotations

from typing import Any

import httpx

from annotate.labels import Questions, labelling_config
from annotate.labelstudio import LabelStudio, local_audio

CONFIG = labelling_config(Questions(palos=("soleá", "bulería")))


def region(text: str = "ay que no quiero") -> list[dict[str, Any]]:
    span = {"start": 0.5, "end": 2.5, "channel": 0}
    shared = {"id": "region0001", "to_name": "audio", "original_length": 3.0}
    label = {**span, "labels": ["Letra"]}
    return [
        {**shared, "from_name": "label", "type": "labels", "value": label},
        {
            **shared,
            "from_name": "transcript",
            "type": "textarea",
            "value": {**span, "text": [text]},
        },
    ]


def prediction(text: str = "ay que no quiero") -> dict[str, Any]:
    return {"model_version": "cante-corpus", "score": 0.5, "result": region(text)}


def tasks(n: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "data": {
                "audio": local_audio(f"clips/{i}.flac"),
                "external_id": f"{i:064x}",
                "title": "Soleá",
                "about": "p 0.50",
            },
            "predictions": [prediction()],
        }
        for i in range(first, first + n)
    ]


def annotate(server: LabelStudio, task: int, *, kind: str = "annotations/", **told: Any) -> Any:
    path = f"api/tasks/{task}/{kind}"
    return server._raw(path, method="POST", json={"result": region(), **told})


def ids(server: LabelStudio, project: int) -> list[int]:
    return sorted(p.id for placed in server.known_tasks(project).values() for p in placed)


def external_ids(server: LabelStudio, project: int) -> list[str]:
    return [task["data"]["external_id"] for task in server.changed_tasks(project)]


def somebody_else(server: LabelStudio, email: str) -> str:
    """Sign somebody up by the link of an invitation, in a browser's way; gives their token."""
    link = server._raw("api/invite", method="GET")["invite_url"]
    with httpx.Client(base_url=server.url, trust_env=False, follow_redirects=True) as browser:
        page = browser.get(link)
        form = {
            "csrfmiddlewaretoken": page.cookies["csrftoken"],
            "email": email,
            "password": "a-long-password",
            "allow_newsletters": "",
        }
        browser.post(link, data=form, headers={"Referer": server.url}).raise_for_status()
        headers = {"X-CSRFToken": browser.cookies["csrftoken"], "Referer": server.url}
        made = browser.post("/api/token/", headers=headers)
        token: str = made.raise_for_status().json()["token"]
    return token
