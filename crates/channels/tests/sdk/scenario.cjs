// Calls a Slack (the fake) through the official Node.js SDKs, and prints what came of it as JSON.
//
// What to call with comes as JSON on standard input. The Python scenario and Amebo's own client do the same, in the same order.

"use strict";
const { readFileSync } = require("node:fs");
const { WebClient, LogLevel } = require("@slack/web-api");
const { verifySlackRequest } = require("@slack/bolt");

const given = JSON.parse(readFileSync(0, "utf8"));
const options = {
  slackApiUrl: `${given.base}/api/`,
  logLevel: LogLevel.ERROR,
  logger: { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => LogLevel.ERROR, setName() {} },
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
};
const client = new WebClient(given.token, options);

async function error(call) {
  try {
    await call();
    return "none";
  } catch (failed) {
    return failed.data?.error ?? failed.message;
  }
}

async function every(method, field, args) {
  const found = [];
  for await (const page of client.paginate(method, args)) found.push(...page[field]);
  return found;
}

async function webApi() {
  const out = {};
  const identity = await client.auth.test();
  out.identity = [identity.team_id, identity.user_id, identity.bot_id];
  const places = await every("conversations.list", "channels", { types: "public_channel,private_channel", limit: 100 });
  out.places = places.map((place) => place.id).sort();
  out.archived = places.filter((place) => place.is_archived).map((place) => place.id).sort();
  out.joined = (await client.conversations.join({ channel: "C0GENERAL" })).channel.is_member;
  out.info = (await client.conversations.info({ channel: "C0GENERAL", include_num_members: true })).channel.num_members;
  out.members = await every("conversations.members", "members", { channel: "C0GENERAL", limit: 1 });
  const people = await every("users.list", "members", { limit: 1 });
  out.people = people.map((person) => [person.id, person.profile.email ?? null]);
  out.person = (await client.users.info({ user: "U0USER001" })).user.id;
  out.by_email = (await client.users.lookupByEmail({ email: "ada@acme.example" })).user.id;
  out.team = (await client.team.info()).team.domain;
  const history = await every("conversations.history", "messages", { channel: "C0GENERAL", limit: 3 });
  out.history = history.map((message) => [message.ts, message.text, message.reply_count ?? 0]);
  const thread = history.at(-1).ts;
  const replies = await client.conversations.replies({ channel: "C0GENERAL", ts: thread });
  out.replies = replies.messages.map((message) => message.text);
  const posted = await client.chat.postMessage({ channel: "C0GENERAL", thread_ts: thread, text: given.text, blocks: given.blocks });
  out.posted = [posted.channel, posted.ts];
  out.updated = (await client.chat.update({ channel: "C0GENERAL", ts: posted.ts, text: "changed" })).ts;
  await client.chat.postEphemeral({ channel: "C0GENERAL", user: "U0USER001", text: "for you" });
  out.direct = (await client.conversations.open({ users: "U0USER001" })).channel.id;
  await client.views.publish({ user_id: "U0USER001", view: given.home });
  await client.views.open({ trigger_id: given.trigger, view: given.form });
  const place = { channel_id: out.direct, thread_ts: "1.000000" };
  await client.assistant.threads.setStatus({ ...place, status: "is reading" });
  await client.assistant.threads.setTitle({ ...place, title: "Refunds" });
  await client.assistant.threads.setSuggestedPrompts({ ...place, prompts: [{ title: "Refunds", message: "How long?" }] });
  const stream = await client.chat.startStream({
    channel: "C0GENERAL", thread_ts: thread, markdown_text: "Refunds ", recipient_user_id: "U0USER001", recipient_team_id: "T0TEAM001",
  });
  await client.chat.appendStream({ channel: "C0GENERAL", ts: stream.ts, markdown_text: "take " });
  await client.chat.stopStream({ channel: "C0GENERAL", ts: stream.ts, markdown_text: "14 days", blocks: given.below });
  out.stream = stream.ts;
  out.file = (await client.files.info({ file: "F0FILE001" })).file.name;
  out.errors = [
    await error(() => client.chat.postMessage({ channel: "C0NOWHERE", text: "x" })),
    await error(() => client.chat.postMessage({ channel: "C0ARCHIVE", text: "x" })),
    await error(() => client.chat.postMessage({ channel: "C0GENERAL", text: "" })),
    await error(() => client.conversations.replies({ channel: "C0GENERAL", ts: "1.000000" })),
    await error(() => client.users.info({ user: "U0NOBODY1" })),
    await error(() => client.users.lookupByEmail({ email: "eve@acme.example" })),
    await error(() => client.views.open({ trigger_id: given.trigger, view: given.form })),
    await error(() => client.chat.appendStream({ channel: "C0GENERAL", ts: stream.ts, markdown_text: "more" })),
    await error(() => new WebClient("xoxb-wrong", options).auth.test()),
    await error(() => new WebClient(given.few, options).users.list({})),
  ];
  try {
    await client.users.info({ user: given.limited });
    out.limited = null;
  } catch (failed) {
    out.limited = [429, failed.retryAfter];
  }
  const socket = await new WebClient(given.app_token, options).apps.connections.open({});
  out.socket = socket.url.split("?")[0];
  return out;
}

async function oauth() {
  const anonymous = new WebClient(undefined, options);
  const app = { client_id: given.client_id, client_secret: given.client_secret };
  const workspace = await anonymous.oauth.v2.access({ code: given.workspace_code, ...app });
  const organization = await anonymous.oauth.v2.access({ code: given.organization_code, ...app });
  const again = await error(() => anonymous.oauth.v2.access({ code: given.workspace_code, ...app }));
  const renewed = await anonymous.oauth.v2.access({ grant_type: "refresh_token", refresh_token: workspace.refresh_token, ...app });
  return [
    [workspace.team.id, workspace.is_enterprise_install, workspace.scope],
    [organization.team, organization.enterprise.id, organization.is_enterprise_install],
    again,
    renewed.access_token !== workspace.access_token,
  ];
}

function signatures() {
  const verdicts = given.signatures.map((item) => {
    try {
      verifySlackRequest({
        signingSecret: item.secret,
        body: Buffer.from(item.body, "base64").toString("utf8"),
        headers: { "x-slack-signature": item.signature, "x-slack-request-timestamp": Number(item.timestamp) },
        nowMilliseconds: item.now * 1000,
      });
      return true;
    } catch {
      return false;
    }
  });
  return { verdicts };
}

const parts = { web_api: webApi, oauth, signatures };

async function main() {
  const out = {};
  for (const part of given.parts) out[part] = await parts[part]();
  process.stdout.write(JSON.stringify(out));
}

main();
