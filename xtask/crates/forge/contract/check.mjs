// Holds traffic that the forge kept (`xtask-forge serve --exchanges FILE`) against what GitHub publishes:
//   node check.mjs MODULES EXCHANGES...
// REST goes through Prism's validating proxy of GitHub's OpenAPI description, in both directions; GraphQL documents
// are validated against GitHub's schema. Ends with 1 when something is not as GitHub has it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve as absolute } from "node:path";

const [modules, ...folders] = process.argv.slice(2).map((path) => absolute(path));
const require = createRequire(join(modules, "package.json"));
const { buildSchema, parse, validate } = require("graphql");
const published = (path) => readFileSync(join(modules, "node_modules", path), "utf8");

// A forge's faults are not kept, but what it refuses is; these refusals GitHub describes for no operation.
const UNDESCRIBED = [401, 429];
// Clients resolve these segments before they send, fetch among them: what the forge refused was sent by hand.
const DOTS = /\/(\.|%2e){1,2}(\/|$)/i;

const exchanges = read(folders);
const rest = exchanges.filter(({ path }) => path.startsWith("/api/v3") && !DOTS.test(path));
const problems = [...graphql(exchanges), ...(await throughPrism(rest))];
for (const problem of problems) console.log(problem);
const operations = new Set(rest.filter((one) => one.template).map((one) => `${one.method} ${one.template}`));
const documents = new Set(exchanges.map((one) => one.body?.query).filter(Boolean));
console.log(`${rest.length} exchanges of ${operations.size} operations, ${documents.size} documents: ${problems.length || "no"} problems`);
process.exit(problems.length || !rest.length || !documents.size ? 1 : 0);

// Each exchange once.
function read(folders) {
  const seen = new Map();
  for (const folder of folders) {
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".jsonl"))) {
      for (const line of readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean)) {
        const exchange = JSON.parse(line);
        // Numbers and hashes differ from test to test; the shape does not.
        const shape = line.replace(/[0-9a-f]{40}|\d+/g, "0");
        if (!seen.has(shape)) seen.set(shape, exchange);
      }
    }
  }
  return [...seen.values()];
}

function graphql(exchanges) {
  const schema = buildSchema(published("@octokit/graphql-schema/schema.graphql"), { assumeValidSDL: true });
  const problems = [];
  for (const { path, body, reply } of exchanges) {
    if (path !== "/api/graphql" || !body?.query) continue;
    const refused = Boolean(reply?.errors) && reply.data === undefined;
    let errors;
    try {
      errors = validate(schema, parse(body.query));
    } catch (error) {
      errors = [error];
    }
    // GitHub lets one name stand for a `String` here and a `String!` there, and gh makes use of it.
    errors = errors.filter((error) => !/they return conflicting types/.test(error.message));
    if (errors.length && !refused) problems.push(`GraphQL: GitHub would refuse this: ${errors[0].message}\n  ${body.query.slice(0, 200)}`);
  }
  return problems;
}

// The description's own problem with a request or a reply, for each exchange.
async function throughPrism(exchanges) {
  const folder = mkdtempSync(join(tmpdir(), "forge-contract-"));
  const description = join(folder, "description.json");
  writeFileSync(description, JSON.stringify(trimmed(exchanges)));
  const recorded = createServer((request, response) => {
    const { status, headers, reply } = exchanges[request.headers["x-exchange"]];
    const body = reply === null ? "" : typeof reply === "string" ? reply : JSON.stringify(reply);
    request.resume().on("end", () => response.writeHead(status, headers).end(status === 304 || status === 204 ? undefined : body));
  });
  recorded.listen(0, "127.0.0.1");
  await once(recorded, "listening");
  const program = join(modules, "node_modules/@stoplight/prism-cli/dist/index.js");
  const port = await freePort();
  const upstream = `http://127.0.0.1:${recorded.address().port}`;
  const prism = spawn(process.execPath, [program, "proxy", "--errors", "-h", "127.0.0.1", "-p", port, description, upstream]);
  try {
    await listening(prism);
    const problems = [];
    for (const [number, exchange] of exchanges.entries()) {
      const problem = await one(`http://127.0.0.1:${port}`, number, exchange);
      if (problem) problems.push(problem);
    }
    return problems;
  } finally {
    prism.kill();
    recorded.close();
    rmSync(folder, { recursive: true });
  }
}

async function one(prism, number, exchange) {
  const { method, path, query, body, status } = exchange;
  if (UNDESCRIBED.includes(status) || status === 404 && !exchange.template) return;
  // A diff, or another form than JSON: GitHub describes none of them.
  if (exchange.reply !== null && !/json/.test(exchange.headers["content-type"])) return;
  const headers = { "x-exchange": number, accept: "application/json", "user-agent": "xtask-forge-contract" };
  if (body !== null) headers["content-type"] = "application/json";
  const address = `${prism}${path.slice("/api/v3".length) || "/"}${query ? `?${query}` : ""}`;
  const answer = await fetch(address, { method, headers, body: body === null ? undefined : JSON.stringify(body), redirect: "manual" });
  const said = await answer.json().catch(() => null);
  if (!String(said?.type).includes("stoplight.io/prism/errors")) return;
  // Both refuse: they agree.
  if (said.type.endsWith("#UNPROCESSABLE_ENTITY") && status >= 400) return;
  // GitHub says "" for addresses that are not there, and describes them as URIs all the same.
  const empty = ({ location, message }) => /format "uri"/.test(message) && location.slice(2).reduce((at, part) => at?.[part], exchange.reply) === "";
  // Prism takes a workflow's number for a number and a text, of which it may be one.
  const either = ({ location, message }) => location.join(".").endsWith("path.workflow_id") && /oneOf/.test(message);
  // A label without a description has null, which GitHub describes for labels and forgets for those in lists.
  const label = ({ location, message }) => /labels\.\d+\.description$/.test(location.join(".")) && /must be string/.test(message);
  const findings = (said.validation ?? []).filter((one) => !label(one) && !(one.location?.[1] === "body" && empty(one)) && !either(one));
  if (said.validation && !findings.length) return;
  const details = findings.slice(0, 5).map((one) => `  ${one.location?.join(".") ?? ""}: ${one.message}`);
  return [`${method} ${path}${query ? `?${query}` : ""} (${status}): ${said.title}`, ...details].join("\n");
}

// Of GitHub's description the paths that occur: the whole takes long to read.
function trimmed(exchanges) {
  const whole = JSON.parse(published("@octokit/openapi/generated/api.github.com.json"));
  const templates = Object.keys(whole.paths).map((template) => {
    // A file's path and a ref hold slashes.
    const pattern = template.replace(/\{(path|ref|basehead|branch)\}/g, ".+").replace(/\{[^}]+\}/g, "[^/]+");
    return { template, pattern: new RegExp(`^${pattern}$`), holes: template.split("{").length };
  }).sort((one, other) => one.holes - other.holes);
  const paths = {};
  for (const exchange of exchanges) {
    const path = exchange.path.slice("/api/v3".length) || "/";
    const known = templates.find(({ template, pattern }) => pattern.test(path) && whole.paths[template][exchange.method.toLowerCase()]);
    if (!known) continue;
    exchange.template = known.template;
    paths[known.template] = whole.paths[known.template];
    // Prism takes a hole for a single part of the path.
    if (path.split("/").length !== known.template.split("/").length) exchange.path = encoded(exchange.path, known.template);
  }
  const components = {};
  const reach = (value) => {
    if (!value || typeof value !== "object") return;
    if (typeof value.$ref === "string") {
      const [, , kind, name] = value.$ref.split("/");
      if (!components[kind]?.[name]) {
        (components[kind] ??= {})[name] = whole.components[kind][name];
        reach(components[kind][name]);
      }
    }
    Object.values(value).forEach(reach);
  };
  reach(paths);
  return { openapi: whole.openapi, info: whole.info, paths, components };
}

// The path with the slashes of its long hole encoded.
function encoded(path, template) {
  const hole = template.split("/").findIndex((part) => /\{(path|ref|basehead|branch)\}/.test(part));
  const parts = path.slice("/api/v3".length).split("/");
  const after = template.split("/").length - hole - 1;
  const long = parts.slice(hole, parts.length - after).join("%2F");
  return "/api/v3" + [...parts.slice(0, hole), long, ...parts.slice(parts.length - after)].join("/");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

function listening(prism) {
  let said = "";
  return new Promise((resolve, reject) => {
    const hear = (text) => {
      said += text;
      if (said.includes("Prism is listening")) resolve();
    };
    prism.stdout.on("data", hear);
    prism.stderr.on("data", hear);
    prism.on("exit", (code) => reject(new Error(`Prism ended with ${code}: ${said.slice(-2000)}`)));
  });
}
