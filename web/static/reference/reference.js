// The reference of the HTTP API: every route of openapi.json, with its fields, an example and a form to try it.

import { breakable, byId, make } from "/static/js/dom.js";
import { curl } from "./curl.js";
import { bodyOf, fieldTable, prose, resolved, setDocument } from "./schema.js";
import { tryForm } from "./try.js";

const DOCUMENT = "/api/v1/openapi.json";
const THEME = "sightline.theme";

/** The routes in the order of the document, as { method, path, route, id }. */
function routesOf(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, route]) =>
    ({ method: method.toUpperCase(), path, route, id: route.operationId })));
}

function parameterTable(route) {
  const rows = (route.parameters ?? []).map((parameter) => ({ name: parameter.name, where: parameter.in, isRequired: parameter.required,
    schema: parameter.schema, description: parameter.description ?? parameter.schema?.description }));
  return rows.length ? [make("h3", {}, "Parameters"), fieldTable(rows)] : [];
}

function bodySection(route) {
  return bodyOf(route).flatMap(({ type, fields, examples }) => [
    make("h3", {}, `Body: ${type}`), fields.length ? fieldTable(fields) : make("p", {}, "The bytes of the file."),
    ...examples.map((example) => make("pre", {}, make("code", {}, JSON.stringify(example, null, 1)))),
  ]);
}

function responseSection(route) {
  return Object.entries(route.responses).filter(([status]) => status !== "default").flatMap(([status, response]) => {
    const [type, content] = Object.entries(response.content ?? {})[0] ?? [];
    const schema = resolved(content?.schema);
    const item = schema?.type === "array" ? resolved(schema.items) : schema;
    const fields = Object.entries(item?.properties ?? {}).map(([name, field]) => ({ name, schema: field, description: field.description, isRequired: true }));
    return [make("h3", {}, `Response ${status}${type ? `: ${type}` : ""}${schema?.type === "array" ? ", a list of" : ""}`),
      ...(response.description && response.description !== "Successful Response" ? [prose(response.description)] : []),
      ...(fields.length ? [fieldTable(fields)] : [])];
  });
}

const firstSentence = (text) => text.split(/(?<=\.)\s/)[0].replaceAll("`", "");

function section({ method, path, route, id }) {
  const details = make("details.route", { id }, make("summary", {},
    make("span.method", { "data-method": method }, method), make("code.path", {}, path), make("span.soft", {}, firstSentence(route.description ?? ""))));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    details.append(make("div.inside", {}, prose(route.description ?? ""), ...parameterTable(route), ...bodySection(route),
      make("h3", {}, "In a terminal"), make("pre", {}, make("code", {}, curl(method, path, route))),
      ...(method === "GET" ? [tryForm(path, route)] : []), ...responseSection(route)));
  });
  return details;
}

function draw(api) {
  setDocument(api);
  const routes = routesOf(api);
  const main = byId("routes");
  main.replaceChildren(make("h1", {}, `${api.info.title} HTTP API`), make("p.soft", {}, `Version ${api.info.version}`), prose(api.info.description));
  for (const { name, description } of api.tags) {
    const own = routes.filter(({ route }) => route.tags.includes(name));
    main.append(make("section.tag", { id: `tag-${name}`, "aria-label": name }, make("h2", {}, name), prose(description), ...own.map(section)));
    byId("contents").append(make("h2", {}, name), make("ul", {}, ...own.map(({ method, path, id }) =>
      make("li", {}, make("a", { href: `#${id}` }, make("span.method", { "data-method": method }, method), " ", make("span", {}, ...breakable(path.replace("/api/v1", ""))))))));
  }
}

/** Open the route that the address names. */
function follow() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named) return;
  if (named.tagName === "DETAILS") named.open = true;
  named.scrollIntoView();
}

function find(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const tag of document.querySelectorAll(".tag")) {
    for (const route of tag.querySelectorAll(".route")) {
      const text = route.querySelector("summary").textContent.toLowerCase();
      route.hidden = !wanted.every((word) => text.includes(word));
    }
    tag.hidden = !tag.querySelector(".route:not([hidden])");
  }
}

async function start() {
  document.documentElement.dataset.theme = localStorage.getItem(THEME) ?? "auto";
  try {
    const answer = await fetch(DOCUMENT);
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    draw(await answer.json());
  } catch (problem) {
    byId("wait").textContent = `The description of the API cannot be loaded: ${problem.message}`;
    return;
  }
  byId("find").addEventListener("input", (event) => find(event.target.value));
  addEventListener("hashchange", follow);
  follow();
}

start();
