// <details> used as a menu: closes with Esc, with a click outside, and when the focus leaves. Used by the top bar.
export function mount(details) {
  const outside = (event) => { if (!details.contains(event.target)) details.open = false; };
  const keys = (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  };
  const left = (event) => { if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false; };

  document.addEventListener("click", outside);
  details.addEventListener("keydown", keys);
  details.addEventListener("focusout", left);
  return () => document.removeEventListener("click", outside);
}
