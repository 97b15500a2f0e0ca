// Hands on a chart. The mouse drags and wheels by Plotly's own means, and is only watched here; fingers are led here, so
// that an upward swipe still scrolls the page: one finger points and pans, two zoom.

const WHEEL_REST = 300;
const TOUCH_SLOP = 8;

export function chartGestures(frame, { pointed, left, panned, pinched, held }) {
  const fingers = new Map();
  let moved = false;
  let wheel = null;

  const place = (event) => {
    const box = frame.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return { distance: Math.max(20, Math.hypot(a.x - b.x, a.y - b.y)), x: (a.x + b.x) / 2 };
  };

  frame.addEventListener("touchstart", (event) => event.stopPropagation(), { capture: true, passive: true });

  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") {
      if (event.button === 0) held(true);
      return;
    }
    fingers.set(event.pointerId, place(event));
    moved = fingers.size > 1;
  });

  frame.addEventListener("pointermove", (event) => {
    const now = place(event);
    if (event.pointerType !== "touch") {
      if (event.buttons === 0) pointed(now.x, now.y);
      return;
    }
    const before = fingers.get(event.pointerId);
    if (!before) return;
    if (fingers.size === 2) {
      const old = spread();
      fingers.set(event.pointerId, now);
      const fresh = spread();
      pinched(old.distance / fresh.distance, fresh.x);
    } else if (moved || Math.abs(now.x - before.x) > TOUCH_SLOP) {
      moved = true;
      fingers.set(event.pointerId, now);
      panned(now.x - before.x);
    }
  });

  const lift = (event) => {
    if (event.pointerType === "touch") {
      if (event.type === "pointerup" && !moved && fingers.has(event.pointerId)) pointed(place(event).x, place(event).y);
      fingers.delete(event.pointerId);
    } else {
      // After Plotly has told where the drag ended.
      setTimeout(() => held(false));
    }
  };
  window.addEventListener("pointerup", lift);
  window.addEventListener("pointercancel", lift);

  frame.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && left());
  frame.addEventListener("blur", left);

  frame.addEventListener(
    "wheel",
    () => {
      clearTimeout(wheel);
      held(true);
      wheel = setTimeout(() => held(false), WHEEL_REST);
    },
    { passive: true },
  );
}
