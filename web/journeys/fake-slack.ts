// A Slack that runs beside the server under test, and what people do and see there.
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { home } from "./person";

type Message = { ts: string; thread_ts?: string; user?: string; bot_id?: string; text: string; blocks?: unknown };
type Signed = { headers: Record<string, string>; body: string };

export type FakeSlack = {
  clientId: string;
  clientSecret: string;
  signingSecret: string;
  botUser: string;
  /** What makes a server talk to it. */
  environment: Record<string, string>;
  addPerson: (person: { id: string; name: string; email: string; channels?: string[] }) => Promise<void>;
  addChannel: (channel: { id: string; name: string; private?: boolean; members: string[] }) => Promise<void>;
  /** Says something before Amebo listens, or without its hearing of it. */
  say: (message: { channel: string; user: string; text: string; thread?: string }) => Promise<Message>;
  /** Says something, and tells Amebo at this address as Slack does. */
  tell: (to: string, message: { channel: string; user: string; text: string; thread?: string }) => Promise<Message>;
  messages: (channel: string) => Promise<Message[]>;
  /** Somebody presses a button of this action, and Amebo at this address is told. */
  press: (to: string, press: { channel: string; user: string; action: string }) => Promise<void>;
  /** What was shown to one person alone. */
  shown: (user: string) => Promise<unknown[]>;
  /** What the next administrator does who is sent to Slack. */
  decide: (granted: boolean) => Promise<void>;
  /** The app is taken out of the workspace, and nobody tells. */
  revoke: () => Promise<void>;
  stop: () => Promise<void>;
};

/** Starts the example of the crate for tests, which is built beside the server's executable. */
export async function startFakeSlack(): Promise<FakeSlack> {
  const binary = process.env.AMEBO_BINARY ?? "../target/debug/amebo";
  const child = spawn(join(dirname(binary), "examples", "fake-slack"), { stdio: ["pipe", "pipe", "inherit"] });
  const facts = JSON.parse(await firstLine(child)) as Record<string, string>;
  const control = facts.control ?? "";
  const url = facts.url ?? "";
  const post = async (path: string, body: unknown = {}) => {
    const response = await fetch(control + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the fake Slack refused ${path}: ${await response.text()}`);
    return response;
  };
  const hear = async (to: string, request: Signed) => {
    const heard = await fetch(to, { method: "POST", headers: request.headers, body: request.body });
    if (heard.status !== 200) throw new Error(`the server refused the event: ${heard.status} ${await heard.text()}`);
  };
  return {
    clientId: facts.client_id ?? "",
    clientSecret: facts.client_secret ?? "",
    signingSecret: facts.signing_secret ?? "",
    botUser: facts.bot_user ?? "",
    environment: {
      AMEBO__SLACK__API__API_BASE: `${url}/api/`,
      AMEBO__SLACK__API__AUTHORIZE_URL: `${url}/oauth/v2/authorize`,
      AMEBO__OUTBOUND__ALLOW: `["${new URL(url).host}"]`,
    },
    addPerson: async (person) => {
      await post("/people", person);
    },
    addChannel: async (channel) => {
      await post("/channels", channel);
    },
    say: async (message) => ((await (await post("/say", message)).json()) as { message: Message }).message,
    tell: async (to, message) => {
      const said = await (await post("/say", { ...message, told: true })).json();
      const { message: kept, request } = said as { message: Message; request: Signed };
      await hear(to, request);
      return kept;
    },
    press: async (to, pressed) => hear(to, (await (await post("/press", pressed)).json()) as Signed),
    shown: async (user) => (await (await fetch(`${control}/shown?user=${user}`)).json()) as unknown[],
    messages: async (channel) => (await (await fetch(`${control}/messages?channel=${channel}`)).json()) as Message[],
    decide: async (granted) => {
      await post("/install", { granted });
    },
    revoke: async () => {
      await post("/revoke");
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin?.end();
      await ended;
    },
  };
}

/** Connects the workspace with an app of one's own, on a page that is signed in; answers where the connection is looked at. */
export async function connectSlack(page: Page, slack: FakeSlack): Promise<string> {
  await page.goto(`${home(page)}/slack`);
  await page.getByRole("button", { name: "Bring your own app" }).click();
  await page.getByRole("radio", { name: /Slack calls this server/ }).check();
  await page.getByLabel("Client ID").fill(slack.clientId);
  await page.getByLabel("Client secret").fill(slack.clientSecret);
  await page.getByLabel("Signing secret").fill(slack.signingSecret);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Install in Slack" }).click();
  await expect(page.getByRole("heading", { name: "Acme", exact: true })).toBeVisible();
  return new URL(page.url()).pathname;
}

/** Goes on to the channels of a workspace that was just connected. */
export async function listChannels(page: Page) {
  await page.getByRole("button", { name: "Go on to the channels" }).click();
  await expect(page.getByRole("row").filter({ hasText: "#general" })).toBeVisible({ timeout: 30_000 });
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (part: Buffer) => {
      output += part.toString();
      const end = output.indexOf("\n");
      if (end >= 0) resolve(output.slice(0, end));
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the fake Slack ended with ${code}`)));
  });
}
