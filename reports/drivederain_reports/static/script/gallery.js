// Two pictures beside each other under a slider, with error map, drop mask and zoom.
for (const gallery of document.querySelectorAll(".gallery")) {
  const stages = [...gallery.querySelectorAll(".stage")];
  const chosen = {};
  let errors = false;

  const show = (side, layer) => {
    chosen[side] = layer;
    const button = gallery.querySelector(`fieldset[data-side="${side}"] input[value="${layer}"]`);
    const name = button ? button.parentElement.textContent.trim() : "";
    for (const stage of stages) {
      const own = [...stage.querySelectorAll(`img[data-layer="${layer}"]`)];
      const map = own.find((picture) => picture.classList.contains("error"));
      const shown = (errors && map) || own.find((picture) => !picture.classList.contains("error"));
      for (const picture of stage.querySelectorAll("img[data-layer]")) picture.classList.toggle(side, picture === shown);
      stage.querySelector(`.tag-${side}`).textContent = !shown ? `${name}: not stored` : shown === map ? `${name}: error` : name;
    }
    for (const row of gallery.querySelectorAll("tr[data-layer]")) row.classList.toggle(side, row.dataset.layer === layer);
  };

  for (const side of ["left", "right"]) {
    for (const button of gallery.querySelectorAll(`fieldset[data-side="${side}"] input`)) {
      button.addEventListener("change", () => show(side, button.value));
      if (button.checked) show(side, button.value);
    }
  }

  gallery.querySelector("[data-mask]")?.addEventListener("change", (event) => gallery.classList.toggle("with-mask", event.target.checked));
  gallery.querySelector("[data-errors]")?.addEventListener("change", (event) => {
    errors = event.target.checked;
    for (const side of ["left", "right"]) show(side, chosen[side]);
  });

  const level = gallery.querySelector("[data-level]");
  const lossless = () => {
    // Enlarged previews are blurred: the files in images/ take their place where they lie beside the page.
    for (const picture of gallery.querySelectorAll(".stage img.left[data-file], .stage img.right[data-file]")) {
      const box = picture.closest(".stage").getBoundingClientRect();
      if (box.bottom < 0 || box.top > innerHeight) continue;
      const file = new Image();
      const address = picture.dataset.file;
      delete picture.dataset.file;
      file.addEventListener("load", () => { picture.src = address; });
      file.src = address;
    }
  };
  const zoom = zoomable(gallery, stages, (z) => {
    if (level) level.textContent = `${Math.round(100 * z)} %`;
    if (z > 1) lossless();
  });
  for (const [what, times] of [["in", 2], ["out", 0.5]]) {
    gallery.querySelector(`[data-zoom="${what}"]`)?.addEventListener("click", () => zoom.to(zoom.view.z * times));
  }
  gallery.querySelector('[data-zoom="fit"]')?.addEventListener("click", () => zoom.to(1));

  for (const stage of stages) {
    const range = stage.querySelector("input[type=range]");
    const drag = dragged(stage, zoom);
    let sliding = false;
    const move = (percent) => stage.style.setProperty("--pos", `${percent}%`);
    const follow = (event) => {
      const box = stage.getBoundingClientRect();
      range.value = Math.max(0, Math.min(100, ((event.clientX - box.left) / box.width) * 100));
      move(range.value);
    };
    range.addEventListener("input", () => move(range.value));
    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      stage.setPointerCapture(event.pointerId);
      range.focus({ preventScroll: true });
      const box = stage.getBoundingClientRect();
      const handle = box.left + (range.value / 100) * box.width;
      sliding = zoom.view.z === 1 || Math.abs(event.clientX - handle) < 24;
      if (sliding) follow(event);
      else drag.start(event);
    });
    stage.addEventListener("pointermove", (event) => {
      if (!stage.hasPointerCapture(event.pointerId)) return;
      if (sliding) follow(event);
      else drag.move(event);
    });
    stage.addEventListener("pointerup", () => { drag.end(); if (zoom.view.z > 1) lossless(); });
  }

  for (const button of gallery.querySelectorAll(".enlarge")) {
    button.addEventListener("click", () => {
      const large = button.closest(".case").classList.toggle("large");
      button.setAttribute("aria-pressed", String(large));
      button.textContent = large ? "Smaller" : "Enlarge";
    });
  }
}
