// How the link with the server is: words beside the clock, and a loud banner when it is lost. Used by /sala.
import { hourText } from "./clock.js";

const WORDS = { connecting: "Conectando", online: "En línea", offline: "Sin conexión", ended: "Sesión terminada" };

export function mount(body) {
  const status = body.querySelector("[data-link-status]");
  const banner = body.querySelector("[data-link-banner]");
  const draw = (event) => {
    const { status: link, since } = event.detail;
    status.dataset.link = link;
    status.querySelector("[data-text]").textContent = WORDS[link];
    banner.hidden = link === "online" || link === "connecting";
    if (link === "offline") banner.querySelector("[data-text]").textContent = `Sin conexión desde las ${hourText(since)}. Se pregunta al servidor cada 5 segundos.`;
    if (link === "ended") {
      banner.querySelector("[data-text]").textContent = "La sesión terminó: hay que volver a ingresar para recibir alarmas.";
      const again = Object.assign(document.createElement("a"), { href: "/", className: "btn btn-small", textContent: "Ingresar" });
      banner.append(again);
    }
  };
  document.addEventListener("pipc:link", draw);
  return () => document.removeEventListener("pipc:link", draw);
}
