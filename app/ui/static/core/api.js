/**
 * Roost's own REST API. Every failure is a Problem with the code and the sentence the service gave.
 * While the service does not answer, reading is tried again for some seconds and the page says that it waits.
 */
export class Problem extends Error {
  constructor({ status = 0, code = "unreachable", title = "The service does not answer", detail, errors }) {
    super(detail ?? title);
    Object.assign(this, { status, code, title, detail: detail ?? "", errors: errors ?? [] });
  }
}

const WAITS_MS = [300, 1000, 3000];
const listeners = new Set();
const locked = new Set();

/** Called with true when the service answers, with false when it does not. */
export function onReachable(listener) {
  listeners.add(listener);
}

/** Called when the service asks for a key that this browser does not have, or no longer. */
export function onLocked(listener) {
  locked.add(listener);
}

export const get = async (path, options) => (await read(path, options)).body;

/** The body and its ETag, which a change must send back. */
export async function read(path, { signal, accept = "application/json" } = {}) {
  const answer = await patient(() => fetch(path, { signal, headers: { Accept: accept } }), signal);
  return { body: await content(answer), etag: answer.headers.get("ETag") };
}

/**
 * POST, PATCH or DELETE. `etag` becomes If-Match; `once` makes a repeat after a lost answer harmless
 * (Idempotency-Key), so those are tried again like reading. `body` is JSON, FormData or a Blob.
 */
export async function send(method, path, { body, etag, once = method === "POST", signal, type } = {}) {
  const headers = { Accept: "application/json" };
  if (etag) headers["If-Match"] = etag;
  if (once) headers["Idempotency-Key"] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const plain = body !== undefined && !(body instanceof FormData) && !(body instanceof Blob);
  if (plain) headers["Content-Type"] = "application/json";
  else if (type) headers["Content-Type"] = type;
  const request = () => fetch(path, { method, headers, signal, body: plain ? JSON.stringify(body) : body });
  const answer = await (once ? patient(request, signal) : one(request));
  return { body: await content(answer), etag: answer.headers.get("ETag"), status: answer.status };
}

export const post = async (path, body, options = {}) => (await send("POST", path, { body, ...options })).body;

/** The pages of a list, one after the other: for await (const items of pages("/v1/jobs?limit=500")) ... */
export async function* pages(path, { signal } = {}) {
  let cursor = null;
  do {
    const url = new URL(path, location.href);
    if (cursor) url.searchParams.set("cursor", cursor);
    const page = await get(url.pathname + url.search, { signal });
    yield page.items;
    cursor = page.next_cursor;
  } while (cursor);
}

/** A whole list that is known to be short. */
export async function all(path, options) {
  const items = [];
  for await (const page of pages(path, options)) items.push(...page);
  return items;
}

async function patient(request, signal) {
  for (const wait of WAITS_MS) {
    try {
      return await one(request);
    } catch (error) {
      if (error.code !== "unreachable" || signal?.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return one(request);
}

async function one(request) {
  let answer;
  try {
    answer = await request();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    reachable(false);
    throw new Problem({ detail: "Check that roost serve still runs and that the network is there." });
  }
  reachable(true);
  if (answer.status === 401) for (const listener of locked) listener();
  if (!answer.ok) throw new Problem({ status: answer.status, ...(await explanation(answer)) });
  return answer;
}

async function explanation(answer) {
  try {
    return await answer.json();
  } catch {
    return { code: "unexplained", title: `The service answered ${answer.status}`, detail: answer.statusText };
  }
}

async function content(answer) {
  const type = answer.headers.get("Content-Type") ?? "";
  if (answer.status === 204) return null;
  if (type.includes("json")) return answer.json();
  return type.startsWith("text/") ? answer.text() : answer.arrayBuffer();
}

let last = true;

function reachable(now) {
  if (now === last) return;
  last = now;
  for (const listener of listeners) listener(now);
}
