// Calls of the admin listener, with the token that the operator gave. It is kept for this tab alone.

const KEPT = "dface-token";

/** A call that was refused: the server's own sentence. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEPT),
  keep: (text) => sessionStorage.setItem(KEPT, text),
  forget: () => sessionStorage.removeItem(KEPT),
};

async function ask(method, path, { fields, signal, accept } = {}) {
  const headers = { authorization: `Bearer ${token.get() ?? ""}` };
  if (accept) headers.accept = accept;
  let body;
  if (fields) {
    headers["content-type"] = "application/json";
    body = JSON.stringify(fields);
  }
  const answer = await fetch(path, { method, headers, body, signal, cache: "no-store", credentials: "omit" });
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  const refused = new Refused(answer.status, told.code ?? "", told.error ?? `HTTP ${answer.status}`);
  if (answer.status === 401) dispatchEvent(new CustomEvent("signed-out"));
  throw refused;
}

/** A path with a query; what is empty is left out. */
export function query(path, given) {
  const filled = Object.entries(given).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return filled.length ? `${path}?${new URLSearchParams(filled)}` : path;
}

export const get = async (path, signal) => (await ask("GET", path, { signal })).json();
export const text = async (path, signal) => (await ask("GET", path, { signal })).text();
export const send = async (method, path, fields = {}) => (await ask(method, path, { fields })).json();
export const post = (path, fields) => send("POST", path, fields);

/** A picture, as a URL of this page; to be given back by URL.revokeObjectURL. */
export async function picture(path, signal) {
  return URL.createObjectURL(await (await ask("GET", path, { signal })).blob());
}

/** Calls `each` with every line of JSON as it comes, until the signal ends it. */
export async function lines(path, signal, each) {
  const answer = await ask("GET", path, { signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    parts.filter(Boolean).forEach((line) => each(JSON.parse(line)));
  }
}

/** Whether it was only that the page was left. */
export const left = (error) => error.name === "AbortError";
