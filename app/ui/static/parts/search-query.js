/** What is searched with, in pictures; and, when nothing is, all the ways to search. */
import { setDroppedPicture } from "../core/dropped.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { address, go } from "../core/router.js";
import { picture } from "./picture.js";

/** `without(parameters)` is the address of the search with these parts changed. */
export function queryShown(asked, found, without, page) {
  if (asked.byPicture) return own(asked, found, page);
  const { image, box, like, unlike } = asked;
  const parts = [];
  if (image && box)
    parts.push(
      group("Part of", [
        h(
          "li",
          {},
          h("a", { href: `${found.path}/images/${image}`, "aria-label": "Open the picture" }, boxed(image, box)),
        ),
      ]),
    );
  else if (image) parts.push(group("Like this", [example(image, found, without({ image: null }))]));
  const rest = (list, id) => list.filter((one) => one !== id).join(",");
  if (like.length)
    parts.push(
      group(
        image ? "and these" : "Like these",
        like.map((id) => example(id, found, without({ like: rest(like, id) }))),
      ),
    );
  if (unlike.length)
    parts.push(
      group(
        "but not these",
        unlike.map((id) => example(id, found, without({ unlike: rest(unlike, id) }))),
      ),
    );
  return h("section.query", { "aria-label": "Searched with" }, parts, chooser(found, "Another picture"));
}

const group = (title, items) => h("div.query-group", {}, h("h2", {}, title), h("ul", {}, items));

const example = (id, found, href) =>
  h(
    "li",
    {},
    h(
      "a",
      { href: `${found.path}/images/${id}`, "aria-label": "Open the picture" },
      picture(id, { size: 256, eager: true }),
    ),
    h("a.query-remove", { href, "aria-label": "Take this example away", title: "Take away" }, icon("close")),
  );

/** The whole picture with its part marked: people see what they drew, not a cut-out they have to recognise. */
function boxed(id, [x, y, width, height]) {
  const mark = h("span.query-box", {
    style: { left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * width}%`, height: `${100 * height}%` },
  });
  return h("span.query-boxed", {}, picture(id, { size: 256, eager: true }), mark);
}

function own({ picture: file }, found, page) {
  const shown = h("img", { alt: file.name || "Pasted picture" });
  const url = URL.createObjectURL(file);
  page.leave(() => URL.revokeObjectURL(url));
  shown.addEventListener("error", () => shown.classList.add("missing")); // a HEIC, say: the service can read it, the browser not
  shown.src = url;
  return h(
    "section.query",
    { "aria-label": "Searched with" },
    group("Like your picture", [h("li", {}, shown)]),
    chooser(found, "Another picture"),
  );
}

/** A button that takes a picture from this machine. It is sent with the search and kept nowhere. */
export function chooser(found, words, kind = "button") {
  const input = h("input", {
    type: "file",
    accept: "image/*,.heic,.heif,.avif,.tif,.tiff",
    hidden: true,
    "aria-hidden": "true",
    tabindex: -1,
  });
  input.addEventListener("change", () => {
    if (!input.files.length) return;
    setDroppedPicture(input.files[0]);
    go(address(`${found.path}/search`, { by: "picture" }));
  });
  return h("span.chooser", {}, h(kind, { type: "button", onclick: () => input.click() }, icon("image"), words), input);
}

/** Nothing is searched with yet, or the picture is gone with a reload. */
export function waysIn(found, lost) {
  const way = (symbol, title, ...text) => h("li", {}, icon(symbol), h("h3", {}, title), h("p.quiet", {}, text));
  return h(
    "section.ways",
    {},
    lost
      ? h(
          "p.notice",
          { role: "status" },
          "The picture you searched with was not kept when the page was loaded again. Choose it once more.",
        )
      : null,
    h("h2", {}, "Search with a picture"),
    h("div.actions", {}, chooser(found, "Choose a picture", "button.primary")),
    h(
      "ul",
      {},
      way(
        "upload",
        "Drop or paste one",
        "Drag a picture onto this page, or copy it elsewhere and paste it here. It is not added to the collection.",
      ),
      way(
        "image",
        "Start from one of yours",
        "Open any ",
        h("a", { href: `${found.path}/images` }, "picture"),
        " and press “Find similar”.",
      ),
      way("edit", "Search with a part", "On an open picture press B and draw a box around what you mean."),
      way("check", "Say what fits", "Mark results that fit and some that do not, and search again with those."),
    ),
  );
}
