// Notices in #avisos: good news leave by themselves, bad news stay until closed. Used by every page.
export const STAY_MS = 6000;

export function mount(note) {
  const leave = () => note.remove();
  note.querySelector("[data-dismiss]")?.addEventListener("click", leave);
  const timer = note.dataset.kind === "bad" ? null : setTimeout(leave, STAY_MS);
  return () => clearTimeout(timer);
}
