/** The page's icons: paths in a square of 24, drawn with a line. */
const PATHS = {
  add: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  check: "M5 12.500l4.500 4.500L19 7.500",
  close: "M6 6l12 12M18 6L6 18",
  compare: "M12 4v16M4 7h5v10H4zM15 7h5v10h-5z",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  dark: "M20 14.500A8.500 8.500 0 1 1 9.500 4a7 7 0 0 0 10.500 10.500z",
  delete: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  download: "M12 4v11m-5-5l5 5 5-5M5 20h14",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500v.01",
  keyboard: "M3 6h18v12H3zM7 10v.01M11 10v.01M15 10v.01M8 14h8",
  light:
    "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500L19 19M19 5l-1.500 1.500M6.500 17.500L5 19",
  merge: "M6 4v4c0 4 6 4 6 8v4M18 4v4c0 4-6 4-6 8",
  more: "M5.500 12h1M11.500 12h1M17.500 12h1",
  move: "M4 12h15m-5-5l5 5-5 5",
  next: "M9 5l7 7-7 7",
  pause: "M9 5v14M15 5v14",
  pin: "M12 21v-7M7 14h10l-2-4V5h1V3H8v2h1v5z",
  play: "M8 5l11 7-11 7z",
  redo: "M19 9l-4-4M19 9l-4 4M19 9H10a5 5 0 0 0 0 10h4",
  search: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16 16l4.500 4.500",
  sort: "M4 6h16M4 12h10M4 18h5",
  split: "M12 20v-7M12 13L6 4M12 13l6-9",
  system: "M4 5h16v11H4zM9 20h6",
  train: "M4 18c4 0 4-12 8-12s4 6 8 6",
  undo: "M5 9l4-4M5 9l4 4M5 9h9a5 5 0 0 1 0 10h-4",
  upload: "M12 20V8m-5 5l5-5 5 5M5 4h14",
  web: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.01",
};
const SVG = "http://www.w3.org/2000/svg";

/** An icon says nothing to a screen reader: the words stand beside it, or in the button's aria-label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["viewBox", "0 0 24 24"],
    ["class", "icon"],
    ["aria-hidden", "true"],
  ]) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
