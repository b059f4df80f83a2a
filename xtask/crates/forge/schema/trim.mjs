// Takes what fields.txt names out of GitHub's published GraphQL schema:
//   npm install @octokit/graphql-schema graphql
//   node trim.mjs node_modules/@octokit/graphql-schema/schema.graphql > github.graphql
import { readFileSync } from "node:fs";
import { parse, print, Kind } from "graphql";

const here = new URL(".", import.meta.url);
const published = new Map();
for (const definition of parse(readFileSync(process.argv[2], "utf8")).definitions) {
  if (definition.name) published.set(definition.name.value, definition);
}
const wanted = new Map();
for (const line of readFileSync(new URL("fields.txt", here), "utf8").split("\n")) {
  if (!line.trim() || line.startsWith("#")) continue;
  const [type, fields] = line.split(": ");
  wanted.set(type, fields.match(/\w+(\([^)]*\))?/g).map((field) => {
    const [name, args = ""] = field.replace(")", "").split("(");
    return { name, args: args.split(",").filter(Boolean) };
  }));
}

const named = (type) => (type.kind === Kind.NAMED_TYPE ? type.name.value : named(type.type));
const plain = (node) => ({ ...node, description: undefined });
const isRequired = (arg) => arg.type.kind === Kind.NON_NULL_TYPE && !arg.defaultValue;
const keepDeprecated = (node) => ({ ...plain(node), directives: node.directives.filter((one) => one.name.value === "deprecated") });
const kept = new Map();
const needed = [];

function need(type) {
  const name = named(type);
  if (wanted.has(name) || kept.has(name) || ["String", "Int", "Boolean", "ID", "Float"].includes(name)) return true;
  const definition = published.get(name);
  if ([Kind.ENUM_TYPE_DEFINITION, Kind.SCALAR_TYPE_DEFINITION].includes(definition.kind)) {
    kept.set(name, { ...keepDeprecated(definition), directives: [], values: definition.values?.map(keepDeprecated) });
  } else if (definition.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION) {
    kept.set(name, { ...plain(definition), fields: definition.fields.map((field) => ({ ...keepDeprecated(field), directives: [] })) });
    definition.fields.forEach((field) => need(field.type));
  } else {
    needed.push(name);
    return false;
  }
  return true;
}

for (const [type, fields] of wanted) {
  const definition = published.get(type);
  if (!definition) throw new Error(`GitHub has no ${type}`);
  if (definition.kind === Kind.UNION_TYPE_DEFINITION) {
    const names = fields.map((field) => field.name);
    kept.set(type, { ...plain(definition), types: definition.types.filter((one) => names.includes(one.name.value)), directives: [] });
    continue;
  }
  // What an interface has, its implementers have; what a mutation needs, it takes.
  const interfaces = (definition.interfaces ?? []).filter((one) => wanted.has(one.name.value));
  const names = new Map(fields.map((field) => [field.name, field.args]));
  for (const one of interfaces) {
    for (const field of wanted.get(one.name.value)) if (!names.has(field.name)) names.set(field.name, field.args);
  }
  for (const name of names.keys()) {
    if (!definition.fields.some((field) => field.name.value === name)) throw new Error(`GitHub has no ${type}.${name}`);
  }
  // Published twice, some fields are; the first counts.
  const chosen = definition.fields.filter((field, index, all) =>
    names.has(field.name.value) && all.findIndex((other) => other.name.value === field.name.value) === index);
  kept.set(type, {
    ...plain(definition),
    directives: [],
    interfaces,
    fields: chosen.map((field) => {
      const args = field.arguments.filter((arg) => isRequired(arg) || names.get(field.name.value).includes(arg.name.value));
      for (const arg of names.get(field.name.value)) {
        if (!args.some((one) => one.name.value === arg)) throw new Error(`GitHub has no ${type}.${field.name.value}(${arg})`);
      }
      args.forEach((arg) => need(arg.type));
      need(field.type);
      return { ...keepDeprecated(field), arguments: args.map((arg) => ({ ...keepDeprecated(arg), directives: [] })) };
    }),
  });
}
if (needed.length) throw new Error(`fields.txt lacks ${[...new Set(needed)].join(" ")}`);

const sorted = [...kept].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, definition]) => print(definition));
const head = readFileSync(new URL("NOTICE", here), "utf8").trimEnd().split("\n").map((line) => `# ${line}`.trimEnd());
console.log([...head, "", sorted.join("\n\n")].join("\n"));
