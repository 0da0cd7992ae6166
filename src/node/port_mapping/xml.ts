import sax from "sax";

/** An element with text of its own, and the names of those around it, innermost last; lowercase, without prefixes. */
export interface XmlText {
  readonly name: string;
  readonly text: string;
  readonly around: readonly string[];
}

/** How many texts are kept, and how deep elements may lie: descriptions have some 60, 8 deep. */
const MAX_TEXTS = 512;
const MAX_DEPTH = 32;

class TooMuch extends Error {}

/** The texts of a document, in order. What is malformed is read as far as it goes; never throws. */
export function textsOf(xml: string): XmlText[] {
  const texts: XmlText[] = []; // bounded by MAX_TEXTS
  const open: { readonly name: string; text: string }[] = []; // bounded by MAX_DEPTH
  const parser = sax.parser(false, { lowercase: true });
  parser.onopentag = ({ name }) => {
    if (open.length >= MAX_DEPTH) throw new TooMuch(); // the parser itself would go on, at any price
    open.push({ name: name.slice(name.indexOf(":") + 1), text: "" });
  };
  const onText = (text: string) => {
    const innermost = open.at(-1);
    if (innermost !== undefined) innermost.text += text;
  };
  parser.ontext = onText;
  parser.oncdata = onText;
  parser.onclosetag = () => {
    const closed = open.pop();
    const text = closed?.text.trim();
    if (closed === undefined || !text) return;
    texts.push({ name: closed.name, text, around: open.map(({ name }) => name) });
    if (texts.length >= MAX_TEXTS) throw new TooMuch();
  };
  parser.onerror = () => {
    parser.error = null;
  };
  try {
    parser.write(xml).close();
  } catch {} // what was read until then stands
  return texts;
}

/** The first text of that name. */
export function textOf(texts: readonly XmlText[], name: string): string | undefined {
  return texts.find((one) => one.name === name)?.text;
}
