/**
 * One request that carries bytes. XMLHttpRequest, because fetch does not say how much of a body is sent.
 */
import { Problem } from "./api.js";

const STALLED_MS = 60_000; // a connection that moves nothing for so long is as good as cut

/**
 * Resolves with the request once it was answered well; rejects with a Problem, or with an AbortError when `signal` is
 * aborted. `progress(sent, total)` counts the bytes of the body, in which a form's own are.
 */
export function carry(method, path, { headers = {}, body = null, progress = () => {}, signal }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    const stalled = watch(() => request.abort());
    request.open(method, path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => {
      stalled.moved();
      progress(loaded, total);
    };
    request.upload.onload = stalled.stop; // from here on the service is at work, which may take long
    const cut = () => reject(signal.aborted ? signal.reason : new Problem({ detail: "The connection was cut." }));
    request.onerror = cut;
    request.onabort = cut;
    request.onload = () => (request.status < 300 ? resolve(request) : reject(refusal(request)));
    request.onloadend = stalled.stop;
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

/** What an answer says went wrong. */
export function refusal(request) {
  const { status, statusText: detail } = request;
  const title = `The service answered ${status}`;
  const problem = new Problem({ code: "unexplained", title, detail, ...parsed(request.responseText), status });
  problem.retryAfter = Number(request.getResponseHeader("Retry-After")) || 2;
  return problem;
}

/** A body's JSON; null from something in between, which does not speak it. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function watch(give) {
  let timer = setTimeout(give, STALLED_MS);
  const stop = () => clearTimeout(timer);
  const moved = () => {
    stop();
    timer = setTimeout(give, STALLED_MS);
  };
  return { moved, stop };
}
