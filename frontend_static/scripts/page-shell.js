// What every page does alike: the view in the URL, the display menu, the banner, asking again and again, the notice while
// the API is away, the line at the bottom. A page gives its fields, what it loads and what it draws.

import { ApiError, createApi } from "./api.js";
import { mountApiNotice } from "./api-notice.js";
import { readPalette } from "./chart-theme.js";
import { mountDisplayMenu } from "./display-menu.js";
import { feedStatus } from "./feed-status.js";
import { clockOffset } from "./format.js";
import { mountMarketBanner } from "./market-banner.js";
import { readFields, withShared, writeFields } from "./page-view.js";
import { createPoller } from "./poller.js";
import { loadPreferences, savePreferences } from "./preferences.js";
import { mountStatusLine } from "./status-line.js";

// An ingestor says how it is every ten seconds: who asks more often pays for hearing the same. A little less, since a
// refresh comes a little early or late.
const HEALTH_EVERY = 9_000;

const query = (selector) => document.querySelector(selector);

// `load(signal, page)` brings the page's data; `render(page)` draws what is known; `changed(before, page)` is told of a new
// view and returns whether the data must be asked for anew.
export function startPage({ fields, load, render, changed = () => false }) {
  const all = withShared(fields);
  const page = {
    api: createApi(query("meta[name=api-base]").content),
    view: readFields(all, location.search, loadPreferences()),
    palette: readPalette(),
    health: null,
    market: null,
    skew: 0,
    updated: null,
    problem: null,
    away: null,
    loading: true,
  };
  let failure = null;
  let heard = null;

  const display = mountDisplayMenu(query(".display-menu"), { changed: (part) => page.change(part, false) });
  const banner = mountMarketBanner(query(".market-banner"));
  const status = mountStatusLine(query(".status-line"));
  const notice = mountApiNotice(query(".api-notice"), { retry: () => poller.wake() });
  const refresh = query("[name=refresh]");
  refresh?.addEventListener("change", () => page.change({ refresh: Number(refresh.value) }, false));

  const health = async (signal) => {
    if (heard !== null && Date.now() - heard < HEALTH_EVERY) return;
    try {
      page.health = await page.api.health(signal);
      heard = Date.now();
      page.market = page.health.market ?? page.market;
      const time = new Date(page.health.time).getTime();
      if (Number.isFinite(time)) page.skew = time - Date.now();
      if (!signal.aborted) draw();
    } catch (error) {
      heard = null;
      if (signal.aborted || error.away) throw error;
      page.health = null;
    }
  };

  const task = async (signal) => {
    try {
      await Promise.all([load(signal, page), health(signal)]);
      page.updated = Date.now();
      page.problem = null;
      page.loading = false;
      draw();
    } catch (error) {
      if (signal.aborted) throw error;
      page.loading = false;
      failure = error.message;
      if (!(error instanceof ApiError)) reportError(error);
      if (error.away !== false) throw error;
      page.problem = error;
      draw();
    }
  };

  const poller = createPoller({
    task,
    changed: ({ failures, since, nextAt }) => {
      page.away = failures > 0 ? { since, nextAt, message: failure } : null;
      draw();
    },
  });

  const draw = () => {
    const now = page.now();
    const offset = page.offset();
    banner.update(page.market);
    display.update(page.view);
    if (refresh) refresh.value = String(page.view.refresh);
    render(page);
    drawStatus(now, offset);
  };

  const drawStatus = (now, offset) => {
    const last = (page.health?.symbols ?? []).reduce((newest, each) => Math.max(newest, each.last_time ?? 0), 0) || null;
    status.update({
      status: feedStatus({
        now,
        lastTime: last,
        health: page.health?.status ?? "ok",
        market: page.market,
        away: page.away !== null,
        // A question that the API refused has been answered too.
        started: page.updated !== null || page.health !== null,
      }),
      lag: (page.health?.symbols ?? []).reduce((worst, each) => Math.max(worst, each.lag_ms ?? 0), 0) || null,
      updated: page.updated === null ? null : page.updated + page.skew,
      refresh: page.view.refresh,
      offset,
      version: page.health?.version ?? null,
    });
    const away = page.away && {
      ...page.away,
      since: page.away.since + page.skew,
      nextAt: page.away.nextAt === null ? null : page.away.nextAt + page.skew,
    };
    notice.update(away, { now, offset, stale: page.updated !== null });
  };

  const apply = (before) => {
    const differs = (...keys) => keys.some((key) => page.view[key] !== before[key]);
    if (differs("theme", "colours")) {
      display.update(page.view);
      page.palette = readPalette();
    }
    if (differs("refresh")) poller.setInterval(page.view.refresh === 0 ? null : page.view.refresh * 1000);
    if (changed(before, page)) {
      page.loading = true;
      page.problem = null;
      draw();
      poller.restart();
    } else draw();
  };

  // `part` is a piece of the view; `remember` makes a step of the browser's history of it.
  page.change = (part, remember = true) => {
    const before = page.view;
    page.view = { ...before, ...part };
    savePreferences(page.view);
    history[remember ? "pushState" : "replaceState"](null, "", location.pathname + writeFields(all, page.view));
    apply(before);
  };
  page.now = () => Date.now() + page.skew;
  page.offset = () => clockOffset(page.view.clock, page.now());
  page.redraw = draw;
  page.wake = () => poller.wake();
  page.restart = () => poller.restart();

  window.addEventListener("popstate", () => {
    const before = page.view;
    page.view = readFields(all, location.search, loadPreferences());
    apply(before);
  });
  document.addEventListener("visibilitychange", () => poller.visibilityChanged());
  window.addEventListener("online", () => poller.wake());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    page.palette = readPalette();
    draw();
  });
  // Ages and the countdown go on between two answers.
  setInterval(() => document.hidden || drawStatus(page.now(), page.offset()), 1000);

  display.update(page.view);
  page.palette = readPalette();
  poller.setInterval(page.view.refresh === 0 ? null : page.view.refresh * 1000);
  draw();
  poller.restart();
  return page;
}
