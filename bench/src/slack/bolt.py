"""slack_bolt at its best: asynchronous, under uvicorn, no call to Slack, a handler that does nothing."""

import os

from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult


async def authorize(enterprise_id, team_id, user_id):
    return AuthorizeResult(
        enterprise_id=enterprise_id,
        team_id=team_id,
        bot_token="xoxb-bench",
        bot_id="B0BOT0001",
        bot_user_id="U0BOT0001",
    )


app = AsyncApp(signing_secret=os.environ["SLACK_SIGNING_SECRET"], authorize=authorize)


@app.event("message")
async def heard(body):
    pass


api = AsyncSlackRequestHandler(app)
