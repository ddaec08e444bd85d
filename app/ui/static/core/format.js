/** Numbers, sizes, times and rates as people read them, in the browser's language. */
const number = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export const count = (value) => number.format(value);

/** count(1) + " image", count(3) + " images"; irregular words are given whole: counted(3, "box", "boxes"). */
export const counted = (value, one, many = `${one}s`) => `${number.format(value)} ${value === 1 ? one : many}`;

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (value >= 1000 && step < units.length - 1) [value, step] = [value / 1000, step + 1];
  return `${short.format(value)} ${units[step]}`;
}

export function duration(seconds) {
  if (seconds < 1) return "under a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${short.format(seconds / 3600)} h`;
}

export const percent = (share, digits = 0) => `${(share * 100).toFixed(digits)}%`;
export const decimal = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits));
export const day = (text) => date.format(new Date(text));
export const time = (text) => moment.format(new Date(text));

export function ago(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  const steps = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ];
  const [unit, size] = steps.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** A name with its folder out of the way: what fits under a picture. */
export const basename = (name) => name.slice(name.lastIndexOf("/") + 1);
