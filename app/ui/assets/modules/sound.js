// One tone per priority, repeated until taken, played by one tab. Browsers need a gesture first: «Probar sonido».
// Every sound has a visible twin: the queue, the chip, the banner. Used by /sala.
const TONES = { 1: [[880, 0.16], [1175, 0.16], [880, 0.16], [1175, 0.16]], 2: [[740, 0.18], [740, 0.18]], 3: [[523, 0.2]], lost: [[392, 0.25], [294, 0.35]] };
export const REPEAT_MS = { 1: 5000, 2: 20000 };

export class Sound {
  constructor(world = globalThis) { this.world = world; this.mine = true; }

  // Only the tab that holds this lock is heard; without Web Locks every tab is.
  claim() {
    const { locks } = this.world.navigator;
    if (!locks) return;
    this.mine = false;
    this.abort = new AbortController();
    locks.request("pipc-sound", { signal: this.abort.signal }, () => { this.mine = true; return new Promise((release) => { this.release = release; }); }).catch(() => {});
  }

  async unlock() {
    this.context ??= new this.world.AudioContext();
    await this.context.resume();
    return this.context.state === "running";
  }

  play(name) {
    if (!this.mine || this.context?.state !== "running") return false;
    let at = this.context.currentTime;
    for (const [frequency, seconds] of TONES[name] ?? TONES[3]) {
      const tone = this.context.createOscillator();
      const volume = this.context.createGain();
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
      tone.connect(volume).connect(this.context.destination);
      tone.start(at);
      tone.stop(at + seconds);
      at += seconds + 0.06;
    }
    return true;
  }

  leave() { this.abort?.abort(); this.release?.(); }
}

// The most urgent alarm nobody took, among those on screen.
export function pending(root) {
  const open = [...root.querySelectorAll("[data-alarm][data-unacked][data-priority]")].map((each) => Number(each.dataset.priority));
  return open.length ? Math.min(...open) : null;
}

export function mount(body) {
  const sound = new Sound(window);
  const button = body.querySelector("[data-sound-test]");
  let playedAt = 0;
  const play = (name) => { if (sound.play(name)) playedAt = Date.now(); };
  const test = async () => {
    const works = await sound.unlock();
    button.dataset.state = works ? "tested" : "untested";
    button.querySelector("[data-text]").textContent = works ? "Sonido probado" : "Sin sonido: revisar el equipo";
    play(2);
  };
  const raised = (event) => { if (!event.detail.quiet) play(Math.min(event.detail.priority ?? 3, 3)); };
  const link = (event) => { if (event.detail.status === "offline") play("lost"); };
  const repeat = setInterval(() => {
    const urgent = pending(document);
    if (REPEAT_MS[urgent] && Date.now() - playedAt >= REPEAT_MS[urgent]) play(urgent);
  }, 1000);

  sound.claim();
  button?.addEventListener("click", test);
  document.addEventListener("pipc:alarm-new", raised);
  document.addEventListener("pipc:link", link);
  return () => { clearInterval(repeat); sound.leave(); document.removeEventListener("pipc:alarm-new", raised); document.removeEventListener("pipc:link", link); };
}
