// What the stylesheet's colours are now, for those who draw on a canvas: they know no custom properties and no themes.

/** @param {HTMLElement} root an element of the page @returns {(name: string) => string} */
export function coloursOf(root) {
  const probe = document.createElement('span');
  return (name) => {
    root.append(probe);
    probe.style.color = `var(${name})`;
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
}
