// The API over HTTP. A failure is an ApiError whose `away` says whether trying again may help.

const TIMEOUT = 15_000;

export class ApiError extends Error {
  constructor(message, { status = null, code = null, away = false } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.away = away;
  }
}

async function request(url, signal, statuses = []) {
  let response;
  let body = null;
  const timed = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
  try {
    // no-cache: kept answers are shown to the server by their ETag, and used again where it says 304.
    response = await fetch(url, { signal: timed, cache: "no-cache", headers: { accept: "application/json" } });
    body = await response.json().catch((error) => {
      if (timed.aborted) throw error;
      return null;
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const message = timed.aborted ? `no answer within ${TIMEOUT / 1000} s` : "no connection";
    throw new ApiError(message, { away: true });
  }
  if ((response.ok || statuses.includes(response.status)) && body !== null) return body;
  throw new ApiError(body?.error?.message ?? `the API answered ${response.status}`, {
    status: response.status,
    code: body?.error?.code ?? null,
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
    health: (signal) => request(url("/health"), signal, [503]),
    stats: (symbol, query, signal) => request(url(symbol ? `/stats/${encodeURIComponent(symbol)}` : "/stats", query), signal),
    analyse: (query, signal) => request(url("/pairs/analyze", query), signal),
    scan: (query, signal) => request(url("/pairs/scan", query), signal),
    correlation: (query, signal) => request(url("/pairs/correlation", query), signal),
    monitor: (signal) => request(url("/alerts/monitor/status"), signal),
    costs: (signal) => request(url("/costs"), signal),
    ohlc: (symbol, query, signal) => request(url(`/ohlc/${encodeURIComponent(symbol)}`, query), signal),
  };
}
