/** Light, dark or as the system: the same choice as the menu at the top, and always what that says. */
import { h, uid } from "../core/dom.js";

const CHOICES = [
  ["light", "Light"],
  ["dark", "Dark"],
  ["system", "As the system"],
];

export function themeChoice(page) {
  const group = uid("theme");
  const inputs = CHOICES.map(([value]) =>
    h("input", { type: "radio", name: group, value, onchange: () => choose(value) }),
  );
  const show = () => inputs.forEach((input) => (input.checked = input.value === chosen()));
  const watching = new MutationObserver(show);
  watching.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  page.leave(() => watching.disconnect());
  show();
  return h(
    "fieldset.theme-choice",
    {},
    h("legend.visually-hidden", {}, "Colours"),
    CHOICES.map(([, words], place) => h("label", {}, inputs[place], words)),
    h("small", {}, "Kept in this browser."),
  );
}

const chosen = () => document.documentElement.dataset.theme ?? "system";

function choose(theme) {
  localStorage.setItem("roost.theme", theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
