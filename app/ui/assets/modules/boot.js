// Mounts the behaviour each element names in data-module="a b", on load and after htmx swaps. Used by every page.
const mounted = new WeakMap();

export async function mountAll(root = document, load = (name) => import(`./${name}.js`)) {
  const elements = [...(root.matches?.("[data-module]") ? [root] : []), ...inside(root)];
  await Promise.all(elements.map((element) => mount(element, load)));
}

// htmx also announces the text nodes between the elements it swaps; they hold nothing.
const inside = (node) => node.querySelectorAll?.("[data-module]") ?? [];

async function mount(element, load) {
  if (mounted.has(element)) return;
  const undo = [];
  mounted.set(element, undo);
  const modules = await Promise.all(element.dataset.module.split(/\s+/).filter(Boolean).map(load));
  for (const module of modules) {
    const destroy = module.mount(element);
    if (destroy) undo.push(destroy);
  }
}

export function unmount(element) {
  for (const each of [element, ...inside(element)]) {
    for (const destroy of mounted.get(each) ?? []) destroy();
    mounted.delete(each);
  }
}

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

// Writes to our own server: JSON in, the response out; the caller decides what a refusal means.
export function post(url, body, options = {}) {
  return fetch(url, {
    method: "POST",
    cache: "no-store",
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": csrfToken() },
    body: JSON.stringify(body),
    ...options,
  });
}

function listen() {
  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = csrfToken(); });
  document.addEventListener("htmx:load", (event) => mountAll(event.detail.elt));
  document.addEventListener("htmx:beforeCleanupElement", (event) => unmount(event.detail.elt));
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-dialog]");
    if (opener) document.dispatchEvent(new CustomEvent("pipc:open-dialog", { detail: { id: opener.dataset.openDialog, opener } }));
  });
  mountAll();
}

if (typeof window !== "undefined" && !window.pipcTest) listen();
