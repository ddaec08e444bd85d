/** What nobody looks at yet can wait: near(node, run) runs something once, when the node comes near the screen. */
const MARGIN = "100px"; // browsers begin with loading="lazy" some thousand pixels ahead: megabytes nobody may ever see
const waiting = new WeakMap();
const observer = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach(arrived), {
  rootMargin: MARGIN,
});

export function near(node, run) {
  waiting.set(node, run);
  observer.observe(node);
}

function arrived({ target }) {
  observer.unobserve(target);
  waiting.get(target)();
}
