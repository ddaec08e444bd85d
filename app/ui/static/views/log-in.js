/** Instead of any view, while the service wants a key that this browser does not have. `unlock` goes on with the view. */
import { post } from "../core/api.js";
import { h } from "../core/dom.js";
import { field } from "../parts/dialog.js";

export function view(page, unlock) {
  page.title("Log in");
  const problem = h("p.problem", { role: "alert" });
  const button = h("button.primary", { type: "submit" }, "Log in");
  const key = { name: "key", type: "password", autocomplete: "current-password", required: true, autofocus: true };
  const form = h(
    "form",
    {},
    field("Key", key, "It begins with roost_ and was shown once, when it was made."),
    problem,
    h("div.actions", {}, button),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await post("/v1/session", { key: new FormData(form).get("key").trim() }, { once: false, signal: page.signal });
      unlock();
    } catch (error) {
      if (error.name !== "AbortError") problem.textContent = error.detail || error.message;
      button.disabled = false;
    }
  });
  return h(
    "section.log-in",
    {},
    h("h1", {}, "Log in"),
    h("p.quiet", {}, "This service opens with a key. Whoever runs it makes one with roost key create, or in its settings."),
    form,
  );
}
