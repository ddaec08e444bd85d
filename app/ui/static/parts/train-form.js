/** The form that asks for a fine-tuning: made from the method's JSON schema, what matters most first. */
import { post } from "../core/api.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { query } from "../core/router.js";
import { field } from "./dialog.js";
import { schemaFields, schemaValues } from "./schema-form.js";

const DEFAULT_METHOD = "neighbours"; // also the command line's
const DEFAULT_BASE = "efficientnet-lite0";
const COMMON = ["max_minutes", "epochs"];
const NAMES = { max_minutes: "Time budget, in minutes", lr: "Learning rate", clip: "Gradient clip", k: "Clusters (k)" };
const HINTS = {
  max_minutes: "For the training; comparing the encoders afterwards comes on top. The schedule shrinks to fit.",
};
const NEEDS = {
  vit: "It needs a vision transformer (ViT) as its base; convolutional encoders can't be trained with it.",
  pixels: "It learns from the pixels themselves, so nothing can be prepared ahead and it takes longer.",
};
const PAPERS = {
  byol: "Grill 2020",
  deepcluster: "Caron 2018",
  dino: "Caron 2021",
  distillation: "Fang 2021",
  hierarchy: "Van Gansbeke 2020",
  instance: "Wu 2018",
  mae: "He 2022",
  moco: "He 2020",
  neighbours: "Dwibedi 2021",
  rotation: "Gidaris 2018",
  simclr: "Chen 2020",
  swav: "Caron 2020",
  vicreg: "Bardes 2022",
};

/** `started(job)` is called once the service has taken it. Returns the form with what explains the method beside it. */
export function trainForm({ collection, path, methods, encoders, asked, started }) {
  const parts = {
    method: select(
      "method",
      methods.map(({ name }) => [name, name]),
      known(methods, asked.get("method"), DEFAULT_METHOD),
    ),
    base: h("select", { name: "base" }),
    common: h("div.pair"),
    more: h("div"),
    about: h("aside", { "aria-live": "polite" }),
    button: h("button.primary", { type: "submit" }, icon("train"), "Start training"),
  };
  const { method, base } = parts;
  const chosen = () => methods.find(({ name }) => name === method.value);
  const show = () => {
    fill(parts, chosen(), { encoders, path, wish: base.value || asked.get("base") || DEFAULT_BASE });
    query({ method: method.value, base: base.value });
  };
  method.addEventListener("change", show);
  base.addEventListener("change", () => query({ base: base.value }));
  show();
  const form = laidOut(parts);
  submits(form, parts.button, async () =>
    started(await post(`/v1/collections/${collection.id}/encoders`, wanted(form, chosen()))),
  );
  return h("div.train", {}, form, parts.about);
}

/** The fields of a method, and what there is to say of it. */
function fill({ base, common, more, about, button }, method, { encoders, path, wish }) {
  common.replaceChildren(...schemaFields(method.params, { only: COMMON, names: NAMES, hints: HINTS }));
  more.replaceChildren(...schemaFields(method.params, { skip: COMMON, names: NAMES }));
  const fits = fillBases(base, encoders, method, wish);
  about.replaceChildren(...explanation(method, fits, path));
  button.disabled = !fits;
}

const laidOut = ({ method, base, common, more, button }) =>
  h(
    "form",
    {},
    labelled("Method", method),
    labelled("Base encoder", base, "What the training starts from, and what the result is compared with."),
    common,
    field("Name", { name: "name", maxlength: 200, autocomplete: "off", placeholder: "chosen for you" }),
    h("details", {}, h("summary", {}, "More settings"), more),
    h("p.problem", { role: "alert" }),
    h("div.actions", {}, button),
  );

/** Says what is wrong beside the button. What the browser finds wrong under the closed settings must be seen: they open. */
function submits(form, button, send) {
  const problem = form.querySelector(".problem");
  form.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    try {
      await send();
    } catch (error) {
      problem.textContent = error.detail || error.message;
      button.disabled = false;
    }
  });
}

function wanted(form, { name: method, params }) {
  const { base, name } = Object.fromEntries(new FormData(form));
  return { method, base, params: schemaValues(form, params), name: name.trim() || null };
}

/** Only encoders that a training can start from can be chosen; the others say why not. False when there is none. */
function fillBases(select, encoders, method, before) {
  const usable = encoders.filter((one) => !one.collection_id).map((one) => ({ one, why: hindrance(one, method) }));
  const free = usable.filter(({ why }) => !why).map(({ one }) => one.name);
  const value = free.includes(before) ? before : free[0];
  select.replaceChildren(
    ...usable.map(({ one, why }) =>
      h(
        "option",
        { value: one.name, disabled: Boolean(why), selected: one.name === value },
        why ? `${one.name} (${why})` : one.name,
      ),
    ),
  );
  return free.length > 0;
}

function hindrance(encoder, { needs }) {
  if (needs.includes("vit") && !/^vit_/.test(encoder.base)) return "no ViT";
  return encoder.available ? null : "not on this machine";
}

function explanation({ name, summary, paper, needs }, fits, path) {
  return [
    h("h2", {}, name),
    h("p", {}, summary),
    needs.map((need) => NEEDS[need] && h("p.quiet", {}, NEEDS[need])),
    fits
      ? null
      : h(
          "p.problem",
          {},
          "No such base is on this machine. ",
          h("a", { href: `${path}/encoders` }, "See how to get one"),
          ", or choose another method.",
        ),
    h("p", {}, h("a", { href: paper, target: "_blank", rel: "noreferrer" }, `Paper: ${PAPERS[name] ?? "read it"}`)),
    h(
      "p.quiet",
      {},
      "No labels are needed. A tenth of the pictures is held out; at the end the fine-tuned encoder is compared with the frozen one on them, and Roost says which to use. Fine-tuning can also make an encoder worse.",
    ),
  ]
    .flat()
    .filter(Boolean);
}

const known = (methods, ...wishes) =>
  wishes.find((wish) => methods.some(({ name }) => name === wish)) ?? methods[0].name;

const select = (name, options, value) =>
  h(
    "select",
    { name },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)),
  );

const labelled = (text, input, hint) => h("label.field", {}, h("span", {}, text), input, hint && h("small", {}, hint));
