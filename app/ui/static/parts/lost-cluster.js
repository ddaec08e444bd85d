/** What stands where a cluster was, when corrections have left nothing of it or the address names none. */
import { get } from "../core/api.js";
import { h } from "../core/dom.js";
import { editWords } from "../core/edit-words.js";
import { icon } from "../core/icons.js";
import { shortcuts, undoKeys } from "./shortcuts.js";
import { empty } from "./states.js";
import { complain } from "./toast.js";

/** `state` of the cluster's view: page, found, edits, number. Says which correction an undo would take back. */
export async function lostCluster({ page, found, edits, number, cluster }, all) {
  const last = cluster && edits && (await newest(found.clustering.id, page));
  const back = () => edits.undo().then((done) => done && page.reload(), complain);
  if (last)
    shortcuts(
      page,
      undoKeys(back, () => edits.redo().catch(complain)),
    );
  const title = cluster ? "This cluster has no pictures any more" : `There is no cluster ${number}`;
  const gone = "They were moved elsewhere or deleted.";
  return empty(
    title,
    last ? `${gone} The last correction was: ${editWords(last)}.` : cluster ? gone : "The address may be mistyped or old.",
    last && h("button", { type: "button", onclick: back }, icon("undo"), "Undo the last correction"),
    h("a.button.primary", { href: all }, "All clusters"),
  );
}

async function newest(clustering, page) {
  const { items } = await get(`/v1/clusterings/${clustering}/edits?limit=20`, page);
  return items.find(({ state }) => state === "done") ?? null;
}
