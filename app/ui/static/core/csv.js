/**
 * CSV (RFC 4180) that a spreadsheet opens without running anything: a cell that starts like a formula gets an
 * apostrophe in front, as in every CSV of the service.
 */
const FORMULA = /^[=+\-@\t\r']/;
const QUOTED = /[",\r\n]/;

function cell(value) {
  const text = String(value ?? "");
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvLine = (cells) => `${cells.map(cell).join(",")}\r\n`;

/** Hands a text to the browser as a file. */
export function download(name, parts, type = "text/csv;charset=utf-8") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // not before the browser has read it
}
