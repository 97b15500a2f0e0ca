// Checks a value against the part of JSON Schema that the API's contract uses. Pure.

export function resolve(document, schema) {
  let found = schema;
  while (found?.$ref) {
    found = found.$ref
      .slice(2)
      .split("/")
      .reduce((node, name) => node?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], document);
  }
  return found ?? {};
}

// The schema of the JSON body of an operation, by its id.
export function bodySchema(document, operationId) {
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path)) {
      if (operation?.operationId !== operationId) continue;
      return resolve(document, operation.requestBody?.content?.["application/json"]?.schema);
    }
  }
  return null;
}

// What may stand in a field when it is not null: the schema without its null.
export function plain(document, schema) {
  const found = resolve(document, schema);
  const choices = found.anyOf ?? found.oneOf;
  if (!choices) return found;
  const rest = choices.map((each) => resolve(document, each)).find((each) => each.type !== "null");
  return { ...rest, description: found.description ?? rest?.description };
}

// Problems as `{ path: text }`, path such as "threshold" or "channels.0.target"; empty where all is well.
export function problems(document, schema, value, path = "") {
  const found = resolve(document, schema);
  const choices = found.anyOf ?? found.oneOf;
  if (choices) {
    const tried = choices.map((each) => problems(document, each, value, path));
    return tried.find((each) => Object.keys(each).length === 0) ?? tried.find((_, i) => resolve(document, choices[i]).type !== "null") ?? {};
  }
  const said = problem(found, value);
  if (said) return { [path]: said };
  if (Array.isArray(value) && found.items) {
    return Object.assign({}, ...value.map((each, i) => problems(document, found.items, each, join(path, i))));
  }
  if (found.properties && value !== null && typeof value === "object") return inObject(document, found, value, path);
  return {};
}

function join(path, name) {
  return path === "" ? String(name) : `${path}.${name}`;
}

function inObject(document, schema, value, path) {
  const all = {};
  for (const name of schema.required ?? []) if (value[name] === undefined) all[join(path, name)] = "must be given";
  for (const [name, each] of Object.entries(value)) {
    const known = schema.properties[name];
    if (!known) {
      if (schema.additionalProperties === false) all[join(path, name)] = "is not known";
    } else if (each !== undefined) Object.assign(all, problems(document, known, each, join(path, name)));
  }
  return all;
}

const TYPES = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: Array.isArray,
  object: (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  null: (value) => value === null,
};
const WORDS = { string: "a text", number: "a number", integer: "a whole number", boolean: "yes or no", array: "a list", object: "an object", null: "nothing" };

function problem(schema, value) {
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length && !types.some((type) => TYPES[type]?.(value))) return `must be ${types.map((type) => WORDS[type]).join(" or ")}`;
  if (schema.enum && !schema.enum.includes(value)) return `must be one of ${schema.enum.join(", ")}`;
  if (typeof value === "number") {
    if (schema.minimum !== undefined && value < schema.minimum) return `must be at least ${schema.minimum}`;
    if (schema.maximum !== undefined && value > schema.maximum) return `must be at most ${schema.maximum}`;
  }
  if (typeof value === "string") {
    const length = [...value].length;
    if (schema.minLength !== undefined && length < schema.minLength) return length === 0 ? "must be given" : `must have at least ${schema.minLength} characters`;
    if (schema.maxLength !== undefined && length > schema.maxLength) return `must have at most ${schema.maxLength} characters`;
    if (schema.pattern && !new RegExp(schema.pattern, "u").test(value)) return schema.remedy ?? "has a form that is not allowed";
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems) return `must have at least ${schema.minItems} entries`;
    if (schema.maxItems !== undefined && value.length > schema.maxItems) return `must have at most ${schema.maxItems} entries`;
  }
  return null;
}
