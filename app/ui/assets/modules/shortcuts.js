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

function press(root, key, event) {
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
  document.addEventListener("keydown", keys);
  return () => document.removeEventListener("keydown", keys);
}
