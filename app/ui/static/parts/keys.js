/** The keys of the service, for those who manage them: made, shown once, revoked. */
import { all, post, send } from "../core/api.js";
import { h, replace, uid } from "../core/dom.js";
import { day } from "../core/format.js";
import { SCOPES } from "./access.js";
import { ask, field, sheet } from "./dialog.js";
import { copyButton } from "./facts.js";

export async function keys(page) {
  const list = h("ul.key-list");
  const show = async () => {
    const found = await all("/v1/keys?limit=500", page);
    replace(
      list,
      found.map((key) => row(key, show)),
    );
  };
  await show();
  const make = h("button", { type: "button", onclick: () => create().then((made) => made && show()) }, "New key");
  return [list, h("div.actions", {}, make)];
}

function row(key, changed) {
  const ends = key.state === "valid" && key.expires_at ? ` · until ${day(key.expires_at)}` : "";
  const revoke = async () => (await revoked(key)) && changed();
  return h(
    "li",
    { data: { state: key.state } },
    h(
      "span",
      {},
      h("strong", {}, key.name),
      h("small", {}, `${key.owner} · ${key.scope} · ${key.state}${ends} · made ${day(key.created_at)}`),
    ),
    key.state === "valid" &&
      h("button", { type: "button", "aria-label": `Revoke ${key.name}`, onclick: revoke }, "Revoke"),
  );
}

const revoked = (key) =>
  ask({
    title: `Revoke “${key.name}”?`,
    text: "From the next request on it does not hold, nor does any log-in made with it. A revoked key cannot be brought back.",
    action: "Revoke",
    danger: true,
    submit: () => send("DELETE", `/v1/keys/${key.id}`).then(() => true),
  });

async function create() {
  const made = await ask({
    title: "New key",
    fields: [
      field("Name", { name: "name", required: true, maxlength: 200, autocomplete: "off", autofocus: true }, "What it is for."),
      scopes(),
      field("Days it holds", { name: "days", type: "number", min: 1, max: 3650 }, "Empty: until it is revoked."),
    ],
    action: "Make the key",
    submit: ({ name, scope, days }) =>
      post("/v1/keys", { name, scope, expires_days: days ? Number(days) : null }, { once: false }),
  });
  if (made) secret(made);
  return made;
}

function scopes() {
  const id = uid("scope");
  const choices = Object.entries(SCOPES).map(([value, words]) => h("option", { value }, `${value}: ${words}`));
  const select = h("select", { id, name: "scope" }, choices);
  select.value = "write";
  return h("div.field", {}, h("label", { for: id }, "May"), select);
}

/** The one time that it is seen. */
function secret(made) {
  const text = h("input.secret", { value: made.key, readOnly: true, "aria-label": "The key", spellcheck: false });
  text.addEventListener("focus", () => text.select());
  sheet(
    `The key “${made.name}”`,
    h("p", {}, "It is shown this once and stored nowhere. Keep it where passwords are kept."),
    h("p.secret-line", {}, text, copyButton(made.key, "key")),
  );
}
