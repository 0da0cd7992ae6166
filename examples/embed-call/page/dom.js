export const byId = (id) => document.getElementById(id);

const MAX_NOTICES = 4;

/** One sentence, for as long as it takes to read it. What friends write goes in as text. */
export function notice(sentence) {
  const place = byId("notices");
  const shown = Object.assign(document.createElement("p"), { textContent: sentence });
  place.append(shown);
  while (place.children.length > MAX_NOTICES) place.firstChild.remove();
  setTimeout(() => shown.remove(), 8_000);
}

export function press(id, on) {
  byId(id).setAttribute("aria-pressed", String(on));
}
