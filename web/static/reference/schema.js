// JSON schemas for people: fields with their types, limits and defaults.

import { make } from "/static/js/dom.js";

let schemas = {};

export const setDocument = (api) => { schemas = api.components?.schemas ?? {}; };

/** Follow a reference to a schema of the document. */
export function resolved(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? schemas[name] : schema;
}

/** Text in which `code` is marked by backquotes. */
export function prose(text) {
  return make("div.prose", {}, ...text.split(/\n\s*\n/).map((paragraph) =>
    make("p", {}, ...paragraph.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part)))));
}

/** The type in words: "integer, 1 to 1000", "list of text", "relevance or date". */
export function typeName(schema) {
  const name = schema?.$ref?.split("/").pop();
  const found = resolved(schema) ?? {};
  if (found.format === "binary" || found.contentMediaType) return "a file";
  if (found.enum) return found.enum.map(String).join(" or ");
  if (found.const !== undefined) return String(found.const);
  if (found.anyOf) return [...new Set(found.anyOf.map(typeName))].join(" or ");
  if (found.type === "array") return `list of ${found.items ? typeName(found.items) : found.prefixItems?.map(typeName).join(", ") ?? "anything"}`;
  if (name && found.type === "object") return name;
  return [TYPES[found.type] ?? found.type ?? "anything", limits(found)].filter(Boolean).join(", ");
}

const TYPES = { string: "text", boolean: "true or false", null: "null", number: "number", integer: "integer", object: "object" };

function limits(schema) {
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  if (low !== undefined && high !== undefined) return high > 1e9 ? `from ${low}` : `${low} to ${high}`;
  if (low !== undefined) return `from ${low}`;
  if (schema.maxLength) return `at most ${schema.maxLength} characters`;
  return "";
}

/** A table of fields, [{ name, where?, schema, description, isRequired }]. */
export function fieldTable(fields) {
  return make("table", {}, make("tbody", {}, ...fields.map(({ name, where, schema, description, isRequired }) => {
    const value = schema?.default;
    const notes = [typeName(schema), where === "path" ? "in the path" : null, isRequired ? null : "optional",
      value !== undefined && value !== null && value !== "" ? `default ${JSON.stringify(value)}` : null].filter(Boolean);
    return make("tr", {}, make("th", { scope: "row" }, make("code", {}, name)),
      make("td", {}, make("span.type", {}, notes.join(" · ")), description ? prose(description) : null));
  })));
}

/** The bodies that a route reads: [{ type, fields, examples }]. */
export function bodyOf(route) {
  return Object.entries(route.requestBody?.content ?? {}).map(([type, { schema }]) => {
    const found = resolved(schema) ?? {};
    const fields = Object.entries(found.properties ?? {}).map(([name, field]) =>
      ({ name, schema: field, description: field.description, isRequired: found.required?.includes(name) ?? false }));
    return { type, fields, examples: found.examples ?? [] };
  });
}
