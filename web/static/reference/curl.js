// The command that sends a request in a terminal.

import { bodyOf } from "./schema.js";

/** A text as one word of a shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A value for a parameter without one: its example or default, or its name in capitals. */
export function sample({ name, schema, example }) {
  const value = example ?? schema?.examples?.[0] ?? schema?.default ?? (schema?.type === "integer" ? Math.max(schema.minimum ?? 1, 1) : null);
  return value === null || value === undefined || value === "" ? name.toUpperCase() : String(value);
}

/** The path with its parameters filled in by `valueOf(parameter)`. */
export const filled = (path, route, valueOf) => (route.parameters ?? []).filter((each) => each.in === "path")
  .reduce((text, parameter) => text.replace(`{${parameter.name}}`, encodeURIComponent(valueOf(parameter))), path);

/** The command for a route, with the parameters that are required and an example of the body. */
export function curl(method, path, route) {
  const address = location.origin + filled(path, route, sample);
  const query = (route.parameters ?? []).filter((parameter) => parameter.in === "query" && (parameter.required || parameter.name === "q"));
  const words = ["curl", ...(method === "GET" ? query.length ? ["-G"] : [] : ["-X", method]), quoted(address)];
  for (const parameter of query) words.push("--data-urlencode", quoted(`${parameter.name}=${sample(parameter)}`));
  const [body] = bodyOf(route);
  if (body?.type === "application/json") words.push("-H", quoted("Content-Type: application/json"), "-d", quoted(JSON.stringify(body.examples[0] ?? {})));
  else if (body?.type === "multipart/form-data") words.push("-F", "file=@picture.jpg");
  else if (body) words.push("--data-binary", "@picture.jpg");
  return words.join(" ");
}
