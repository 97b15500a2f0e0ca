// The form of a rule. What it may hold is read from the API's contract, so that the form and the API agree.

import { BLANK, bodyOf, KINDS, METRICS, OPERATORS, textsOf } from "./alert-words.js";
import { element, parts, write } from "./dom.js";
import { plain, problems } from "./json-schema.js";

const LABELS = { metric: METRICS, operator: OPERATORS, severity: { info: "Info", warning: "Warning", critical: "Critical" } };

let isPressed = false;
addEventListener("pointerdown", () => (isPressed = true), true);
for (const type of ["pointerup", "pointercancel"]) addEventListener(type, () => (isPressed = false), true);

// A message that came while a button is pressed would move the button away from under the pointer, and the click be lost.
function onceReleased(act) {
  if (isPressed) addEventListener("pointerup", () => setTimeout(act), { once: true });
  else act();
}

export function mountRuleEditor(root, { backtest, save, remove, cancel, touched }) {
  const part = parts(root);
  const form = part.form;
  let contract = null;
  let schema = null;
  let changed = null;
  let rule = null;

  const field = (name) => form.elements[name];
  const notices = () => [...part.notify.querySelectorAll("input:checked")].map((box) => box.value);
  const channelRows = () =>
    [...part.channels.children].map((row) => ({ type: row.querySelector("select").value, target: row.querySelector("input").value.trim() }));

  const body = () => {
    const texts = Object.fromEntries(Object.keys(textsOf({})).map((name) => [name, field(name)?.value ?? ""]));
    return bodyOf(texts, { channels: channelRows(), notify: notices(), enabled: field("enabled").checked, rule });
  };

  // Shows what is wrong beside the field it is wrong with, and all that has no field above the buttons.
  const tell = (found) => {
    const rest = [];
    const shown = new Set();
    for (const [path, text] of Object.entries(found)) {
      const name = path.split(".")[0];
      const place = form.querySelector(`[data-problem="${name}"]`);
      if (!place) {
        rest.push(`${path} ${text}`.trim());
        continue;
      }
      write(place, text);
      shown.add(name);
    }
    for (const place of form.querySelectorAll("[data-problem]")) {
      const name = place.dataset.problem;
      if (!shown.has(name)) write(place, "");
      field(name)?.setAttribute?.("aria-invalid", String(shown.has(name)));
    }
    write(part.problem, rest.join("; "));
    return Object.keys(found).length === 0;
  };

  const found = () => (schema ? problems(contract, rule ? changed : schema, body()) : {});
  const check = () => tell(found());
  const checkOne = (target) => {
    const name = target.name || "channels";
    const place = form.querySelector(`[data-problem="${name}"]`);
    if (!schema || !place) return;
    const mine = Object.entries(found()).find(([path]) => path.split(".")[0] === name);
    write(place, mine ? mine[1] : "");
    if (target.name) target.setAttribute("aria-invalid", String(Boolean(mine)));
  };

  const options = (name) => {
    const found = plain(contract, schema.properties[name]);
    const words = LABELS[name] ?? {};
    const chosen = field(name).value;
    const order = Object.keys(words);
    const values = [...(found.enum ?? [])].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    field(name).replaceChildren(...values.map((value) => element("option", { value }, words[value]?.name ?? words[value] ?? capital(value))));
    if (chosen) field(name).value = chosen;
  };

  const bounds = (name) => {
    const found = plain(contract, schema.properties[name]);
    const help = form.querySelector(`[data-help="${name}"]`);
    const range = found.minimum !== undefined && Math.abs(found.maximum) < 1e10 ? ` From ${found.minimum} to ${found.maximum}.` : "";
    if (help) write(help, `${found.description ?? ""}${range}`.trim());
    if (found.maxLength) field(name).maxLength = found.maxLength;
  };

  // What the metric does not look at is not asked for.
  const fitMetric = () => {
    const metric = METRICS[field("metric").value];
    part["pair-only"].hidden = !metric?.isPair;
    for (const name of ["window", "interval"]) part[`${name}-only`].hidden = Boolean(metric?.without?.includes(name));
    write(part.unit, metric?.unit ? `in ${metric.unit}` : "");
  };

  const channel = ({ type = "email", target = "" } = {}) => {
    const types = plain(contract, plain(contract, schema.properties.channels).items).properties.type;
    const select = element("select", { "aria-label": "Kind of channel" }, ...(plain(contract, types).enum ?? []).map((value) => element("option", { value }, capital(value))));
    select.value = type;
    const remove = element("button", { type: "button", "aria-label": "Remove this channel" }, "×");
    const row = element("li", {}, select, element("input", { type: "text", "aria-label": "Address, topic, chat or URL", value: target, autocomplete: "off", spellcheck: "false" }), remove);
    remove.addEventListener("click", () => {
      row.remove();
      part["add-channel"].focus();
    });
    part.channels.append(row);
    return row;
  };

  part["add-channel"].addEventListener("click", () => channel().querySelector("input").focus());
  field("metric").addEventListener("change", fitMetric);
  form.addEventListener("focusout", ({ target }) => target.matches("input, textarea, select") && onceReleased(() => checkOne(target)));
  form.addEventListener("input", () => touched());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (check()) save(body(), rule);
    else form.querySelector("[aria-invalid=true]")?.focus();
  });
  part.backtest.addEventListener("click", () => check() && backtest(body(), Number(field("days").value)));
  part.remove.addEventListener("click", () => rule && remove(rule));
  part.cancel.addEventListener("click", cancel);
  root.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && cancel());

  return {
    tell,

    // The contract, once it is known: choices and bounds of the form come from it. `making` and `changing` are the
    // schemas of a new rule and of one that is there.
    learn(document, making, changing) {
      [contract, schema, changed] = [document, making, changing];
      for (const name of ["metric", "operator", "severity"]) options(name);
      for (const name of Object.keys(textsOf({}))) if (schema.properties[name]) bounds(name);
      const order = Object.keys(KINDS);
      const kinds = [...(plain(contract, plain(contract, schema.properties.notify).items).enum ?? [])].sort((a, b) => order.indexOf(a) - order.indexOf(b));
      part.notify.replaceChildren(...kinds.map((kind) => element("label", {}, element("input", { type: "checkbox", value: kind }), ` ${capital(kind)}`)));
    },

    // Opens the form on a rule, or on a new one made of `given`.
    open(known, given = {}) {
      rule = known;
      const source = known ?? { ...BLANK, ...given };
      for (const [name, text] of Object.entries(textsOf(source))) if (field(name)) field(name).value = text;
      if (!field("metric").value) field("metric").value = "price";
      field("enabled").checked = source.enabled ?? true;
      for (const box of part.notify.querySelectorAll("input")) box.checked = (source.notify ?? ["fired", "resolved"]).includes(box.value);
      part.channels.replaceChildren();
      for (const each of source.channels ?? []) channel(each);
      write(part.title, known ? `Edit “${known.name}”` : "New rule");
      part.remove.hidden = !known;
      fitMetric();
      tell({});
      root.hidden = false;
    },
    close() {
      root.hidden = true;
      rule = null;
    },
    focus: () => field("name").focus(),
    get rule() {
      return rule;
    },
    body,
    busy(is) {
      for (const button of [part.save, part.backtest, part.remove]) button.disabled = is;
    },
  };
}

function capital(text) {
  const words = text.replaceAll("_", " ");
  return words === "sns" ? "SNS" : words.charAt(0).toUpperCase() + words.slice(1);
}
