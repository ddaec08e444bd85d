/** Questions. Each resolves with the answer, or with null when it is closed without one. */
import { h, uid } from "../core/dom.js";
import { icon } from "../core/icons.js";

/**
 * A form in a dialog. `fields` are nodes with named inputs; `submit(data)` gets them as an object and may throw: the
 * dialog then stays and says why. Resolves with what submit returned.
 */
export function ask({
  title,
  text,
  fields = [],
  action = "OK",
  danger = false,
  wide = false,
  submit = (data) => data,
}) {
  const id = uid("dialog");
  const problem = h("p.problem", { role: "alert" });
  const button = h(`button.${danger ? "danger" : "primary"}`, { type: "submit" }, action);
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id }, title),
    text && h("p", {}, text),
    fields,
    problem,
    h("div.actions", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), button),
  );
  const dialog = h(
    `dialog${wide ? ".wide" : ""}`,
    { "aria-labelledby": id },
    closer(() => dialog.close()),
    form,
  );
  return new Promise((resolve) => {
    let answer = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        answer = await submit(Object.fromEntries(new FormData(form)));
        dialog.close();
      } catch (error) {
        problem.textContent = error.detail || error.message;
      }
      button.disabled = false;
    });
    dialog.addEventListener("close", () => (dialog.remove(), resolve(answer)));
    show(dialog);
  });
}

/** Delete something for good: its name must be typed. */
export function confirmByName({ title, text, name, action = "Delete", submit }) {
  const input = h("input", { name: "typed", autocomplete: "off", required: true, autofocus: true });
  const label = h("label.field", {}, h("span", {}, "Type ", h("strong", {}, name), " to confirm"), input);
  const check = async ({ typed }) => {
    if (seen(typed) !== seen(name)) throw new Error(`That is not “${name}”. Nothing was deleted.`);
    await submit?.();
    return true;
  };
  return ask({ title, text, fields: [label], action, danger: true, submit: check });
}

/** A name as it can be read and typed: marks of direction cannot, and many blanks look like one. */
const seen = (text) =>
  text
    .normalize("NFC")
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/\s+/g, " ")
    .trim();

/** Content of any kind in a dialog; returns a function that closes it. */
export function sheet(title, ...content) {
  const id = uid("dialog");
  const dialog = h(
    "dialog.wide",
    { "aria-labelledby": id },
    closer(() => dialog.close()),
    h("h2", { id }, title),
    content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  show(dialog);
  return () => dialog.close();
}

/** field("Name", { name: "name", required: true }, "shown below it") */
export function field(label, attributes, hint) {
  const input = h(attributes.rows ? "textarea" : "input", attributes);
  return h("label.field", {}, h("span", {}, label), input, hint && h("small", {}, hint));
}

const closer = (close) =>
  h("button.plain.closer", { type: "button", "aria-label": "Close", onclick: close }, icon("close"));

function show(dialog) {
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.showModal();
}
