/** A gallery to try Roost with, drawn by the service itself: nothing is fetched from anywhere. */
import { post } from "../core/api.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { follow } from "../core/jobs.js";
import { go } from "../core/router.js";
import { sortNow } from "./sort-dialog.js";
import { complain } from "./toast.js";

async function start(event) {
  event.currentTarget.disabled = true;
  try {
    const { id, collection_id: collection } = await post("/v1/samples", {});
    go(`/collections/${collection}`);
    const job = await follow(id, () => {});
    if (job.state === "succeeded") await sortNow(collection);
    if (location.pathname === `/collections/${collection}`) go(`/collections/${collection}`, { replaced: true });
  } catch (error) {
    complain(error);
  }
}

export const sampleButton = (text = "Sample gallery") =>
  h("button", { type: "button", onclick: start }, icon("image"), text);
