/** Delete pictures: only after their number was named, with a bar, and it can be stopped. */
import { send } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { count, counted } from "../core/format.js";
import { ask } from "./dialog.js";
import { complain, toast } from "./toast.js";

const AT_ONCE = 4;

/** Asks, deletes, and resolves with the ids that are gone. `place` is where the bar stands meanwhile. */
export async function deletePictures(ids, text, place) {
  const pictures = counted(ids.length, "picture");
  const sure = await ask({
    title: `Delete ${pictures}?`,
    text,
    action: `Delete ${pictures}`,
    danger: true,
    submit: () => true,
  });
  if (!sure) return [];
  const gone = await working(ids, place);
  const whole = gone.length === ids.length;
  toast(whole ? `${pictures} deleted.` : `${count(gone.length)} of ${pictures} deleted.`, { kind: whole ? "info" : "bad" });
  return gone;
}

async function working(ids, place) {
  const bar = h("progress", { max: ids.length, value: 0, "aria-label": "Deleting" });
  const words = h("span.quiet");
  let stopped = false;
  const stop = h("button.small", { type: "button", onclick: () => (stopped = true) }, "Stop");
  replace(
    place,
    h(
      "section.job",
      { "aria-label": "Work under way" },
      h("div.job-words", {}, h("strong", {}, "Deleting …"), words, stop),
      bar,
    ),
  );
  const waiting = [...ids];
  const gone = [];
  const one = async () => {
    while (waiting.length && !stopped) {
      const id = waiting.pop();
      await remove(id);
      gone.push(id);
      bar.value = gone.length;
      words.textContent = `${count(gone.length)} of ${count(ids.length)}`;
    }
  };
  const failed = (error) => {
    stopped = true;
    complain(error);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, () => one().catch(failed)));
  replace(place);
  return gone;
}

/** One that somebody else has deleted meanwhile is as good as done. */
async function remove(id) {
  try {
    await send("DELETE", `/v1/images/${id}`);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}
