/**
 * One request that carries files. XMLHttpRequest, because fetch does not say how much of a body is sent.
 *
 * This is the one place that knows how bytes go over the wire. Resumable uploads (tus, /v1/uploads) belong here once
 * the service has them: an archive would then be sent in pieces and go on where it was cut; today it starts anew.
 */
import { Problem } from "./api.js";

const STALLED_MS = 60_000; // a connection that moves nothing for so long is as good as cut

/**
 * Send a batch of files as multipart, or one archive as the body. `progress(bytes)` says how much of the files is sent.
 * Resolves with the answer's body; rejects with a Problem, or with an AbortError when `signal` is aborted.
 */
export function transfer(batch, { progress, signal }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    const stalled = watch(() => request.abort());
    const size = batch.size;
    request.open("POST", `/v1/collections/${batch.collection}/images`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", batch.key);
    request.upload.onprogress = ({ loaded, total }) => {
      stalled.moved();
      progress(total ? Math.min(size, (loaded * size) / total) : 0);
    };
    request.upload.onload = stalled.stop; // from here on the service is at work, which may take long
    const cut = () => reject(signal.aborted ? signal.reason : new Problem({ detail: "The connection was cut." }));
    request.onerror = cut;
    request.onabort = cut;
    request.onload = () => settle(request, resolve, reject);
    request.onloadend = stalled.stop;
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body(batch, request));
  });
}

function body({ entries, type }, request) {
  if (type) {
    request.setRequestHeader("Content-Type", type);
    return entries[0].file;
  }
  const form = new FormData();
  for (const { file, name } of entries) form.append("files", file, name);
  return form;
}

function settle(request, resolve, reject) {
  const answer = parsed(request.responseText);
  if (answer && request.status < 300) return resolve(answer);
  const { status, statusText: detail } = request;
  const title = `The service answered ${status}`;
  const problem = new Problem({ code: "unexplained", title, detail, ...answer, status });
  problem.retryAfter = Number(request.getResponseHeader("Retry-After")) || 2;
  reject(problem);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // from something in between, which does not speak JSON
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
