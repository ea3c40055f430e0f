// Native dialogs: opening, closing, and giving the focus back to who opened. Used wherever components/dialog.html is.
export function mount(dialog) {
  let opener = null;

  const open = (event) => {
    if (event.detail.id !== dialog.id || dialog.open) return;
    opener = event.detail.opener ?? document.activeElement;
    dialog.showModal();
    const first = dialog.querySelector("input:not([type=hidden]), select, textarea") ?? dialog.querySelector("[data-close-dialog]");
    first?.focus();
  };
  const click = (event) => {
    if (event.target.closest("[data-close-dialog]") || event.target === dialog) dialog.close();
  };
  const keys = (event) => {
    if (event.key !== "Enter" || !event.ctrlKey) return;
    event.preventDefault();
    dialog.querySelector("form")?.requestSubmit();
  };
  const closed = () => { if (opener?.isConnected) opener.focus(); };
  const sent = (event) => { if (event.detail.successful) dialog.close(); };

  document.addEventListener("pipc:open-dialog", open);
  dialog.addEventListener("click", click);
  dialog.addEventListener("keydown", keys);
  dialog.addEventListener("close", closed);
  dialog.addEventListener("htmx:afterRequest", sent);
  return () => document.removeEventListener("pipc:open-dialog", open);
}
