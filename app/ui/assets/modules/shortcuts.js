// Single-key shortcuts: a key presses the visible button that carries it. Off in fields, with modifiers, in dialogs, and
// when the person switched them off. Used by /sala.
const MOVES = { j: "next", k: "previous", ArrowLeft: "back", ArrowRight: "forward", ",": "frame-back", ".": "frame-forward" };

export function isTyping(element) {
  return Boolean(element?.closest?.("input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]"));
}

export function handle(event, root = document) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (isTyping(event.target) || root.querySelector("dialog[open]")) return false;
  if (event.key === "?") return open(root, "atajos", event);
  if (event.key === "/") return focusFinder(root, event);
  const onControl = event.target?.closest?.("a, button, summary, input");
  if (event.key === " " && !onControl) return press(root, "Espacio", event);
  const name = MOVES[event.key] ?? MOVES[event.key.toLowerCase?.()];
  if (name && !(onControl?.matches("input") && event.key.startsWith("Arrow"))) {
    root.dispatchEvent(new CustomEvent(`pipc:${name}`));
    event.preventDefault();
    return true;
  }
  return event.key.length === 1 && event.key !== " " ? press(root, event.key.toUpperCase(), event) : false;
}

// A card on its way makes its region busy. A key pressed meanwhile is meant for that card: it waits, and only the last one.
let waiting = null;

export function settled(root, arrived) {
  const key = waiting;
  waiting = null;
  if (key && arrived) press(root, key, { preventDefault() {} });
}

function press(root, key, event) {
  const isBusy = root.querySelector('[data-shortcut-region][aria-busy="true"]');
  if (isBusy && ![...root.querySelectorAll("[data-shortcut]")].some((each) => each.dataset.shortcut === key && !isBusy.contains(each))) {
    waiting = key;
    event.preventDefault();
    return true;
  }
  const button = [...root.querySelectorAll("[data-shortcut]")].find((each) => each.dataset.shortcut === key && each.getAttribute("aria-disabled") !== "true");
  if (!button) return false;
  event.preventDefault();
  button.click();
  return true;
}

function open(root, id, event) {
  if (!root.getElementById(id)) return false;
  event.preventDefault();
  root.dispatchEvent(new CustomEvent("pipc:open-dialog", { detail: { id } }));
  return true;
}

function focusFinder(root, event) {
  const field = root.querySelector("[data-finder], input[type=search]");
  if (!field) return false;
  event.preventDefault();
  field.focus();
  return true;
}

export function mount(body) {
  if (body.dataset.shortcuts === "off") return undefined;
  const keys = (event) => handle(event);
  const ready = (event) => settled(document, event.detail.arrived);
  document.addEventListener("keydown", keys);
  document.addEventListener("pipc:spot-settled", ready);
  return () => {
    document.removeEventListener("keydown", keys);
    document.removeEventListener("pipc:spot-settled", ready);
  };
}
