/** The encoders of a collection: what there is, what is missing, and how those that were tuned here compare. */
import { all, get } from "../core/api.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { encoderCards } from "../parts/encoder-cards.js";
import { encoderComparison } from "../parts/encoder-comparison.js";
import { collectionOf, frame } from "../parts/frame.js";
import { empty } from "../parts/states.js";

export async function view(page) {
  const found = await collectionOf(page);
  const [encoders, comparison] = await Promise.all([
    all("/v1/encoders?limit=500", page),
    get(`/v1/collections/${found.collection.id}/encoders/compare`, page),
  ]);
  const tuned = encoders.filter((one) => one.collection_id === found.collection.id).reverse();
  const general = encoders.filter((one) => !one.collection_id);
  const content = h(
    "div.encoders",
    {},
    encoderComparison(found, comparison),
    section("Fine-tuned on these pictures", null, tuned.length ? encoderCards(page, found, tuned) : none(found)),
    section(
      "Ready to use",
      "They learnt on other pictures and can sort any collection.",
      encoderCards(
        page,
        found,
        general.filter((one) => one.available),
      ),
    ),
    section(
      "Missing on this machine",
      "They can be used once their weights are here.",
      encoderCards(
        page,
        found,
        general.filter((one) => !one.available),
      ),
    ),
  );
  return frame(page, found, "Encoders", content, {
    tools: [
      h(
        tuned.length ? "a.button" : "a.button.primary",
        { href: `${found.path}/train` },
        icon("train"),
        "Fine-tune an encoder",
      ),
    ],
  });
}

const section = (title, about, cards) =>
  cards.children.length
    ? h("section.encoder-group", {}, h("h2", {}, title), about && h("p.quiet", {}, about), cards)
    : null;

const none = (found) =>
  empty(
    "None yet",
    "An encoder that learns from these very pictures, without labels, may tell them apart better. Roost compares it with the frozen one and says which to use.",
    h("a.button", { href: `${found.path}/train` }, icon("train"), "Fine-tune an encoder"),
  );
