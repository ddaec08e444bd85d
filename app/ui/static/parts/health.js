/** Whether each part of the service works, asked again and again. */
import { h, replace } from "../core/dom.js";
import { icon } from "../core/icons.js";

const ASK_MS = 5000;
const PARTS = {
  database: ["Database", "where everything but the pictures is written"],
  storage: ["Storage", "where pictures and encoders lie"],
  broker: ["Broker", "which tells workers that there is work"],
  worker: ["Worker", "which does the work"],
};

export function health(page) {
  const list = h(
    "ul.health",
    {},
    Object.keys(PARTS).map((name) => line(name, "")),
  );
  const said = h("p", { role: "status" }, "Asking …");
  const ask = async () => {
    const checks = await readiness(page.signal);
    if (page.signal.aborted) return;
    replace(
      list,
      Object.keys(checks).map((name) => line(name, checks[name])),
    );
    const words = verdict(checks);
    if (said.textContent !== words) said.textContent = words;
  };
  ask();
  const timer = setInterval(ask, ASK_MS);
  page.leave(() => clearInterval(timer));
  return [said, list];
}

/** Not by core/api.js: a 503 is an answer here, with the checks in it, and nothing to be tried again. */
async function readiness(signal) {
  try {
    const answer = await fetch("/readyz", { signal, headers: { Accept: "application/json" } });
    const body = await answer.json();
    return answer.ok ? body : (body.checks ?? unknown());
  } catch {
    return unknown();
  }
}

const unknown = () => Object.fromEntries(Object.keys(PARTS).map((name) => [name, "unknown"]));

function verdict(checks) {
  const states = Object.values(checks);
  if (states.every((state) => state === "ok")) return "Everything works.";
  if (states.includes("unknown")) return "The service does not answer.";
  return "Something does not work; the service's log says why.";
}

const WORDS = { ok: "works", failing: "does not work", unknown: "not known", "": "…" };

function line(name, state) {
  const [title, about] = PARTS[name] ?? [name, ""];
  const symbol = state === "ok" ? icon("check") : state === "failing" ? icon("warning") : icon("more");
  return h(
    "li",
    { data: { state } },
    symbol,
    h("span", {}, h("strong", {}, title), h("small", {}, about)),
    h("span.health-state", {}, WORDS[state] ?? state),
  );
}
