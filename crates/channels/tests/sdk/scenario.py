"""Calls a Slack (the fake) through the official Python SDKs, and prints what came of it as JSON.

What to call with comes as JSON on standard input. The Node.js scenario and Amebo's own client do the same, in the same order.
"""

import base64
import json
import sys
import threading

from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.token_rotation import TokenRotator
from slack_sdk.signature import Clock, SignatureVerifier
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

given = json.load(sys.stdin)
base = given["base"] + "/api/"
client = WebClient(given["token"], base_url=base)


def error(call):
    try:
        call()
        return "none"
    except SlackApiError as failed:
        return failed.response["error"]


def every(call, field, **arguments):
    found, cursor = [], None
    while True:
        page = call(cursor=cursor, **arguments) if cursor else call(**arguments)
        found += page[field]
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return found


def web_api():
    out = {}
    identity = client.auth_test()
    out["identity"] = [identity["team_id"], identity["user_id"], identity["bot_id"]]
    places = every(client.conversations_list, "channels", types="public_channel,private_channel", limit=100)
    out["places"] = sorted(place["id"] for place in places)
    out["archived"] = sorted(place["id"] for place in places if place["is_archived"])
    out["joined"] = client.conversations_join(channel="C0GENERAL")["channel"]["is_member"]
    out["info"] = client.conversations_info(channel="C0GENERAL", include_num_members=True)["channel"]["num_members"]
    out["members"] = every(client.conversations_members, "members", channel="C0GENERAL", limit=1)
    people = every(client.users_list, "members", limit=1)
    out["people"] = [[person["id"], person["profile"].get("email")] for person in people]
    out["person"] = client.users_info(user="U0USER001")["user"]["id"]
    out["by_email"] = client.users_lookupByEmail(email="ada@acme.example")["user"]["id"]
    out["team"] = client.team_info()["team"]["domain"]
    history = every(client.conversations_history, "messages", channel="C0GENERAL", limit=3)
    out["history"] = [[message["ts"], message["text"], message.get("reply_count", 0)] for message in history]
    thread = history[-1]["ts"]
    replies = client.conversations_replies(channel="C0GENERAL", ts=thread)["messages"]
    out["replies"] = [message["text"] for message in replies]
    posted = client.chat_postMessage(channel="C0GENERAL", thread_ts=thread, text=given["text"], blocks=given["blocks"])
    out["posted"] = [posted["channel"], posted["ts"]]
    updated = client.chat_update(channel="C0GENERAL", ts=posted["ts"], text="changed")
    out["updated"] = updated["ts"]
    client.chat_postEphemeral(channel="C0GENERAL", user="U0USER001", text="for you")
    out["direct"] = client.conversations_open(users="U0USER001")["channel"]["id"]
    client.views_publish(user_id="U0USER001", view=given["home"])
    client.views_open(trigger_id=given["trigger"], view=given["form"])
    client.assistant_threads_setStatus(channel_id=out["direct"], thread_ts="1.000000", status="is reading")
    client.assistant_threads_setTitle(channel_id=out["direct"], thread_ts="1.000000", title="Refunds")
    client.assistant_threads_setSuggestedPrompts(
        channel_id=out["direct"], thread_ts="1.000000", prompts=[{"title": "Refunds", "message": "How long?"}]
    )
    stream = client.chat_startStream(
        channel="C0GENERAL", thread_ts=thread, markdown_text="Refunds ", recipient_user_id="U0USER001", recipient_team_id="T0TEAM001"
    )
    client.chat_appendStream(channel="C0GENERAL", ts=stream["ts"], markdown_text="take ")
    client.chat_stopStream(channel="C0GENERAL", ts=stream["ts"], markdown_text="14 days", blocks=given["below"])
    out["stream"] = stream["ts"]
    out["file"] = client.files_info(file="F0FILE001")["file"]["name"]
    out["errors"] = [
        error(lambda: client.chat_postMessage(channel="C0NOWHERE", text="x")),
        error(lambda: client.chat_postMessage(channel="C0ARCHIVE", text="x")),
        error(lambda: client.chat_postMessage(channel="C0GENERAL", text="")),
        error(lambda: client.conversations_replies(channel="C0GENERAL", ts="1.000000")),
        error(lambda: client.users_info(user="U0NOBODY1")),
        error(lambda: client.users_lookupByEmail(email="eve@acme.example")),
        error(lambda: client.views_open(trigger_id=given["trigger"], view=given["form"])),
        error(lambda: client.chat_appendStream(channel="C0GENERAL", ts=stream["ts"], markdown_text="more")),
        error(lambda: WebClient("xoxb-wrong", base_url=base).auth_test()),
        error(lambda: WebClient(given["few"], base_url=base).users_list()),
    ]
    try:
        client.users_info(user=given["limited"])
        out["limited"] = None
    except SlackApiError as failed:
        out["limited"] = [failed.response.status_code, int(failed.response.headers["Retry-After"])]
    out["socket"] = client.apps_connections_open(app_token=given["app_token"])["url"].split("?")[0]
    return out


def oauth():
    anonymous = WebClient(base_url=base)
    app = {"client_id": given["client_id"], "client_secret": given["client_secret"]}
    workspace = anonymous.oauth_v2_access(code=given["workspace_code"], **app)
    organization = anonymous.oauth_v2_access(code=given["organization_code"], **app)
    out = [
        [workspace["team"]["id"], workspace["is_enterprise_install"], workspace["scope"]],
        [organization["team"], organization["enterprise"]["id"], organization["is_enterprise_install"]],
        error(lambda: anonymous.oauth_v2_access(code=given["workspace_code"], **app)),
    ]
    # The SDK's own rotation understands what the fake answers.
    rotator = TokenRotator(client=anonymous, **app)
    held = Installation(
        user_id="U0ADMIN01",
        bot_token=workspace["access_token"],
        bot_refresh_token=workspace["refresh_token"],
        bot_token_expires_in=1,
        token_type="bot",
    )
    renewed = rotator.perform_token_rotation(installation=held, minutes_before_expiration=1000000)
    out.append(renewed is not None and renewed.bot_token != workspace["access_token"])
    return out


class Standing(Clock):
    def __init__(self, now):
        self.at = now

    def now(self):
        return self.at


def signatures():
    verdicts = []
    for case in given["signatures"]:
        verifier = SignatureVerifier(case["secret"], Standing(case["now"]))
        try:
            verdict = verifier.is_valid(base64.b64decode(case["body"]), case["timestamp"], case["signature"])
        except ValueError:
            verdict = False
        verdicts.append(verdict)
    made = SignatureVerifier("another secret").generate_signature(timestamp="1767600000", body="made by the SDK")
    return {"verdicts": verdicts, "made": made}


def blocks():
    """The SDK's own models take our blocks, complain of none, and write them as we do."""
    same = []
    for blocks in given["all_blocks"]:
        written = [block.to_dict() for block in Block.parse_all(blocks)]
        same.append([block["type"] for block in written] == [block["type"] for block in blocks])
    return same


def bolt():
    """What the fake sends reaches the listeners of an app made with the SDK."""
    heard = []
    app = App(client=WebClient(given["token"], base_url=base), signing_secret=given["signing_secret"], process_before_response=True)

    @app.event("app_mention")
    def mentioned(event):
        heard.append(["mention", event["text"], event["channel"]])

    @app.event("message")
    def said(event):
        heard.append(["message", event["text"], event["channel_type"]])

    @app.command("/ask")
    def asked(ack, command):
        ack()
        heard.append(["command", command["text"], command["user_id"]])

    @app.action("amebo_share")
    def pressed(ack, action):
        ack()
        heard.append(["action", action["value"], action["type"]])

    statuses = []
    for request in given["requests"]:
        answer = app.dispatch(BoltRequest(body=request["body"], headers=request["headers"]))
        statuses.append(answer.status)
    return {"heard": heard, "statuses": statuses}


def socket():
    """The SDK's socket client connects to the fake, hears an event and acknowledges it."""
    heard = threading.Event()
    payloads = []
    sockets = SocketModeClient(app_token=given["app_token"], web_client=client)

    def receive(socket_client, request):
        payloads.append([request.type, request.payload["event"]["type"]])
        socket_client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        heard.set()

    sockets.socket_mode_request_listeners.append(receive)
    sockets.connect()
    print("socket open", file=sys.stderr, flush=True)
    heard.wait(20)
    # The acknowledgement is sent by then; closing waits for the connection.
    sockets.close()
    return payloads


parts = {"web_api": web_api, "oauth": oauth, "signatures": signatures, "blocks": blocks, "bolt": bolt, "socket": socket}
json.dump({part: parts[part]() for part in given["parts"]}, sys.stdout)
