/** Two clusterings side by side: how alike they are, which cluster became which, and the pictures that moved. */
import { all, get } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { count, counted, decimal, percent, time } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go, query } from "../core/router.js";
import { movedList } from "../parts/compare-moved.js";
import { pairList, pairsOf, placeName } from "../parts/compare-pairs.js";
import { collectionOf, frame } from "../parts/frame.js";
import { empty } from "../parts/states.js";
import { term } from "../parts/term.js";

export async function view(page) {
  const found = await collectionOf(page);
  const content = found.clusterings.length > 1 || page.query.get("a") ? await compared(page, found) : tooFew(found);
  const framed = frame(
    page,
    found,
    "Compare",
    h("article.compare", {}, h("h2", {}, "Two clusterings side by side"), content),
  );
  page.title(`Compare clusterings · ${found.collection.name}`);
  return framed;
}

const tooFew = (found) =>
  empty(
    "Two are needed",
    "There is at most one clustering here so far. Sort the pictures again, with another encoder or number of clusters, and compare the two.",
    h("a.button", { href: found.path }, "Back to the clusters"),
    h("a.button", { href: `${found.path}/encoders` }, "Encoders"),
  );

async function compared(page, found) {
  const [newest, second] = found.clusterings;
  const [a, b] = await Promise.all([chosen(page, found, "a", second ?? newest), chosen(page, found, "b", newest)]);
  if (a.id === b.id)
    return h(
      "div",
      {},
      choosers(found, a, b),
      empty("Choose two different ones", "A clustering is always the same as itself."),
    );
  const diff = `/v1/clusterings/${a.id}/diff/${b.id}`;
  const clusters = (one) => all(`/v1/clusterings/${one.id}/clusters?limit=500`, page);
  const [outcome, before, after] = await Promise.all([get(`${diff}?limit=1`, page), clusters(a), clusters(b)]);
  const moved = movedSection(page, found, { diff, changed: outcome.changed, before, after });
  return h(
    "div",
    {},
    choosers(found, a, b),
    summary(outcome, a, b),
    h(
      "section",
      {},
      h("h3", {}, "Which became which"),
      pairList(found.path, a, b, pairsOf(outcome.matches, before, after), moved.choose),
    ),
    outcome.changed ? moved.node : null,
  );
}

/** The address names it; one that is older than the list is asked for. */
function chosen(page, { clusterings }, side, otherwise) {
  const id = page.query.get(side);
  return (id ? clusterings.find((one) => one.id === id) : otherwise) ?? get(`/v1/clusterings/${id}`, page);
}

function choosers(found, a, b) {
  const open = (changes) => go(address(`${found.path}/compare`, { a: a.id, b: b.id, ...changes }), { replaced: true });
  const listed = [a, b].reduce(
    (known, one) => (known.some(({ id }) => id === one.id) ? known : [...known, one]),
    found.clusterings,
  );
  const select = (side, value) =>
    h(
      "label.field",
      {},
      h("span", {}, side === "a" ? "A, before" : "B, after"),
      h(
        "select",
        { onchange: (event) => open({ [side]: event.target.value }) },
        listed.map((one) => h("option", { value: one.id, selected: one.id === value.id }, words(one))),
      ),
    );
  return h(
    "div.choosers",
    {},
    select("a", a),
    h(
      "button",
      {
        type: "button",
        "aria-label": "Swap A and B",
        title: "Swap A and B",
        onclick: () => open({ a: b.id, b: a.id }),
      },
      icon("compare"),
      "Swap",
    ),
    select("b", b),
  );
}

const words = ({ k, encoder, algorithm, created_at: made }) =>
  `${counted(k, "cluster")}, ${encoder.name}, ${algorithm}, ${time(made)}`;

function summary({ images, changed, ari, nmi }, a, b) {
  if (!images) return h("p.summary", {}, "No picture is in both of them, so there is nothing to compare.");
  const encoders =
    a.encoder.id === b.encoder.id
      ? "Both were made by the same encoder."
      : `A was made by ${a.encoder.name}, B by ${b.encoder.name}.`;
  const moved = changed
    ? `${count(changed)} of ${counted(images, "picture")} (${percent(changed / images, 1)}) lie elsewhere; `
    : `All ${counted(images, "picture")} lie where they were; `;
  return h(
    "div.summary",
    {},
    h("p.lead", {}, moved, `the two ${agreement(ari)}.`),
    h(
      "p.quiet",
      {},
      encoders,
      " ",
      term(
        "ARI",
        "Adjusted Rand index: do pairs of pictures lie together in both? 1 is the same, 0 what chance gives.",
      ),
      ` ${decimal(ari)}, `,
      term("NMI", "Normalised mutual information: how much the one says about the other. 1 is all, 0 nothing."),
      ` ${decimal(nmi)}.`,
    ),
  );
}

/** An adjusted Rand index in words. */
function agreement(ari) {
  if (ari >= 0.999) return "are the same";
  if (ari >= 0.9) return "agree almost everywhere";
  if (ari >= 0.7) return "agree well";
  if (ari >= 0.4) return "agree in part";
  return ari >= 0.1 ? "agree little" : "have nothing in common";
}

function movedSection(page, found, source) {
  const list = h("div");
  const from = filter("from", source.before, page.query.get("from"));
  const to = filter("to", source.after, page.query.get("to"));
  const show = () => {
    query({ from: from.value, to: to.value });
    replace(list, movedList(page, found.path, source, { from: from.value, to: to.value }));
  };
  for (const select of [from, to]) select.addEventListener("change", show);
  const clear = h("button", { type: "button", onclick: () => ((from.value = to.value = ""), show()) }, "All");
  const node = h(
    "section",
    { id: "moved" },
    h("h3", { tabindex: -1 }, "Pictures that moved"),
    h("div.tools.moved-filter", {}, labelled("From", from), labelled("To", to), clear),
    list,
  );
  show();
  const choose = ({ before, after }) => {
    // What stays in a pair has not moved: what left the one, or came to the other where there is no one.
    from.value = before ? String(before.id) : "";
    to.value = before ? "" : String(after.id);
    show();
    node.scrollIntoView({ block: "start" });
    node.querySelector("h3").focus({ preventScroll: true });
  };
  return { node, choose };
}

const labelled = (text, input) => h("label.field", {}, h("span", {}, text), input);

function filter(name, clusters, value) {
  const options = [
    ["", "any cluster"],
    ...clusters.map((one) => [String(one.id), placeName({ cluster: one.id, label: one.label })]),
    ["none", "Outliers"],
  ];
  return h(
    "select",
    { name },
    options.map(([key, text]) => h("option", { value: key, selected: key === (value ?? "") }, text)),
  );
}
