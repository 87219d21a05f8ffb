// The built-in start page: sign in, put documents in, ask. A pure client of the API.

const main = document.getElementById("main");
const api = "/api/v1";
let organization;

class Refusal extends Error {
  constructor(status, problem) {
    const fields = (problem.errors ?? []).map((error) => error.detail);
    super(fields.length ? fields.join(" ") : (problem.detail ?? `The server answered ${status}.`));
    this.status = status;
  }
}

function csrf() {
  return document.cookie.split("; ").find((pair) => pair.startsWith("amebo_csrf="))?.slice("amebo_csrf=".length) ?? "";
}

async function send(method, path, body, headers = {}) {
  const json = body !== undefined && !(body instanceof Blob);
  return fetch(api + path, {
    method,
    headers: { "x-csrf-token": csrf(), ...(json ? { "content-type": "application/json" } : {}), ...headers },
    body: json ? JSON.stringify(body) : body,
  });
}

// A session's access token ends every half hour; one refresh at a time, then the request again.
let refreshing;
async function call(method, path, body, headers) {
  let response = await send(method, path, body, headers);
  if (response.status === 401 && csrf() && !path.startsWith("/auth/")) {
    refreshing ??= send("POST", "/auth/refresh", {}).finally(() => { refreshing = undefined; });
    if ((await refreshing).ok) response = await send(method, path, body, headers);
  }
  if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => ({})));
  return response;
}

const read = async (...request) => {
  const response = await call(...request);
  return response.status === 204 || response.status === 202 ? null : response.json();
};

function show(template) {
  main.replaceChildren(document.getElementById(template).content.cloneNode(true));
}

function element(name, text, className) {
  const node = document.createElement(name);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

// --- Coming in -------------------------------------------------------------------------------------------------------------------

function form({ title, lead, fields, button, newPassword, other, submit }) {
  show("entry");
  const node = main.querySelector("[data-form]");
  node.querySelector("h2").textContent = title;
  node.querySelector("[data-lead]").textContent = lead ?? "";
  for (const label of node.querySelectorAll("[data-field]")) {
    if (!fields.includes(label.dataset.field)) label.remove();
  }
  const password = node.querySelector("[name=password]");
  if (password) {
    password.autocomplete = newPassword ? "new-password" : "current-password";
    if (newPassword) node.querySelector("[data-hint]").textContent = "At least 12 characters.";
  }
  const submitButton = node.querySelector("[type=submit]");
  submitButton.textContent = button;
  if (other) node.querySelector("[data-other]").append(...other);
  const problem = node.querySelector(".problem");
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    submitButton.disabled = true;
    try {
      await submit(Object.fromEntries(new FormData(node)));
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      submitButton.disabled = false;
    }
  });
  node.querySelector("input")?.focus();
}

function link(text, action) {
  const node = element("button", text, "plain");
  node.type = "button";
  node.addEventListener("click", action);
  return node;
}

function enter() {
  history.replaceState(null, "", "/");
  return start();
}

function signIn(lead) {
  form({
    title: "Sign in", lead, fields: ["email", "password"], button: "Sign in",
    other: [link("New here? Start an organization", signUp)],
    submit: async (values) => { await read("POST", "/auth/sign-in", { ...values, cookies: true }); await enter(); },
  });
}

function signUp() {
  form({
    title: "Start an organization", fields: ["organization", "name", "email", "password"], button: "Start", newPassword: true,
    other: [link("I have an account", () => signIn())],
    submit: async (values) => {
      await read("POST", "/auth/sign-up", values);
      await read("POST", "/auth/sign-in", { email: values.email, password: values.password, cookies: true });
      await enter();
    },
  });
}

async function acceptInvitation(token) {
  const { organization: name, email, has_account } = await read("POST", "/auth/invitation/preview", { token });
  form({
    title: `Join ${name}`, lead: has_account ? `Prove that you are ${email}.` : `You come in as ${email}.`,
    fields: has_account ? ["password"] : ["name", "password"], button: "Join", newPassword: !has_account,
    submit: async (values) => { await read("POST", "/auth/invitation/accept", { token, ...values, cookies: true }); await enter(); },
  });
}

function choosePassword(token) {
  form({
    title: "Choose a password", lead: "Every device is signed out.", fields: ["password"], button: "Save", newPassword: true,
    submit: async (values) => { await read("PUT", "/auth/password", { token, ...values }); history.replaceState(null, "", "/"); signIn("Your password is changed."); },
  });
}

// --- Working ---------------------------------------------------------------------------------------------------------------------

const inside = (path) => `/organizations/${organization.organization_id}${path}`;

async function start() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  try {
    if (token && location.pathname === "/sign-in") {
      await read("POST", "/auth/link", { token, cookies: true });
      return await enter();
    }
    if (token && location.pathname === "/accept-invitation") return await acceptInvitation(token);
    if (token && location.pathname === "/reset-password") return choosePassword(token);
    const me = await read("GET", "/me");
    organization = me.organizations.find((place) => place.status === "active");
    document.getElementById("sign-out").hidden = false;
    if (!organization) return form({ title: "You belong to no organization yet", lead: "Ask somebody to invite you, or start one.", fields: ["organization"], button: "Start",
      submit: async (values) => { await read("POST", "/organizations", { name: values.organization }); await enter(); } });
    document.getElementById("where").textContent = organization.name;
    work();
  } catch (error) {
    if (error.status === 401 && !token) return signIn();
    signIn(error.message);
  }
}

document.getElementById("sign-out").addEventListener("click", async () => {
  await call("POST", "/auth/sign-out").catch(() => {});
  location.assign("/");
});

function work() {
  show("work");
  const question = document.getElementById("question");
  const asking = document.getElementById("ask");
  asking.addEventListener("submit", (event) => { event.preventDefault(); ask(question.value.trim()); });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); asking.requestSubmit(); }
  });
  question.focus();
  const drop = document.getElementById("drop");
  const over = (on) => (event) => { event.preventDefault(); drop.classList.toggle("over", on); };
  drop.addEventListener("dragover", over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => { over(false)(event); upload([...event.dataTransfer.files]); });
  document.getElementById("files").addEventListener("change", (event) => upload([...event.target.files]));
  listDocuments();
}

async function ask(text) {
  if (!text) return;
  const answer = document.getElementById("answer");
  const button = document.querySelector("#ask button");
  answer.hidden = false;
  answer.replaceChildren(element("p", "Looking …", "quiet"));
  button.disabled = true;
  try {
    const response = await call("POST", inside("/questions"), { text }, { accept: "text/event-stream" });
    const paragraph = element("p", "", "text");
    for await (const { name, data } of events(response.body)) {
      if (name === "token") { if (!paragraph.isConnected) answer.replaceChildren(paragraph); paragraph.textContent += data.text; }
      if (name === "restart") paragraph.textContent = "";
      if (name === "error") throw new Error(data.detail);
      if (name === "verdict") showAnswer(answer, data.answer);
    }
  } catch (error) {
    answer.replaceChildren(element("p", error.message, "problem"));
  } finally {
    button.disabled = false;
  }
}

async function* events(stream) {
  let buffer = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    buffer += text;
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const lines = buffer.slice(0, end).split("\n");
      buffer = buffer.slice(end + 2);
      const field = (key) => lines.filter((line) => line.startsWith(`${key}:`)).map((line) => line.slice(key.length + 1).trimStart()).join("\n");
      if (field("data")) yield { name: field("event"), data: JSON.parse(field("data")) };
    }
  }
}

function showAnswer(answer, { outcome, text, notice, citations, closest, confidence, confidence_level, searched }) {
  const parts = [element("p", text, "text")];
  if (notice) parts.push(element("p", notice, "quiet"));
  const shown = new Map();
  for (const citation of outcome === "answered" ? citations : closest) {
    const place = shown.get(citation.source) ?? { citation, quotes: [] };
    place.quotes.push(citation.quote.trim());
    shown.set(citation.source, place);
  }
  if (shown.size) {
    if (outcome !== "answered") parts.push(element("p", "What came closest:", "quiet"));
    const list = document.createElement("ol");
    for (const [source, { citation, quotes }] of shown) {
      const item = element("li", [citation.document_title, ...citation.heading_path.filter((heading) => heading !== citation.document_title)].join(" › ")
        + (citation.page ? `, page ${citation.page}` : ""));
      item.value = source;
      for (const quote of new Set(quotes)) item.append(element("q", quote));
      list.append(item);
    }
    parts.push(list);
  }
  if (confidence != null) {
    parts.push(element("p", `Confidence: ${confidence_level} (${Math.round(confidence * 100)} %). Searched ${searched.documents} documents.`, "quiet"));
  }
  answer.replaceChildren(...parts);
}

async function knowledgeBase() {
  const { items } = await read("GET", inside("/knowledge-bases"));
  return items.find((base) => base.status !== "archived") ?? read("POST", inside("/knowledge-bases"), { name: "Documents" });
}

async function upload(files) {
  const progress = document.getElementById("progress");
  const refused = [];
  try {
    const base = await knowledgeBase();
    let sent = 0;
    for (const file of files) {
      progress.textContent = `Sending ${file.name} (${++sent} of ${files.length}) …`;
      const path = inside(`/knowledge-bases/${base.id}/documents/raw?name=${encodeURIComponent(file.name)}`);
      await call("POST", path, file, { "content-type": "application/octet-stream" }).catch((error) => refused.push(`${file.name}: ${error.message}`));
    }
    progress.textContent = refused.join(" ");
    await follow();
  } catch (error) {
    progress.textContent = error.message;
  }
}

async function follow() {
  const progress = document.getElementById("progress");
  const response = await call("GET", inside("/documents/events?until=settled"), undefined, { accept: "text/event-stream" });
  for await (const { name, data } of events(response.body)) {
    if (name === "summary" && data.waiting) {
      const left = data.remaining_seconds == null ? "" : `, about ${data.remaining_seconds} s left`;
      progress.textContent = `${data.waiting} in work${left} …`;
    }
    if (name === "document") await listDocuments();
  }
  if (progress.textContent.endsWith("…")) progress.textContent = "";
  await listDocuments();
}

async function listDocuments() {
  const list = document.getElementById("documents");
  const { items } = await read("GET", inside("/documents?limit=50"));
  if (!items.length) {
    list.replaceChildren(element("li", "Nothing here yet. Drop a file above, then ask about it.", "quiet"));
    return;
  }
  list.replaceChildren(...items.map((document) => {
    const item = element("li", "");
    item.append(element("span", document.title));
    const status = document.status === "embedding" && document.chunk_count ? `embedding, ${document.chunks_done} of ${document.chunk_count}` : document.status;
    item.append(element("span", status, document.status === "failed" ? "failed" : "quiet"));
    if (document.error) item.append(element("small", document.error, "reason"));
    return item;
  }));
}

start();
