// Two pictures beside each other under a slider, the drop mask over them, and pictures made large.
for (const gallery of document.querySelectorAll(".gallery")) {
  const stages = [...gallery.querySelectorAll(".stage")];

  const show = (side, layer) => {
    const button = gallery.querySelector(`fieldset[data-side="${side}"] input[value="${layer}"]`);
    const name = button ? button.parentElement.textContent.trim() : "";
    for (const stage of stages) {
      let found = false;
      for (const picture of stage.querySelectorAll("img[data-layer]")) {
        const on = picture.dataset.layer === layer;
        picture.classList.toggle(side, on);
        found = found || on;
      }
      stage.querySelector(`.tag-${side}`).textContent = found ? name : `${name}: not stored`;
    }
    for (const row of gallery.querySelectorAll("tr[data-layer]")) {
      row.classList.toggle(side, row.dataset.layer === layer);
    }
  };

  for (const side of ["left", "right"]) {
    for (const button of gallery.querySelectorAll(`fieldset[data-side="${side}"] input`)) {
      button.addEventListener("change", () => show(side, button.value));
      if (button.checked) show(side, button.value);
    }
  }

  const mask = gallery.querySelector("[data-mask]");
  if (mask) mask.addEventListener("change", () => gallery.classList.toggle("with-mask", mask.checked));

  for (const stage of stages) {
    const range = stage.querySelector("input[type=range]");
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
      follow(event);
    });
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) follow(event);
    });
  }

  for (const button of gallery.querySelectorAll(".enlarge")) {
    button.addEventListener("click", () => {
      const large = button.closest(".case").classList.toggle("large");
      button.setAttribute("aria-pressed", String(large));
      button.textContent = large ? "Smaller" : "Enlarge";
    });
  }
}
