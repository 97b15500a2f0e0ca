// Small helpers of the mount functions: elements made and written only where they differ.

export function parts(root) {
  return Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
}

export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "dataset") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((each) => each !== null && each !== undefined));
  return node;
}

// Makes the children of `root` those of `items`, one per key, keeping nodes that are there already: focus and scroll stay.
export function keyed(root, items, { key, make, update }) {
  const old = new Map([...root.children].map((node) => [node.dataset.key, node]));
  let place = root.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let node = old.get(name);
    if (!node) {
      node = make(item);
      node.dataset.key = name;
    }
    old.delete(name);
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else root.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}
