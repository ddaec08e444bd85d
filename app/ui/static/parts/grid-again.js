/** Read a grid's list anew without leaving the place: after an undo nobody knows what came back where. */
export async function again(grid, total) {
  Object.assign(grid, { items: [], cursor: null, exhausted: false, total, loading: null });
  grid.selection?.clear();
  await grid.ready();
  grid.redraw();
}
