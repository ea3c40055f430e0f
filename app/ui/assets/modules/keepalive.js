// A console that only listens keeps its session fresh; the server decides whether the person is still allowed. Used by /sala.
import { post } from "./boot.js";

export const EVERY_MS = 4 * 60 * 1000;

export function mount() {
  const beat = async () => {
    const answer = await post("/sesion/latido", {}).catch(() => null);
    if (answer?.status === 401 || answer?.redirected) document.dispatchEvent(new CustomEvent("pipc:link", { detail: { status: "ended" } }));
  };
  const timer = setInterval(beat, EVERY_MS);
  return () => clearInterval(timer);
}
