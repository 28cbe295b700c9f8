// Each chart can be saved as it is seen: as SVG, and as PNG of twice its size.
const inColours = (chart) => {
  const copy = chart.cloneNode(true);
  const box = chart.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", box.width);
  copy.setAttribute("height", box.height);
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const resolved = (value) => {
    probe.style.color = value;
    return getComputedStyle(probe).color;
  };
  for (const part of copy.querySelectorAll("*")) {
    for (const name of ["fill", "stroke"]) {
      const value = part.getAttribute(name);
      if (value && value.startsWith("var(")) part.setAttribute(name, resolved(value));
    }
  }
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", resolved("var(--panel)")]]) ground.setAttribute(name, value);
  copy.prepend(ground);
  probe.remove();
  copy.setAttribute("font-family", style.fontFamily || "sans-serif");
  return new XMLSerializer().serializeToString(copy);
};
const save = (address, name) => {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
};
for (const figure of document.querySelectorAll("figure[data-figure]")) {
  const chart = figure.querySelector(":scope > svg");
  const tools = document.createElement("p");
  tools.className = "saves";
  for (const kind of ["SVG", "PNG"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind;
    button.setAttribute("aria-label", `Save this chart as ${kind}`);
    button.addEventListener("click", () => {
      const address = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(inColours(chart))}`;
      if (kind === "SVG") return save(address, `${figure.dataset.figure}.svg`);
      const picture = new Image();
      picture.addEventListener("load", () => {
        const canvas = document.createElement("canvas");
        canvas.width = 2 * picture.width;
        canvas.height = 2 * picture.height;
        canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
        save(canvas.toDataURL("image/png"), `${figure.dataset.figure}.png`);
      });
      picture.src = address;
    });
    tools.append(button);
  }
  figure.append(tools);
}
