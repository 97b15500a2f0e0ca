// The API over HTTP. A failure is an ApiError whose `away` says whether trying again may help.

import { readToken } from "./write-token.js";

const TIMEOUT = 15_000;

export class ApiError extends Error {
  constructor(message, { status = null, code = null, field = null, away = false } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = field;
    this.away = away;
  }
}

// A token that was given for this tab goes along with every question: reads may need one too.
function headersOf(body) {
  const token = readToken();
  const headers = { accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== null) headers["content-type"] = "application/json";
  return headers;
}

async function request(url, signal, { statuses = [], method = "GET", content = null, key = null } = {}) {
  let response;
  let body = null;
  // By hand rather than by AbortSignal.timeout and any: those stay in memory until the time is over.
  const timed = new AbortController();
  const give = () => timed.abort();
  const timer = setTimeout(give, TIMEOUT);
  signal.addEventListener("abort", give);
  if (signal.aborted) give();
  try {
    // no-cache: kept answers are shown to the server by their ETag, and used again where it says 304.
    const headers = headersOf(content);
    // Trying again after a lost answer must not do a thing twice.
    if (key !== null) headers["idempotency-key"] = key;
    const asked = { method, signal: timed.signal, cache: method === "GET" ? "no-cache" : "no-store", headers };
    if (content !== null) asked.body = JSON.stringify(content);
    response = await fetch(url, asked);
    body = await response.json().catch((error) => {
      if (timed.signal.aborted) throw error;
      return null;
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const message = timed.signal.aborted ? `no answer within ${TIMEOUT / 1000} s` : "no connection";
    throw new ApiError(message, { away: true });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", give);
  }
  if ((response.ok || statuses.includes(response.status)) && body !== null) return body;
  throw new ApiError(body?.error?.message ?? `the API answered ${response.status}`, {
    status: response.status,
    code: body?.error?.code ?? null,
    field: body?.error?.field ?? null,
    away: response.status >= 500 || response.status === 429 || response.status === 408 || body === null,
  });
}

export function createApi(base) {
  const url = (path, query = {}) => {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    return `${base}${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
  };
  return {
    symbols: (signal) => request(url("/symbols"), signal),
    // A platform that is down says so with 503 and the same body.
    health: (signal) => request(url("/health"), signal, { statuses: [503] }),
    stats: (symbol, query, signal) => request(url(symbol ? `/stats/${encodeURIComponent(symbol)}` : "/stats", query), signal),
    analyse: (query, signal) => request(url("/pairs/analyze", query), signal),
    scan: (query, signal) => request(url("/pairs/scan", query), signal),
    correlation: (query, signal) => request(url("/pairs/correlation", query), signal),
    contract: (signal) => request(url("/openapi.json"), signal),
    rules: (query, signal) => request(url("/alerts/rules", query), signal),
    examples: (signal) => request(url("/alerts/examples"), signal),
    history: (query, signal) => request(url("/alerts/history", query), signal),
    backtest: (content, signal) => request(url("/alerts/backtest"), signal, { method: "POST", content }),
    makeRule: (content, signal) => request(url("/alerts/rules"), signal, { method: "POST", content, key: crypto.randomUUID() }),
    changeRule: (id, content, signal) => request(url(`/alerts/rules/${encodeURIComponent(id)}`), signal, { method: "PUT", content }),
    deleteRule: (id, version, signal) => request(url(`/alerts/rules/${encodeURIComponent(id)}`, { version }), signal, { method: "DELETE" }),
    testRule: (id, signal) => request(url(`/alerts/rules/${encodeURIComponent(id)}/test`), signal, { method: "POST", key: crypto.randomUUID() }),
    silenceRule: (id, seconds, signal) => request(url(`/alerts/rules/${encodeURIComponent(id)}/silence`), signal, { method: "POST", content: { seconds }, key: crypto.randomUUID() }),
    monitor: (signal) => request(url("/alerts/monitor/status"), signal),
    costs: (signal) => request(url("/costs"), signal),
    ohlc: (symbol, query, signal) => request(url(`/ohlc/${encodeURIComponent(symbol)}`, query), signal),
  };
}
