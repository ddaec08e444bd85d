/** Encoders as cards: what each is, whether it can be used, and what can be done with it. */
import { send } from "../core/api.js";
import { h } from "../core/dom.js";
import { day } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address } from "../core/router.js";
import { confirmByName } from "./dialog.js";
import { facts } from "./facts.js";
import { reclusterButton } from "./recluster.js";
import { toast } from "./toast.js";
import { badge, verdict } from "./verdict.js";

export const encoderCards = (page, found, encoders) =>
  h(
    "ul.encoder-cards",
    {},
    encoders.map((one) => h("li.encoder-card", { data: { available: String(one.available) } }, card(page, found, one))),
  );

function card(page, found, one) {
  const sorts = found.clustering?.encoder.id === one.id ? h("span.badge", {}, "In use") : null;
  return [
    h("h3", {}, h("a", { href: `${found.path}/encoders/${one.id}` }, one.name), badge(one), sorts),
    verdict(one),
    one.reason && h("p.reason", {}, linked(one.reason)),
    facts(
      ["Base", one.base],
      one.method && ["Method", one.method],
      ["Vector", `${one.dim} numbers a picture`],
      one.method && ["Made", day(one.created_at)],
    ),
    one.available
      ? h(
          "div.actions",
          {},
          one.method && h("a.button", { href: `${found.path}/encoders/${one.id}` }, "Details"),
          one.id !== found.clustering?.encoder.id && reclusterButton(found, one),
          more(page, found, one),
        )
      : null,
  ];
}

function more(page, found, one) {
  if (one.origin !== "finetuned") {
    return h("a.button", { href: address(`${found.path}/train`, { base: one.name }) }, icon("train"), "Fine-tune it");
  }
  return h(
    "button.danger-text",
    { type: "button", onclick: () => removeEncoder(found, one, () => page.reload()) },
    icon("delete"),
    "Delete",
  );
}

/** Asks for the name first. `done` is called when it is gone. */
export async function removeEncoder(found, encoder, done) {
  const text = "Its clusterings in this collection, with all their corrections, go with it. The pictures stay.";
  const submit = () => send("DELETE", `/v1/encoders/${encoder.id}`);
  if (await confirmByName({ title: `Delete “${encoder.name}”?`, text, name: encoder.name, submit })) {
    toast(`${encoder.name} is deleted.`);
    done();
  }
}

/** The service's sentence, with its web addresses to click on. */
export const linked = (text) =>
  text
    .split(/(https:\/\/[^\s,]+[^\s,.])/)
    .map((part) =>
      part.startsWith("https://") ? h("a", { href: part, rel: "noreferrer", target: "_blank" }, part) : part,
    );
