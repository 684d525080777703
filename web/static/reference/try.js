// A form that sends a GET request and shows the answer.

import { make } from "/static/js/dom.js";
import { filled } from "./curl.js";
import { resolved, typeName } from "./schema.js";

const MOST = 50_000; // characters of an answer that are shown
const PATIENCE = 30_000; // milliseconds

/** Make the form of a route. Parameters that are left empty are not sent. */
export function tryForm(path, route) {
  const fields = (route.parameters ?? []).map((parameter) => [parameter, field(parameter)]);
  const answer = make("div.answer", { role: "status" });
  const submit = async (event) => {
    event.preventDefault();
    const values = new Map(fields.map(([parameter, input]) => [parameter, input.value.trim()]));
    const query = new URLSearchParams([...values].filter(([parameter, value]) => parameter.in === "query" && value).map(([{ name }, value]) => [name, value]));
    const address = filled(path, route, (parameter) => values.get(parameter)) + (query.size ? `?${query}` : "");
    await send(address, answer);
  };
  return make("form.try", { onsubmit: submit }, make("h3", {}, "Try it"),
    ...fields.map(([parameter, input]) => make("label", {}, make("code", {}, parameter.name), input)),
    make("button.primary", { type: "submit" }, "Send"), answer);
}

function field({ name, schema, required }) {
  const choices = resolved(schema)?.enum ?? (schema?.type === "boolean" ? ["true", "false"] : null);
  if (!choices) return make("input", { type: "text", name, required, placeholder: typeName(schema), spellcheck: false });
  return make("select", { name }, ...(required ? [] : [make("option", { value: "" }, "")]), ...choices.map((value) => make("option", { value: String(value) }, String(value))));
}

async function send(address, box) {
  box.replaceChildren(make("p", {}, "Waiting for the answer..."));
  const began = performance.now();
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE) });
    const type = response.headers.get("content-type") ?? "";
    const shown = await content(response, type);
    const time = Math.round(performance.now() - began);
    box.replaceChildren(make("p", { className: response.ok ? "" : "bad" }, make("strong", {}, String(response.status)), ` ${type}, ${time} ms`),
      make("p", {}, make("a", { href: address, target: "_blank", rel: "noopener" }, make("code", {}, address))), shown);
  } catch (problem) {
    box.replaceChildren(make("p.bad", {}, `No answer: ${problem.message}`));
  }
}

async function content(response, type) {
  if (type.startsWith("image/")) return make("img", { src: URL.createObjectURL(await response.blob()), alt: "The picture that was returned", onload: (event) => URL.revokeObjectURL(event.target.src) });
  if (!/json|^text\/plain/.test(type)) {
    await response.body?.cancel();
    return make("p.soft", {}, "Follow the address to see the answer.");
  }
  const text = await response.text();
  const said = type.includes("json") ? JSON.stringify(JSON.parse(text), null, 1) : text;
  return make("pre", { tabIndex: 0 }, make("code", {}, said.length > MOST ? `${said.slice(0, MOST)}\n... ${said.length - MOST} more characters` : said));
}
