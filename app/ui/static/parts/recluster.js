/** Sort the collection again with another encoder, in the way it was sorted last, so that the two can be compared. */
import { post } from "../core/api.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { go } from "../core/router.js";
import { complain, toast } from "./toast.js";

/** reclusterButton(found, encoder, { text: "Re-cluster with the winner" }) */
export function reclusterButton(found, encoder, { text = "Re-cluster with it", kind = "button" } = {}) {
  const run = async () => {
    button.disabled = true;
    try {
      const { algorithm, k_requested: k } = found.clusterings[0] ?? { algorithm: "kmeans", k_requested: "auto" };
      await post(`/v1/collections/${found.collection.id}/clusterings`, { encoder: encoder.id, algorithm, k });
      toast(`Sorting anew with ${encoder.name}.`, {
        action: "Compare when done",
        run: () => go(`${found.path}/compare`),
      });
      go(found.path);
    } catch (error) {
      button.disabled = false;
      complain(error);
    }
  };
  const button = h(kind, { type: "button", onclick: run, disabled: encoder.available === false }, icon("sort"), text);
  return button;
}
