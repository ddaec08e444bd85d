/** The picture that was dropped or pasted to search with: the search view takes it from here. */
let picture = null;

export const droppedPicture = () => picture;

export function setDroppedPicture(file) {
  picture = file;
}
