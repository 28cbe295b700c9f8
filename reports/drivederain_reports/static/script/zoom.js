// Pictures that are enlarged and moved together: whatever shows the same place in each of them.
const zoomable = (around, surfaces, told) => {
  const view = { z: 1, x: 0, y: 0 }; // times, and percent of a picture's sides
  const apply = () => {
    const least = 100 * (1 - view.z);
    view.x = Math.min(0, Math.max(least, view.x));
    view.y = Math.min(0, Math.max(least, view.y));
    around.style.setProperty("--z", view.z);
    around.style.setProperty("--tx", `${view.x}%`);
    around.style.setProperty("--ty", `${view.y}%`);
    around.classList.toggle("zoomed", view.z > 1);
    told(view.z);
  };
  const to = (z, px = 50, py = 50) => {
    const next = Math.min(16, Math.max(1, z));
    view.x = px - ((px - view.x) / view.z) * next;
    view.y = py - ((py - view.y) / view.z) * next;
    view.z = next;
    apply();
  };
  const by = (dx, dy) => {
    view.x += dx;
    view.y += dy;
    apply();
  };
  const place = (surface, event) => {
    const box = surface.getBoundingClientRect();
    return [(100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height];
  };
  for (const surface of surfaces) {
    surface.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && view.z === 1 && !surface.closest("dialog")) return; // the page scrolls
      event.preventDefault();
      to(view.z * (event.deltaY < 0 ? 1.25 : 0.8), ...place(surface, event));
    }, { passive: false });
    surface.addEventListener("dblclick", (event) => to(view.z > 1 ? 1 : 4, ...place(surface, event)));
    surface.addEventListener("keydown", (event) => {
      const steps = { "+": () => to(view.z * 2), "=": () => to(view.z * 2), "-": () => to(view.z / 2), 0: () => to(1) };
      const moves = { ArrowLeft: [10, 0], ArrowRight: [-10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] };
      if (steps[event.key]) steps[event.key]();
      else if (moves[event.key] && view.z > 1 && (event.shiftKey || surface.closest("dialog"))) by(...moves[event.key]);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  return { view, to, by };
};
const dragged = (surface, zoom) => {
  // Moves what is enlarged; what is not, is not moved.
  let last = null;
  return {
    start(event) { last = [event.clientX, event.clientY]; },
    move(event) {
      if (!last) return;
      const box = surface.getBoundingClientRect();
      zoom.by((100 * (event.clientX - last[0])) / box.width, (100 * (event.clientY - last[1])) / box.height);
      last = [event.clientX, event.clientY];
    },
    end() { last = null; },
  };
};
