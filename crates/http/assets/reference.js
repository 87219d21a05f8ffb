// Shows /api/openapi.json as a page. Everything is put in as text, never as markup.
const METHODS = ["get", "post", "put", "patch", "delete"];
const contents = document.getElementById("contents");
const page = document.getElementById("operations");

function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

class Schemas {
  constructor(all) {
    this.all = all ?? {};
  }

  resolve(schema) {
    return schema?.$ref ? (this.all[schema.$ref.split("/").pop()] ?? {}) : (schema ?? {});
  }

  // The type in words, such as "string (uuid)" or "list of Citation".
  name(schema) {
    if (!schema) return "";
    if (schema.$ref) {
      const to = this.resolve(schema);
      return to.type === "object" || to.allOf ? schema.$ref.split("/").pop() : this.name(to);
    }
    const options = schema.oneOf ?? schema.anyOf;
    if (options) return options.map((option) => this.name(option)).filter(Boolean).join(" or ");
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    const types = [schema.type].flat().filter((type) => type && type !== "null");
    if (types.includes("array")) return `list of ${this.name(schema.items) || "values"}`;
    const type = types.join(" or ") || "any value";
    return schema.format ? `${type} (${schema.format})` : type;
  }

  // An example value, by way of which people read a structure fastest.
  example(schema, depth = 0) {
    const to = this.resolve(schema);
    if (schema?.example !== undefined) return schema.example;
    if (to.example !== undefined) return to.example;
    if (depth > 6) return "…";
    if (to.allOf) return Object.assign({}, ...to.allOf.map((part) => this.example(part, depth + 1)));
    const options = (to.oneOf ?? to.anyOf)?.filter((option) => option.type !== "null");
    if (options?.length) return this.example(options[0], depth + 1);
    if (to.enum) return to.enum[0];
    const type = [to.type].flat().find((name) => name && name !== "null");
    if (type === "array") return [this.example(to.items, depth + 1)];
    if (to.properties) return Object.fromEntries(Object.entries(to.properties).map(([key, value]) => [key, this.example(value, depth + 1)]));
    const plain = { integer: 0, number: 0.5, boolean: true, object: {} };
    if (type in plain) return plain[type];
    const formats = { uuid: "01976c2e-8a4f-7c31-9d0e-3f5b7a9c1e20", "date-time": "2026-01-05T09:00:00Z", date: "2026-01-05" };
    return formats[to.format] ?? "text";
  }
}

function fields(schemas, schema) {
  const to = schemas.resolve(schema);
  const parts = (to.allOf ?? [to]).map((part) => schemas.resolve(part));
  const rows = parts.flatMap((part) =>
    Object.entries(part.properties ?? {}).map(([key, value]) =>
      el("tr", {}, el("td", {}, el("code", { textContent: key }), part.required?.includes(key) ? "" : el("span", { className: "dim", textContent: " optional" })),
        el("td", { textContent: schemas.name(value) }), el("td", { textContent: value.description ?? schemas.resolve(value).description ?? "" }))));
  return rows.length ? el("table", {}, el("tbody", {}, ...rows)) : null;
}

function body(schemas, title, content) {
  if (!content) return [];
  return Object.entries(content).flatMap(([type, { schema }]) => [
    el("h4", { textContent: `${title} · ${type}${schema?.$ref ? ` · ${schema.$ref.split("/").pop()}` : ""}` }),
    fields(schemas, schema),
    type.endsWith("json") && schema ? el("pre", { tabIndex: 0, textContent: JSON.stringify(schemas.example(schema), null, 2) }) : null,
  ]);
}

function article(schemas, path, method, operation, shared) {
  const parameters = [...(shared ?? []), ...(operation.parameters ?? [])];
  const responses = Object.entries(operation.responses ?? {});
  const failures = responses.filter(([status]) => status >= "400").map(([status]) => status);
  return el("article", { id: operation.operationId },
    el("h3", {}, el("span", { className: `method ${method}`, textContent: method.toUpperCase() }), el("code", { textContent: path })),
    el("p", { textContent: [operation.summary, operation.description].filter(Boolean).join(" ") }),
    parameters.length ? el("h4", { textContent: "Parameters" }) : null,
    parameters.length ? el("table", {}, el("tbody", {}, ...parameters.map((parameter) =>
      el("tr", {}, el("td", {}, el("code", { textContent: parameter.name })), el("td", { textContent: parameter.in }),
        el("td", { textContent: schemas.name(parameter.schema) }), el("td", { textContent: parameter.description ?? "" }))))) : null,
    ...body(schemas, "Body", operation.requestBody?.content),
    ...responses.filter(([status]) => status < "400").flatMap(([status, response]) =>
      response.content ? body(schemas, `Answer ${status}`, response.content) : [el("h4", { textContent: `Answer ${status}` }), el("p", { textContent: response.description ?? "" })]),
    failures.length ? el("p", { className: "dim", textContent: `Problem documents: ${failures.join(", ")}` }) : null);
}

function show(description) {
  const schemas = new Schemas(description.components?.schemas);
  const groups = new Map();
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method];
      const tag = operation.tags?.[0] ?? "Other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push({ path, method, operation, shared: item.parameters });
    }
  }
  page.replaceChildren(
    el("h1", { textContent: `${description.info.title} API ${description.info.version}` }),
    el("p", { textContent: description.info.description ?? "" }),
    el("p", {}, "The same as data: ", el("a", { href: "/api/openapi.json", textContent: "/api/openapi.json" }), "."));
  for (const [tag, operations] of [...groups].sort(([a], [b]) => a.localeCompare(b))) {
    const section = el("section", {}, el("h2", { textContent: tag }));
    const links = el("div", {}, el("h2", { textContent: tag }));
    for (const { path, method, operation, shared } of operations) {
      const node = article(schemas, path, method, operation, shared);
      const link = el("a", { href: `#${operation.operationId}`, textContent: operation.summary ?? path });
      link.dataset.words = node.dataset.words = `${path} ${method} ${operation.operationId} ${operation.summary ?? ""}`.toLowerCase();
      section.append(node);
      links.append(link);
    }
    page.append(section);
    contents.append(links);
  }
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

document.getElementById("filter").addEventListener("input", ({ target }) => {
  const words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const node of document.querySelectorAll("[data-words]")) node.hidden = !words.every((word) => node.dataset.words.includes(word));
  for (const group of document.querySelectorAll("section, #contents > div")) group.hidden = !group.querySelector("[data-words]:not([hidden])");
});

try {
  const answer = await fetch("/api/openapi.json");
  if (!answer.ok) throw new Error(`the description answered ${answer.status}`);
  show(await answer.json());
} catch (error) {
  page.replaceChildren(el("p", { textContent: `The description could not be read: ${error.message}. Reload the page to try again.` }));
}
