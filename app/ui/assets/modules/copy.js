// Copies a code and says so in the button. Used by hash_display.
export function mount(button) {
  button.addEventListener("click", async () => {
    const label = button.getAttribute("aria-label");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.setAttribute("aria-label", "Copiado");
    } catch {
      button.setAttribute("aria-label", "No se pudo copiar: seleccionar el texto");
    }
    button.title = button.getAttribute("aria-label");
    setTimeout(() => { button.setAttribute("aria-label", label); button.title = ""; }, 2000);
  });
}
