// The choice of municipality: suggestions while typing, arrows and Intro, and the district lit on the map. Without this
// module the form works with the native list. Used by /.
export function plain(text) {
  return text.trim().toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
}

export function suggest(options, text, limit = 8) {
  const wanted = plain(text);
  if (!wanted) return [];
  const hits = options.filter((option) => ` ${plain(option.name)}`.includes(` ${wanted}`));
  const first = (option) => (plain(option.name).startsWith(wanted) ? 0 : 1);
  return hits.sort((a, b) => first(a) - first(b) || a.name.localeCompare(b.name, "es")).slice(0, limit);
}

export function mount(form) {
  const input = form.querySelector("input[list]");
  const options = [...input.list.options].map((o) => ({ name: o.value, slug: o.dataset.slug, section: o.dataset.section }));
  const list = document.createElement("ul");
  let shown = [];
  let active = -1;
  Object.assign(list, { id: "municipio-lista", className: "picker-list", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Municipios");
  input.removeAttribute("list");
  for (const [name, value] of Object.entries({ role: "combobox", "aria-controls": list.id, "aria-expanded": "false", "aria-autocomplete": "list" })) input.setAttribute(name, value);
  input.after(list);

  function draw() {
    shown = suggest(options, input.value);
    active = shown.length ? 0 : -1;
    list.replaceChildren(...(shown.length ? shown.map(row) : input.value.trim() ? [none()] : []));
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    mark();
  }
  function row(option, index) {
    const item = document.createElement("li");
    const name = document.createElement("div");
    const section = document.createElement("span");
    const at = ` ${plain(option.name)}`.indexOf(` ${plain(input.value)}`);
    const bold = document.createElement("mark");
    bold.textContent = option.name.slice(at, at + input.value.trim().length);
    name.append(option.name.slice(0, at), bold, option.name.slice(at + input.value.trim().length));
    section.textContent = option.section;
    item.id = `municipio-${option.slug}`;
    item.setAttribute("role", "option");
    item.append(name, section);
    item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(index); });
    return item;
  }
  function none() {
    const item = document.createElement("li");
    item.className = "picker-none";
    item.setAttribute("role", "option");
    item.setAttribute("aria-disabled", "true");
    item.textContent = "Ningún municipio empieza así.";
    return item;
  }
  function mark() {
    shown.forEach((option, index) => list.children[index].setAttribute("aria-selected", String(index === active)));
    if (active >= 0) input.setAttribute("aria-activedescendant", `municipio-${shown[active].slug}`);
    else input.removeAttribute("aria-activedescendant");
    for (const path of document.querySelectorAll(".entry-map .is-chosen")) path.classList.remove("is-chosen");
    if (active >= 0) document.getElementById(`mapa-${shown[active].slug}`)?.classList.add("is-chosen");
  }
  function choose(index) {
    if (!shown[index]) return;
    active = index;
    input.value = shown[index].name;
    mark();
    close();
  }
  function close() { list.hidden = true; input.setAttribute("aria-expanded", "false"); }

  input.addEventListener("input", draw);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !list.hidden && active >= 0) choose(active);
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    if (list.hidden) draw();
    else if (shown.length) { active = (active + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % shown.length; mark(); }
  });
  if (input.value) draw();
}
