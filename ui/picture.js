// Saves the charts of the page as one picture, SVG or PNG, with a title above and a footnote below. A chart is a wrapper
// that holds any number of SVGs: the layers that Plotly lays on one another, or panels of our own beside one another.
//
// The picture is built of copies of what the page shows: no chart is drawn again, so theme, width and zoom are those of
// the screen. All texts are set as text nodes. Each text keeps the width that it has on the screen (`textLength`), so
// that nothing overlaps where the page's typeface is missing; the PNG is drawn with the typeface itself.

const SVG = "http://www.w3.org/2000/svg";
const SCALE = 2; // pixels of the PNG for each pixel of the page
const EDGE = 24;
const GAP = 16;
const TITLE = { size: 20, weight: 600, leading: 1.3, after: 0, opacity: 1 };
const FOOTNOTE = { size: 12, weight: 400, leading: 1.45, after: 5, opacity: 0.8 };
const PASSING = ".draglayer, .hoverlayer, .zoomlayer, .menulayer, .selectionlayer"; // there for the mouse only
const DRAWN = "svg.main-svg, .panels > svg"; // not the icons of Streamlit's own buttons
const LINES = "text:not(:has(tspan.line)), tspan.line";
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** A reason that is told to the reader in these words. */
class Refusal extends Error {}

/** Called by Streamlit when the buttons appear and whenever their data change. */
export default function ({ data, parentElement }) {
  const status = parentElement.querySelector("[role=status]");
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = async () => {
      status.textContent = "";
      try {
        download(await FILES[button.value](data), `${data.file_name}.${button.value}`);
      } catch (error) {
        if (!(error instanceof Refusal)) console.error(error);
        status.textContent = error instanceof Refusal ? error.message : "The browser could not make the picture.";
      }
    };
  }
}

const FILES = {
  svg: async (data) => file(picture(data)),
  png: async (data) => {
    const root = picture(data);
    root.prepend(element("style", {}, await typefaces(data.charts)));
    return painted(root);
  },
};

/** The whole picture: background, title, charts, footnote. */
function picture({ title, footnote, charts }) {
  const wrappers = found(charts);
  const look = { family: style(wrappers[0]).fontFamily, fill: style(wrappers[0]).color };
  const { places, width, height } = arranged(wrappers);
  const above = paragraphs([title], TITLE, look, width, EDGE);
  const top = above.bottom === EDGE ? EDGE : above.bottom + GAP / 2;
  const below = paragraphs(footnote, FOOTNOTE, look, width, top + height + GAP);
  const size = { width: width + 2 * EDGE, height: Math.ceil(below.bottom - FOOTNOTE.after + EDGE) };
  const root = element("svg", { ...size, viewBox: `0 0 ${size.width} ${size.height}` });
  root.append(element("rect", { ...size, fill: background(wrappers[0]) }), ...above.texts);
  root.append(...places.map((place) => merged(place, EDGE + place.x, top + place.y)), ...below.texts);
  return root;
}

/** What Streamlit wraps around the charts with these keys; refuses where one is not drawn: half would mislead. */
function found(keys) {
  const wrappers = keys.map((key) => document.querySelector(`.st-key-${key.replace(/[^\w-]/g, "-")}`));
  const missing = keys.filter((_, number) => !wrappers[number]?.querySelector(DRAWN));
  if (missing.length || !keys.length) {
    const names = missing.length ? ` (${missing.join(", ")})` : "";
    throw new Refusal(`No picture: a chart is not on the page${names}. Wait until it is drawn, or reload the page.`);
  }
  return wrappers;
}

/** Where each chart stands: side by side as on the screen, rows close together whatever the page shows between them. */
function arranged(wrappers) {
  const charts = wrappers.map(chart);
  const start = Math.min(...charts.map(({ left }) => left));
  let [y, below] = [0, 0];
  const places = charts.map(({ parts, left, width, height }, number) => {
    if (number && left <= charts[number - 1].left) y = below + GAP;
    below = Math.max(below, y + height);
    return { parts, x: Math.round(left - start), y, width, height };
  });
  const width = Math.max(...places.map((place) => place.x + place.width));
  return { places, width: Math.ceil(width), height: Math.ceil(below) };
}

/** The SVGs of a wrapper, each with its place in the smallest box that holds them all; `left` is the box's on the screen. */
function chart(wrapper) {
  const drawn = [...wrapper.querySelectorAll(DRAWN)];
  const boxes = drawn.map((svg) => svg.getBoundingClientRect());
  const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
  const parts = boxes.map((box, number) => ({ svg: drawn[number], x: box.left - left, y: box.top - top }));
  const [right, bottom] = [Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
  return { parts, left, width: right - left, height: bottom - top };
}

/** The SVGs of one chart as a single one. */
function merged({ parts, width, height }, x, y) {
  const whole = element("svg", { x, y, width, height });
  const fill = style(parts[0].svg).backgroundColor;
  if (isOpaque(fill)) whole.append(element("rect", { width: "100%", height: "100%", fill }));
  for (const part of parts) {
    const moved = part.x || part.y ? element("g", { transform: `translate(${part.x} ${part.y})` }) : whole;
    moved.append(...copied(part.svg).childNodes);
    if (moved !== whole) whole.append(moved);
  }
  return whole;
}

/** A layer's copy that stands by itself: what style sheets did to it is written into it, what only scripts read is gone. */
function copied(layer) {
  const copy = layer.cloneNode(true);
  if (!layer.matches(".main-svg")) settle(layer, copy);
  const shown = layer.querySelectorAll(LINES);
  copy.querySelectorAll(LINES).forEach((line, number) => fit(line, shown[number].getComputedTextLength()));
  copy.querySelectorAll(".crisp").forEach((sharp) => sharp.setAttribute("shape-rendering", "crispEdges"));
  copy.querySelectorAll("a").forEach((link) => link.replaceWith(...link.childNodes));
  copy.querySelectorAll(PASSING).forEach((part) => part.remove());
  for (const part of copy.querySelectorAll("*")) {
    part.style.removeProperty("pointer-events");
    for (const name of part.getAttributeNames()) if (/^(class|data-.*)$/.test(name)) part.removeAttribute(name);
  }
  for (const group of [...copy.querySelectorAll("g, defs")].reverse()) if (!group.hasChildNodes()) group.remove();
  return copy;
}

/** Writes into the copy of a panel what hangs on its width, the theme and style sheets: other programs know none. */
function settle(layer, copy) {
  const copies = copy.querySelectorAll("rect, text");
  layer.querySelectorAll("rect, text").forEach((shown, number) => {
    const part = copies[number];
    const { fill, fontFamily, fontSize, fontWeight } = style(shown);
    part.removeAttribute("style");
    part.removeAttribute("dx");
    if (shown.localName === "rect") {
      const { x, y, width, height } = shown.getBBox();
      set(part, { x, y, width, height, fill });
    } else {
      const { x, y } = shown.getStartPositionOfChar(0);
      set(part, { x, y, fill, "font-family": fontFamily, "font-size": fontSize, "font-weight": fontWeight });
    }
  });
}

/** Texts below one another from a height on, wrapped to a width; `bottom` is where the next thing may begin. */
function paragraphs(texts, font, { family, fill }, width, top) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${font.weight} ${font.size}px ${family}`;
  const measure = (text) => pen.measureText(text).width;
  const leading = font.size * font.leading;
  let bottom = top;
  const look = { "font-family": family, "font-size": font.size, "font-weight": font.weight, fill };
  const drawn = texts.map(tidy).filter(Boolean).map((text) => {
    const paragraph = element("text", { ...look, "fill-opacity": font.opacity });
    for (const line of wrapped(text, width, measure)) {
      const baseline = bottom + (leading + font.size * 0.72) / 2; // capitals are about 0.72 high: centred in the line
      const span = element("tspan", { x: EDGE, y: baseline.toFixed(1) }, line);
      paragraph.append(fit(span, measure(line)));
      bottom += leading;
    }
    bottom += font.after;
    return paragraph;
  });
  return { texts: drawn, bottom };
}

function tidy(text) {
  return text.trim().replace(/\s+/g, " ");
}

/** Lines that join to the very text; a word that is longer than a line is cut. */
function wrapped(text, width, measure) {
  const words = text.split(/(?<= )/).flatMap((word) => (measure(word.trimEnd()) > width ? [...word] : [word]));
  const lines = [""];
  for (const word of words) {
    const longer = lines.at(-1) + word;
    if (lines.at(-1) && measure(longer.trimEnd()) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function fit(line, width) {
  if (width > 0) line.setAttribute("textLength", width.toFixed(2));
  if (width > 0) line.setAttribute("lengthAdjust", "spacingAndGlyphs");
  return line;
}

/** The first colour that shines through nothing, from an element outwards. */
function background(inner) {
  for (let place = inner; place; place = place.parentElement) {
    const colour = style(place).backgroundColor;
    if (isOpaque(colour)) return colour;
  }
  return "white";
}

function isOpaque(colour) {
  return !/^rgba\(.*\)$/.test(colour);
}

/** Rules that bring along the typefaces of the charts: a picture that is drawn on a canvas knows none of the page's. */
async function typefaces(keys) {
  const family = firstName(style(found(keys)[0]).fontFamily);
  const loaded = [...document.fonts].filter((face) => face.status === "loaded" && firstName(face.family) === family);
  const rules = [...document.styleSheets].flatMap(fontRules).filter(({ style: rule }) =>
    loaded.some((face) => firstName(rule.fontFamily) === family && face.style === (rule.fontStyle || "normal")),
  );
  return (await Promise.all(rules.map(inlined))).join("\n");
}

function fontRules(sheet) {
  try {
    return [...sheet.cssRules].filter((rule) => rule instanceof CSSFontFaceRule);
  } catch {
    return []; // a style sheet of another site may not be read
  }
}

/** A rule with its file inside; empty where the file cannot be had: the text then keeps its width in another typeface. */
async function inlined({ cssText, parentStyleSheet }) {
  const [whole, address] = cssText.match(/url\("([^"]+)"\)/) ?? [];
  try {
    const answer = await fetch(new URL(address, parentStyleSheet.href ?? document.baseURI));
    return answer.ok ? cssText.replace(whole, `url("${await asData(await answer.blob())}")`) : "";
  } catch {
    return "";
  }
}

function asData(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function file(root) {
  const text = new XMLSerializer().serializeToString(root).replace(NOT_XML, "\ufffd");
  return new Blob(['<?xml version="1.0" encoding="UTF-8"?>\n', text], { type: "image/svg+xml" });
}

/** The picture as PNG. */
async function painted(root) {
  const address = URL.createObjectURL(file(root));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = SCALE * root.getAttribute("width");
    canvas.height = SCALE * root.getAttribute("height");
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!blob) throw new Refusal("This is too large for a PNG: take the SVG, or choose fewer results.");
    return blob;
  } finally {
    URL.revokeObjectURL(address);
  }
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may begin to save later than the click
}

function element(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  set(made, attributes);
  if (text) made.textContent = text;
  return made;
}

function set(changed, attributes) {
  for (const [attribute, value] of Object.entries(attributes)) changed.setAttribute(attribute, value);
}

function firstName(families) {
  return families.split(",")[0].trim().replace(/^["']|["']$/g, "");
}

function style(shown) {
  return getComputedStyle(shown);
}
