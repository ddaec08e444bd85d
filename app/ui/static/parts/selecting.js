/** How a grid is worked: click, shift, control, a rubber band, and all of it by keyboard. */
import { h } from "../core/dom.js";

const DRAG_PX = 6; // less is a click with an unsteady hand
const EDGE_PX = 48; // so near to the edge of the screen the page scrolls along

export function selecting(grid) {
  grid.node.addEventListener("keydown", (event) => key(event, grid));
  grid.node.addEventListener("focus", () => grid.mark());
  grid.node.addEventListener("dblclick", (event) => open(grid, grid.placeOf(event.target)));
  grid.node.addEventListener("click", (event) => click(event, grid));
  if (grid.selection) grid.node.addEventListener("pointerdown", (event) => band(event, grid));
}

function open(grid, place) {
  if (place !== null && grid.items[place]) grid.open?.(grid.items[place], place);
}

function click(event, grid) {
  const place = grid.placeOf(event.target);
  if (place === null || grid.banding) return;
  grid.current = place;
  const { selection } = grid;
  if (!selection || (event.pointerType === "touch" && !selection.size)) return open(grid, place);
  if (event.shiftKey) selection.range(place);
  else if (event.ctrlKey || event.metaKey || event.pointerType === "touch") selection.toggle(place);
  else selection.only(place);
  grid.mark();
}

function key(event, grid) {
  const { selection, current, columns } = grid;
  const page = columns * Math.max(1, Math.floor(innerHeight / grid.step) - 1);
  const to = {
    ArrowLeft: current - 1,
    ArrowRight: current + 1,
    ArrowUp: current - columns,
    ArrowDown: current + columns,
    Home: 0,
    End: grid.length - 1,
    PageUp: current - page,
    PageDown: current + page,
  }[event.key];
  if (to !== undefined && !event.altKey) {
    grid.focus(to);
    if (selection && event.shiftKey) selection.range(grid.current);
    else if (selection) selection.anchor = grid.current;
  } else if (event.key === "Enter") open(grid, current);
  else if (event.key === " " && selection) selection.toggle(current);
  else if (event.key === "a" && (event.ctrlKey || event.metaKey) && selection) selection.set(grid.items.keys());
  else if (event.key === "Escape" && selection?.size) selection.clear();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** A rubber band: with the mouse, from anywhere in the grid. Control adds to what is selected already. */
function band(event, grid) {
  if (event.button || event.pointerType !== "mouse") return;
  const from = inside(event, grid);
  const before = event.ctrlKey || event.metaKey ? grid.selection.places : [];
  const box = h("div.band");
  let last = event;
  let scrolling = 0;
  const draw = () => {
    const to = inside(last, grid);
    const area = {
      left: Math.min(from.x, to.x),
      top: Math.min(from.y, to.y),
      right: Math.max(from.x, to.x),
      bottom: Math.max(from.y, to.y),
    };
    if (!grid.banding && Math.max(area.right - area.left, area.bottom - area.top) < DRAG_PX) return;
    if (!grid.banding) grid.node.append(box);
    grid.banding = true;
    for (const side of ["left", "top"]) box.style.setProperty(side, `${area[side]}px`);
    box.style.setProperty("width", `${area.right - area.left}px`);
    box.style.setProperty("height", `${area.bottom - area.top}px`);
    grid.selection.set([...before, ...grid.within(area)]);
  };
  const along = () => {
    const pull = last.clientY < EDGE_PX ? -1 : last.clientY > innerHeight - EDGE_PX ? 1 : 0;
    if (pull && grid.banding) (scrollBy(0, pull * 16), draw());
    scrolling = requestAnimationFrame(along);
  };
  const move = (now) => ((last = now), draw());
  const end = () => {
    cancelAnimationFrame(scrolling);
    removeEventListener("pointermove", move);
    box.remove();
    setTimeout(() => (grid.banding = false)); // the click that follows is not one
  };
  addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, end, { once: true });
  scrolling = requestAnimationFrame(along);
}

function inside(event, grid) {
  const place = grid.node.getBoundingClientRect();
  return { x: event.clientX - place.left, y: event.clientY - place.top };
}
