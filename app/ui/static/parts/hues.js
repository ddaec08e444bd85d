/** One colour a cluster, readable on light and on dark paper, and as different from the others as hues can be. */
const GOLDEN_ANGLE = 137.508; // degrees: each next hue falls into the widest gap that is left
const RINGS = [0, -0.07, 0.07]; // neighbours in hue differ in lightness too

/** [red, green, blue], 0 to 255, of a cluster's number; of null or a negative number the grey of "in none". */
export function hue(number, dark = isDark()) {
  if (number === null || number < 0) return dark ? [125, 132, 138] : [140, 146, 150];
  const lightness = (dark ? 0.76 : 0.57) + RINGS[number % RINGS.length];
  return oklch(lightness, dark ? 0.13 : 0.15, (number * GOLDEN_ANGLE + 170) % 360);
}

export const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

export const isDark = () =>
  getComputedStyle(document.documentElement).colorScheme === "dark" ||
  (document.documentElement.dataset.theme === undefined && matchMedia("(prefers-color-scheme: dark)").matches);

/** Called when the page turns light or dark. */
export function onTheme(listener, signal) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener, { signal });
  const watching = new MutationObserver(listener);
  watching.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  signal?.addEventListener("abort", () => watching.disconnect());
}

/** Oklch to sRGB (B. Ottosson 2020): equal lightness looks equally light in all hues, as in HSL it does not. */
function oklch(lightness, chroma, degrees) {
  const a = chroma * Math.cos((degrees * Math.PI) / 180);
  const b = chroma * Math.sin((degrees * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map(byte);
}

function byte(linear) {
  const share = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, share)));
}
