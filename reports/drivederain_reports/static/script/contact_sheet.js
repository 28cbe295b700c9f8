// All methods on one picture, enlarged and moved together; and the list of all pictures, with search.
const dialog = document.querySelector("#sheet");
const tiles = dialog.querySelector(".tiles");
let sheetZoom = null;
const sheetLevel = dialog.querySelector("[data-level]");

const openSheet = (picture, set) => {
  dialog.querySelector("h2").textContent = picture.name;
  dialog.querySelector(".what").textContent = picture.words;
  tiles.replaceChildren();
  set.layers.forEach((layer, place) => {
    if (picture.there && !picture.there[place]) return;
    const figure = document.createElement("figure");
    const surface = document.createElement("div");
    surface.className = "tile";
    surface.tabIndex = 0;
    surface.setAttribute("role", "img");
    surface.setAttribute("aria-label", `${picture.name}, ${layer}`);
    const caption = document.createElement("figcaption");
    const name = document.createElement("bdi");
    name.textContent = layer;
    const score = document.createElement("span");
    score.textContent = picture.scores[place] ?? "";
    caption.append(name, score);
    if (picture.strip) {
      const thumb = document.createElement("div");
      thumb.className = "thumb";
      thumb.style.backgroundImage = `url("${picture.strip}")`;
      thumb.style.backgroundSize = `${100 * set.layers.length}% 100%`;
      thumb.style.backgroundPosition = `${set.layers.length > 1 ? (100 * place) / (set.layers.length - 1) : 0}% 0`;
      surface.append(thumb);
    }
    const full = document.createElement("img");
    full.alt = "";
    if (picture.previews?.[place]) full.src = picture.previews[place];
    const file = new Image();
    file.addEventListener("load", () => {
      full.src = file.src;
      surface.style.setProperty("--ratio", file.naturalWidth / file.naturalHeight);
    });
    file.src = `${set.base}${picture.folder}/${encodeURIComponent(set.files[place])}`;
    surface.append(full);
    surface.style.setProperty("--ratio", picture.ratio);
    figure.append(surface, caption);
    tiles.append(figure);
  });
  const surfaces = [...tiles.querySelectorAll(".tile")];
  sheetZoom = zoomable(tiles, surfaces, (z) => { sheetLevel.textContent = `${Math.round(100 * z)} %`; });
  sheetZoom.to(1);
  for (const surface of surfaces) {
    const drag = dragged(surface, sheetZoom);
    surface.addEventListener("pointerdown", (event) => { surface.setPointerCapture(event.pointerId); drag.start(event); });
    surface.addEventListener("pointermove", (event) => drag.move(event));
    surface.addEventListener("pointerup", () => drag.end());
  }
  dialog.showModal();
};
for (const [what, times] of [["in", 2], ["out", 0.5]]) {
  dialog.querySelector(`[data-zoom="${what}"]`).addEventListener("click", () => sheetZoom.to(sheetZoom.view.z * times));
}
dialog.querySelector('[data-zoom="fit"]').addEventListener("click", () => sheetZoom.to(1));
dialog.querySelector(".close").addEventListener("click", () => dialog.close());

const AT_A_TIME = 30;
for (const browser of document.querySelectorAll(".browse")) {
  const set = JSON.parse(document.getElementById(browser.dataset.set).textContent);
  const gallery = browser.closest(".gallery");
  const pictures = set.pictures.map(([name, folder, intensity, ratio, scores, gains, strip, stored]) => ({
    name, folder, intensity, ratio, gains, strip: strip && `data:image/webp;base64,${strip}`,
    there: stored.length ? set.layers.map((_, place) => stored.includes(place)) : null,
    scores: scores.map((score) => score && `${score} ${set.unit}`.trim()), words: intensity === "clear" ? "clear input" : `${intensity} rain`,
  }));
  const byName = new Map(pictures.map((picture) => [picture.name, picture]));

  for (const button of gallery.querySelectorAll("button[data-picture]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const picture = byName.get(button.dataset.picture);
      const shown = button.closest(".case").querySelectorAll("img[data-layer]:not(.error)");
      const previews = set.layers.map((layer) => [...shown].find((each) => each.dataset.name === layer)?.src);
      openSheet({ ...picture, previews }, set);
    });
  }

  const list = browser.querySelector(".strips");
  const [search, intensity, order] = ["search", "intensity", "order"].map((name) => browser.querySelector(`[name=${name}]`));
  const told = browser.querySelector("[role=status]");
  let found = [];
  let shown = 0;
  const row = (picture) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => openSheet(picture, set));
    if (picture.strip) {
      const strip = document.createElement("img");
      strip.src = picture.strip;
      strip.loading = "lazy";
      strip.width = 96 * set.layers.length;
      strip.height = Math.max(1, Math.round(96 / picture.ratio));
      strip.alt = "";
      button.append(strip);
    }
    const name = document.createElement("bdi");
    name.textContent = picture.name;
    const words = document.createElement("span");
    const gain = set.methods.indexOf(order.value) >= 0 ? picture.gains[set.methods.indexOf(order.value)] : null;
    words.textContent = gain === null ? picture.words : `${picture.words}, ${gain > 0 ? "+" : ""}${gain.toFixed(2)} ${set.unit}`;
    button.append(name, words);
    item.append(button);
    return item;
  };
  const more = () => {
    list.append(...found.slice(shown, shown + AT_A_TIME).map(row));
    shown = Math.min(found.length, shown + AT_A_TIME);
  };
  const update = () => {
    const wanted = search.value.trim().toLowerCase();
    found = pictures.filter((each) => each.name.toLowerCase().includes(wanted) && (!intensity.value || each.intensity === intensity.value));
    const method = set.methods.indexOf(order.value);
    if (method >= 0) {
      const worth = (each) => each.gains[method] ?? Infinity;
      found.sort((one, other) => worth(one) - worth(other));
    }
    told.textContent = `${found.length} of ${pictures.length} pictures`;
    list.replaceChildren();
    shown = 0;
    more();
  };
  let begun = false;
  browser.addEventListener("toggle", () => {
    if (begun || !browser.open) return;
    begun = true;
    update();
    new IntersectionObserver((entries) => { if (entries.some((each) => each.isIntersecting)) more(); }, { rootMargin: "600px" })
      .observe(browser.querySelector(".end"));
  });
  for (const control of [search, intensity, order]) control.addEventListener("input", update);
}
