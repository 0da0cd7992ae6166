export const byId = (id) => document.getElementById(id);

let timer;

/** One sentence, for as long as it takes to read it. What friends write goes in as text. */
export function notice(sentence) {
  const place = byId("notice");
  place.textContent = sentence;
  place.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => {
    place.hidden = true;
  }, 8_000);
}

export function press(id, on) {
  byId(id).setAttribute("aria-pressed", String(on));
}
