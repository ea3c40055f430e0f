// The note that follows the pointer or the focus over a district. The same words are in each link's name and in the
// table. Used by province_map.
export function mount(map) {
  const note = map.querySelector("[data-map-note]");

  function show(event) {
    const target = event.target.closest?.("[data-note]");
    if (!target) { note.hidden = true; return; }
    const [name, text] = target.dataset.note.split("|");
    const title = document.createElement("strong");
    title.textContent = name;
    note.replaceChildren(title, text);
    note.hidden = false;
    const frame = map.getBoundingClientRect();
    const box = target.getBoundingClientRect();
    const left = Math.min(box.left - frame.left + box.width, frame.width - note.offsetWidth - 4);
    note.style.setProperty("left", `${Math.max(4, left)}px`);
    note.style.setProperty("top", `${Math.max(4, box.top - frame.top - note.offsetHeight - 4)}px`);
  }
  const hide = () => { note.hidden = true; };

  map.addEventListener("pointerover", show);
  map.addEventListener("focusin", show);
  map.addEventListener("pointerleave", hide);
  map.addEventListener("focusout", hide);
}
