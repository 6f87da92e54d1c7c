// Asking and telling the service. A refusal is a `Refused` with a code that the wording knows.

export class Refused extends Error {
  constructor(code, { retry = false, status = 0, retryAfter = 0, answer = {} } = {}) {
    super(code);
    this.code = code;
    this.retry = retry;
    this.status = status;
    this.retryAfter = retryAfter;
    this.answer = answer;
  }
}

/** Read something. */
export function ask(path) {
  return send(path, { method: "GET" });
}

/** Change something. The header is one that no other site's form can send. */
export function tell(path, fields) {
  return send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
}

export async function send(path, { headers = {}, ...options }) {
  const response = await reach(path, { ...options, headers: { ...headers, "X-Kakehashi-Desk": "1" } });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw refusal(response, answer);
}

export async function reach(path, options) {
  try {
    return await fetch(`api/${path}`, { ...options, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("offline", { retry: true });
  }
}

function refusal(response, answer) {
  const { code = "unknown", retry = false, retry_after: retryAfter = 0 } = answer.error ?? {};
  if (code === "not_signed_in") window.dispatchEvent(new CustomEvent("signed-out"));
  const passing = retry || response.status >= 502;
  return new Refused(code, { retry: passing, status: response.status, retryAfter, answer });
}

/** A random id of ours, which names one thing we want for ever: a repeat carries the same one. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
